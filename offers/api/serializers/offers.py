"""Offers in the shape of the wire contract; what may be left out has its default here."""

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from customers.api.fields import (
    CurrencyField,
    EnumField,
    FiniteFloatField,
    GtinField,
    InstantField,
    MoneyMinorField,
    RefField,
    StrictBooleanField,
    TextField,
    TextListField,
    WholeNumberField,
)
from customers.api.serializers import StrictSerializer
from offers.api.serializers.catalogue import MAX_CATEGORY_REF_CHARS, MAX_PRICE_MINOR, ImageUrlField
from offers.api.serializers.deals import DealBody, DealOut
from offers.api.serializers.wallet import ReferencePriceOut
from offers.models import BenefitKind, Objective, OfferState, TriggerOn, TriggerPlaces
from offers.rules.legal_values import Rule

MAX_COUNT = 2**31 - 1
MAX_BUDGET_MINOR = 2**53 - 1
MAX_MINUTES = 366 * 24 * 60
MAX_DAYS = 3_660
MAX_TARGET_GTINS = 1_000
MAX_STORES = 10_000


def wrong(field: str, code: str, message: str) -> serializers.ValidationError:
    """Return the error of one field."""
    return serializers.ValidationError({field: [ErrorDetail(message, code=code)]})


class Section(StrictSerializer):
    """A part of an offer that may be left out: then each of its fields has its default."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(*args, **kwargs)

    def get_default(self) -> Any:
        return self.run_validation({})


def optional_count(**kwargs: Any) -> WholeNumberField:
    kwargs = {"min_value": 1, "max_value": MAX_COUNT, **kwargs}
    return WholeNumberField(required=False, allow_null=True, default=None, **kwargs)


class TitleBody(Section):
    fr = TextField(required=False, allow_blank=True, max_length=120)
    en = TextField(required=False, allow_blank=True, max_length=120)


class TextBody(Section):
    fr = TextField(required=False, allow_blank=True, max_length=500)
    en = TextField(required=False, allow_blank=True, max_length=500)


class BenefitBody(StrictSerializer):
    """percent: `value_bp` off; amount: `value_minor` off; price: `value_minor` instead."""

    kind = EnumField(choices=BenefitKind.values)
    value_bp = WholeNumberField(required=False, min_value=1, max_value=10_000)
    value_minor = MoneyMinorField(required=False, max_value=MAX_PRICE_MINOR)
    currency = CurrencyField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_percent = attrs["kind"] == BenefitKind.PERCENT
        wanted, other = ("value_bp", "value_minor") if is_percent else ("value_minor", "value_bp")
        if wanted not in attrs:
            raise wrong(wanted, "required", "This kind of benefit needs it.")
        if other in attrs:
            raise wrong(other, "not_allowed", "This kind of benefit does not take it.")
        if attrs["kind"] == BenefitKind.AMOUNT and attrs["value_minor"] < 1:
            raise wrong("value_minor", "min_value", "An amount off is 1 or more.")
        if not is_percent and "currency" not in attrs:
            raise wrong("currency", "required", "An amount of money needs its currency.")
        return attrs


class TargetBody(StrictSerializer):
    """Exactly one of the three."""

    gtins = serializers.ListField(
        child=GtinField(), required=False, min_length=1, max_length=MAX_TARGET_GTINS
    )
    category = RefField(max_length=MAX_CATEGORY_REF_CHARS, required=False)
    brand = TextField(max_length=128, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Name either gtins, a category or a brand.", code="one_target")
        return attrs


class TriggerBody(Section):
    places = EnumField(choices=TriggerPlaces.values, required=False, default=TriggerPlaces.AISLE.value)
    on = EnumField(choices=TriggerOn.values, required=False, default=TriggerOn.ENTER.value)
    within_m = optional_count(max_value=50_000)


class AudienceBody(Section):
    """`min_affinity_share` null: those who bought from the target before; 0: everybody."""

    min_affinity_share = FiniteFloatField(
        required=False, allow_null=True, default=None, min_value=0, max_value=1
    )
    bought_within_days = optional_count(max_value=MAX_DAYS)
    never_bought = StrictBooleanField(required=False, default=False)
    segments = TextListField(required=False, default=list)
    topics = TextListField(required=False, default=list)
    needs = StrictBooleanField(required=False, default=False)


class ValidBody(StrictSerializer):
    """[from, until); a coupon lives `minutes_after_issue`, and no longer than the offer."""

    until = InstantField()
    minutes_after_issue = WholeNumberField(required=False, min_value=1, max_value=MAX_MINUTES)

    def get_fields(self) -> dict[str, Any]:
        return {"from": InstantField(), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["from"] >= attrs["until"]:
            raise wrong("until", "empty_period", "The period ends after it begins.")
        attrs.setdefault("minutes_after_issue", settings.RAYON["coupon_minutes"])
        return attrs


class LimitsBody(Section):
    per_customer = optional_count()
    per_customer_per_days = optional_count(max_value=MAX_DAYS)
    units = optional_count()
    budget_minor = optional_count(max_value=MAX_BUDGET_MINOR)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["per_customer_per_days"] is not None and attrs["per_customer"] is None:
            raise wrong("per_customer", "required", "Days need a number of coupons to count in them.")
        return attrs


class OfferBody(StrictSerializer):
    title = TitleBody()
    body = TextBody()
    image_url = ImageUrlField()
    benefit = BenefitBody(required=False)
    target = TargetBody()
    stores = serializers.ListField(child=RefField(), required=False, default=list, max_length=MAX_STORES)
    trigger = TriggerBody()
    audience = AudienceBody()
    valid = ValidBody()
    limits = LimitsBody()
    deal = DealBody(required=False, allow_null=True, default=None)
    objective = EnumField(choices=Objective.values, required=False)
    unit_cost_minor = MoneyMinorField(
        required=False, allow_null=True, default=None, max_value=MAX_PRICE_MINOR
    )
    holdout_share = FiniteFloatField(required=False, min_value=0, max_value=1)
    priority = WholeNumberField(required=False, default=0, min_value=-1_000_000, max_value=1_000_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        deal = attrs["deal"]
        if deal is None and "benefit" not in attrs:
            raise wrong("benefit", "required", "Only a deal goes without a benefit.")
        attrs.setdefault("objective", (Objective.MARGIN if deal else Objective.REWARD).value)
        attrs.setdefault("holdout_share", settings.RAYON["holdout_share"])
        if deal is not None:
            if attrs["objective"] != Objective.MARGIN:
                raise wrong("objective", "deal_needs_margin", "A deal is weighed by its margin.")
            if (attrs["valid"]["until"] - deal["deadline"]).total_seconds() > 1:
                raise wrong("valid", "after_deadline", "The offer ends by the deal's deadline.")
        return attrs


class OfferLine(OfferBody):
    ref = RefField()


class CapacityOut(serializers.Serializer[Any]):
    """null: no limit."""

    units = serializers.IntegerField(allow_null=True)
    claimed = serializers.IntegerField()
    units_left = serializers.IntegerField(allow_null=True)
    budget_minor = serializers.IntegerField(allow_null=True)
    spent_minor = serializers.IntegerField()
    budget_left_minor = serializers.IntegerField(allow_null=True)


class LegalFindingOut(serializers.Serializer[Any]):
    rule = serializers.ChoiceField(choices=[rule.value for rule in Rule])
    code = serializers.CharField()
    forbids = serializers.BooleanField(help_text="false: it could not be checked, and somebody should.")
    messages = serializers.DictField(child=serializers.CharField(), help_text="By language, fr and en.")


class OfferLegalOut(serializers.Serializer[Any]):
    """What French law has against the offer today; a live offer with a finding that forbids is not sent."""

    findings = LegalFindingOut(many=True)
    reference_prices = ReferencePriceOut(many=True)


class OfferOut(OfferLine):
    deal = DealOut(allow_null=True)
    state = serializers.ChoiceField(choices=OfferState.values)
    revision = serializers.IntegerField()
    published_at = InstantField(allow_null=True)
    capacity = CapacityOut()
    legal = OfferLegalOut()
