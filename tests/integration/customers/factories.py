"""Small makers of what the customers' tests need."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rest_framework.test import APIClient

from customers.models import ApiKey, Customer
from customers.operations import (
    CustomerUpsert,
    LineIn,
    PushAddress,
    ReceiptIn,
    issue_token,
    register_device,
    upsert_customers,
)

GTIN = "4006381333931"
NOW = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)


def make_customer(ref: str = "C1", **changes: Any) -> Customer:
    [(customer, _)] = upsert_customers(upserts=[CustomerUpsert(ref=ref, changes=changes)], now=NOW)
    return customer


def make_key(*scopes: str, stores: tuple[str, ...] = (), **fields: Any) -> tuple[ApiKey, str]:
    return ApiKey.objects.create_key(name="till", scopes=list(scopes), store_refs=list(stores), **fields)


def key_client(*scopes: str, stores: tuple[str, ...] = ()) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {make_key(*scopes, stores=stores)[1]}")
    return client


def token_client(customer: Customer, *, device_id: str = "phone") -> APIClient:
    token = issue_token(customer_id=customer.pk, device_id=device_id, now=datetime.now(UTC)).token
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def make_device(customer: Customer, *, device_id: str = "phone", token: str = "push-address") -> Any:
    address = PushAddress(platform="fcm", token=token)
    return register_device(customer_id=customer.pk, device_id=device_id, address=address, now=NOW)[0]


def line(
    gtin: str = GTIN, quantity: str = "1", price: int = 100, brand: str = "Danone", category: str = "yoghurt"
) -> LineIn:
    return LineIn(
        gtin=gtin, quantity=Decimal(quantity), unit_price_minor=price, brand=brand, category_ref=category
    )


def receipt(
    number: str = "R1", *, customer: str | None = "C1", days_ago: int = 1, **fields: Any
) -> ReceiptIn:
    given: dict[str, Any] = {
        "store_ref": "S1",
        "purchased_at": NOW - timedelta(days=days_ago),
        "currency": "EUR",
        "lines": (line(),),
    }
    return ReceiptIn(receipt=number, customer_ref=customer, **{**given, **fields})
