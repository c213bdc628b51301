"""Receipts in the shape of the wire contract."""

from typing import Any

from rest_framework import serializers

from customers.api.fields import (
    CurrencyField,
    GtinField,
    InstantField,
    MoneyMinorField,
    QuantityField,
    RefField,
    TextField,
)
from customers.api.schema import ProblemErrorSerializer
from customers.api.serializers import StrictSerializer
from customers.operations.receipts import LineIn, ReceiptIn

MAX_RECEIPTS = 1_000
MAX_LINES = 1_000
MAX_UNIT_PRICE_MINOR = 10**9


class ReceiptLineBody(StrictSerializer):
    """`category` and `brand`: filled from the catalogue where missing."""

    gtin = GtinField()
    quantity = QuantityField()
    unit_price_minor = MoneyMinorField(max_value=MAX_UNIT_PRICE_MINOR)
    category = RefField(max_length=64, required=False, allow_null=True, default=None)
    brand = TextField(max_length=128, required=False, allow_null=True, allow_blank=True, default=None)


class ReceiptBody(StrictSerializer):
    receipt = TextField(max_length=128)
    store = RefField()
    customer = RefField(required=False, allow_null=True, default=None)
    purchased_at = InstantField()
    currency = CurrencyField()
    lines = ReceiptLineBody(many=True, min_length=1, max_length=MAX_LINES)


class PurchasesBody(serializers.Serializer[Any]):
    """1 to 1,000 receipts; each is judged alone."""

    purchases = ReceiptBody(many=True, min_length=1, max_length=MAX_RECEIPTS)


class ReceiptList(StrictSerializer):
    """The outside of a PurchasesBody: the receipts are judged one by one."""

    purchases = serializers.ListField(min_length=1, max_length=MAX_RECEIPTS)


class ReceiptResultOut(serializers.Serializer[Any]):
    receipt = serializers.CharField(allow_null=True)
    store = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=["accepted", "duplicate", "rejected"])
    error = serializers.CharField(allow_null=True)
    corrected = serializers.BooleanField(help_text="It replaced another body of the same receipt.")
    errors = ProblemErrorSerializer(many=True)


class PurchasesOut(serializers.Serializer[Any]):
    results = ReceiptResultOut(many=True)


def receipt_in(data: dict[str, Any]) -> ReceiptIn:
    """Return the value of a validated ReceiptBody."""
    return ReceiptIn(
        store_ref=data["store"],
        receipt=data["receipt"],
        customer_ref=data["customer"],
        purchased_at=data["purchased_at"],
        currency=data["currency"],
        lines=tuple(
            LineIn(
                gtin=line["gtin"],
                quantity=line["quantity"],
                unit_price_minor=line["unit_price_minor"],
                category_ref=line["category"] or "",
                brand=line["brand"] or "",
            )
            for line in data["lines"]
        ),
    )
