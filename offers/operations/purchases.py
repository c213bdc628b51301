"""Receipts from the tills, with what the catalogue knows of their products."""

from collections.abc import Sequence
from datetime import datetime

from customers.operations.purchases import record_purchases as record_in_ledger
from customers.operations.receipts import ProductCodes, ReceiptIn, ReceiptResult
from offers.models import Product
from offers.queries.sensitive import sensitive_categories


def record_purchases(*, receipts: Sequence[ReceiptIn], now: datetime) -> list[ReceiptResult]:
    """Record the receipts, usual prices and a missing category or brand from the catalogue; one result each, same order.

    The profile is current when this returns, and nothing of sensitive goods in it. Two queries more than the ledger's own.
    """
    gtins = {line.gtin for receipt in receipts for line in receipt.lines}
    rows = Product.objects.filter(gtin__in=gtins).values_list(
        "gtin", "brand__name", "category_id", "category__ref", "price_minor", "currency"
    )
    sensitive = sensitive_categories()
    catalogue = {
        gtin: ProductCodes(
            brand=brand or "",
            category_ref=category or "",
            price_minor=price_minor,
            currency=currency,
            is_sensitive=category_id in sensitive,
        )
        for gtin, brand, category_id, category, price_minor, currency in rows
    }
    return record_in_ledger(receipts, now=now, catalogue=catalogue, sensitive=frozenset(sensitive.values()))
