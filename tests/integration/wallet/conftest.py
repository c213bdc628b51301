"""A customer with a phone, and coupons as the pipeline leaves them."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from customers.models import Customer
from offers.models import Arm, Capacity, Coupon, CouponCode, Decision, Exposure, Offer, OutboxMessage, Store
from offers.rules.coupon_codes import new_code
from tests.integration.backoffice.office import CIRCLE, OFFER, Office


@pytest.fixture
def office(db: None) -> Office:
    return Office()


@pytest.fixture
def sign_in(office: Office) -> Callable[..., Office]:
    """Return a function that makes a customer and answers their phone."""

    def make(ref: str = "C1", **profile: Any) -> Office:
        assert office.put(f"customers/{ref}", profile)[0] in (200, 201)
        token = office.post(f"customers/{ref}/tokens", {"device_id": "phone"})[1]["token"]
        return Office(authorization=f"Bearer {token}")

    return make


def make_coupon(office: Office, *, customer: str, minutes: int = 60, **changed: Any) -> Coupon:
    """Issue a coupon that lives for `minutes` from an hour ago on, with decision, exposure, and a queued message."""
    store = Store.objects.filter(ref="S1").first()
    if store is None:
        office.put("stores/S1", CIRCLE)
        office.put("offers/O1", {**OFFER, "limits": {"units": 10}})
        store = Store.objects.get(ref="S1")
    offer = Offer.objects.get(ref="O1")
    person = Customer.objects.get(ref=customer)
    code = new_code(secrets.token_bytes)
    issued_at = datetime.now(UTC) - timedelta(hours=1)
    values: dict[str, Any] = {
        "customer": person,
        "offer": offer,
        "revision": 1,
        "code": code,
        "terms": {
            "title": "-20 %",
            "body": "Au rayon frais.",
            "image_url": None,
            "benefit": {"kind": "percent", "value_bp": 2000, "currency": "EUR"},
            "target": {"gtins": [], "category": None, "brand": "Alsace Lait"},
        },
        "reason": "Vous achetez souvent de l’Alsace Lait.",
        "store": store,
        "issued_at": issued_at,
        "valid_from": issued_at,
        "valid_until": issued_at + timedelta(minutes=minutes),
        **changed,
    }
    coupon = Coupon.objects.create(**values)
    CouponCode.objects.create(code=code, customer=person, coupon=coupon)
    decision = Decision.objects.create(
        customer=person,
        store=store,
        transition="enter",
        outcome="issued",
        reason="issued",
        offer=offer,
        coupon=coupon,
        decided_at=issued_at,
        candidates=[
            {"offer": "O1", "revision": 1, "reason": "issued", "affinity_share": 0.25},
            {"offer": "O2", "revision": 1, "reason": "not_relevant", "affinity_share": 0.0},
        ],
    )
    Exposure.objects.create(
        customer=person,
        offer=offer,
        revision=1,
        arm=Arm.TREATED,
        decision=decision,
        coupon=coupon,
        store=store,
        store_visit_entered_at=issued_at,
        exposed_at=issued_at,
    )
    OutboxMessage.objects.create(
        customer=person,
        coupon=coupon,
        created_at=issued_at,
        due_at=issued_at,
        expires_at=issued_at + timedelta(minutes=minutes),
    )
    Capacity.objects.filter(offer=offer).update(claimed=1)
    return coupon
