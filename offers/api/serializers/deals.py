"""The `deal` part of an offer: what the yield rule needs to know of a last-minute deal."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from customers.api.fields import (
    FiniteFloatField,
    InstantField,
    MoneyMinorField,
    StrictBooleanField,
    WholeNumberField,
    rfc3339,
)
from customers.api.serializers import StrictSerializer

DEFAULT_MENU_BP = (1000, 2000, 3000, 4000, 5000)


def default_menu() -> list[int]:
    return list(DEFAULT_MENU_BP)


class DealBody(StrictSerializer):
    """Demand at price p is `expected_units_per_hour * exp(-elasticity * (p / regular - 1))`."""

    units = WholeNumberField(min_value=1, max_value=1_000_000)
    deadline = InstantField()
    regular_price_minor = MoneyMinorField(min_value=1, max_value=2**31 - 1)
    floor_price_minor = MoneyMinorField(required=False, default=0, max_value=2**31 - 1)
    unit_cost_minor = MoneyMinorField(required=False, default=0, max_value=2**31 - 1)
    unsold_value_minor = WholeNumberField(
        required=False,
        default=0,
        min_value=-(2**31),
        max_value=2**31 - 1,
        help_text="Below 0: disposal costs.",
    )
    expected_units_per_hour = FiniteFloatField(min_value=0, max_value=1_000_000)
    elasticity = FiniteFloatField(min_value=0, max_value=100)
    menu_bp = serializers.ListField(
        child=WholeNumberField(min_value=1, max_value=10_000),
        required=False,
        default=default_menu,
        min_length=1,
        max_length=50,
    )
    perishable = StrictBooleanField(required=False, default=True)
    in_store_only = StrictBooleanField(required=False, default=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["floor_price_minor"] > attrs["regular_price_minor"]:
            message = "The floor is not above the regular price."
            raise serializers.ValidationError(
                {"floor_price_minor": [ErrorDetail(message, code="floor_above_price")]}
            )
        attrs["menu_bp"] = sorted(set(attrs["menu_bp"]))
        return attrs


def deal_json(deal: dict[str, Any]) -> dict[str, Any]:
    """Return a validated DealBody as it is stored and echoed: times as RFC 3339."""
    return {**deal, "deadline": rfc3339(deal["deadline"])}
