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
from offers.models import DealState, Offer
from offers.rules.yields.learning import learned_sentence
from offers.rules.yields.stopping import StopReason

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


class LadderStep(serializers.Serializer[Any]):
    at = InstantField()
    depth_bp = serializers.IntegerField(help_text="Off the regular price from then on; 0: none.")


class SentenceOut(serializers.Serializer[Any]):
    fr = serializers.CharField()
    en = serializers.CharField()


class LearnedOut(serializers.Serializer[Any]):
    """What sales have taught, in the place of what was put."""

    expected_units_per_hour = serializers.FloatField()
    elasticity = serializers.FloatField()
    sentence = SentenceOut(allow_null=True, help_text="Null: it sells about as usual.")


class DealNowOut(serializers.Serializer[Any]):
    """What the yield rule says of a published deal; units and messages are counted now, the rest at the review."""

    units_left = serializers.IntegerField(help_text="Neither sold nor held by a coupon.")
    depth_bp = serializers.IntegerField(help_text="Off the regular price, for who is told now; 0: nobody is.")
    bid_price_minor = serializers.IntegerField(
        help_text="The least that the next unit should be given for, what it is worth unsold included."
    )
    send_now = serializers.IntegerField(help_text="How many more may be told before the next wave.")
    expected_sold = serializers.FloatField(help_text="Of the units left, by the deadline.")
    expected_left = serializers.FloatField()
    expected_left_band = serializers.ListField(
        child=serializers.IntegerField(), min_length=2, max_length=2, help_text="80 % of the ways it may go."
    )
    expected_margin_minor = serializers.IntegerField(help_text="Of the units left, their cost taken off.")
    margin_doing_nothing_minor = serializers.IntegerField(help_text="At the regular price to the end.")
    ladder = LadderStep(many=True, help_text="Depths ahead as they are expected, now first.")
    learned = LearnedOut(allow_null=True, help_text="Null: nothing yet, the figures that were put stand.")
    stopped = serializers.BooleanField()
    stop_reason = serializers.ChoiceField(choices=[reason.value for reason in StopReason], allow_null=True)
    reviewed_at = InstantField()


class DealOut(DealBody):
    now = DealNowOut(required=False, help_text="Absent until the deal is published.")


def render_deal(offer: Offer) -> dict[str, Any] | None:
    """Return the deal of an offer as it was put, with `now` once it was published."""
    state = getattr(offer, "deal_state", None)
    if offer.deal is None or state is None:
        return offer.deal
    return {**offer.deal, "now": _now(state, offer)}


def _now(state: DealState, offer: Offer) -> dict[str, Any]:
    capacity = offer.capacity
    left = max(0, (capacity.units or 0) - capacity.claimed)
    lots = -(-left // state.bid_lot)
    bids = state.bids_minor
    return {
        "units_left": left,
        "depth_bp": state.depth_bp,
        "bid_price_minor": bids[min(lots, len(bids)) - 1] if left and bids else state.bid_price_minor,
        "send_now": min(left, capacity.wave_left or 0),
        "expected_sold": state.expected_sold,
        "expected_left": state.expected_left,
        "expected_left_band": [state.left_low, state.left_high],
        "expected_margin_minor": state.expected_margin_minor,
        "margin_doing_nothing_minor": state.margin_doing_nothing_minor,
        "ladder": state.ladder,
        "learned": _learned(state, offer.deal or {}),
        "stopped": state.is_stopped,
        "stop_reason": state.stop_reason or None,
        "reviewed_at": rfc3339(state.reviewed_at),
    }


def _learned(state: DealState, deal: dict[str, Any]) -> dict[str, Any] | None:
    if state.units_per_hour is None and state.elasticity is None:
        return None
    usual = deal["expected_units_per_hour"]
    rate = usual if state.units_per_hour is None else state.units_per_hour
    return {
        "expected_units_per_hour": round(rate, 4),
        "elasticity": round(deal["elasticity"] if state.elasticity is None else state.elasticity, 4),
        "sentence": learned_sentence(usual_per_hour=usual, per_hour=rate),
    }
