"""A simulation as it is asked for and answered."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from customers.api.fields import InstantField, RefField, rfc3339
from customers.api.serializers import StrictSerializer
from offers import legal_texts, texts
from offers.api.events.documented import EventBody
from offers.api.events.parsing import MAX_EVENTS, InvalidEvent, parse_event, sent_id
from offers.api.events.rendering import render_coupon, render_place
from offers.api.serializers.offer_values import offer_in
from offers.api.serializers.offers import OfferBody, wrong
from offers.api.serializers.wallet import CouponOut, PlaceOut
from offers.operations.promotions import OfferIn
from offers.rules.eligibility import Reason
from offers.rules.legal_values import Rule
from offers.rules.trace import Check
from offers.simulation.values import Simulated, SimulatedDecision, Step, WeighedOffer

MAX_OFFERS = 20
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class SimulatedOfferBody(OfferBody):
    """An offer as it is put, published for the simulation alone; or `ref` alone: an offer that exists, made live."""

    ref = RefField(required=False)


class SimulationBody(StrictSerializer):
    """`customer`, or `customers` for two side by side. The walk begins at `now`, whatever the events' own times: these
    say how far apart the events are, and their order in `path` is the order in which they arrive."""

    customer = RefField(required=False)
    customers = serializers.ListField(child=RefField(), required=False, min_length=1, max_length=2)
    path = EventBody(many=True, min_length=1, max_length=MAX_EVENTS)
    now = InstantField(required=False)
    offers = SimulatedOfferBody(many=True, required=False, max_length=MAX_OFFERS)


class SimulationOutside(StrictSerializer):
    """The outside of a SimulationBody: the events and the offers are judged one by one."""

    customer = RefField(required=False)
    customers = serializers.ListField(child=RefField(), required=False, min_length=1, max_length=2)
    path = serializers.ListField(min_length=1, max_length=MAX_EVENTS)
    now = InstantField(required=False)
    offers = serializers.ListField(required=False, default=list, max_length=MAX_OFFERS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("customer" in attrs) == ("customers" in attrs):
            raise wrong("customer", "one_of", "Name either a customer or customers.")
        attrs["customers"] = attrs.get("customers") or [attrs["customer"]]
        if len(set(attrs["customers"])) < len(attrs["customers"]):
            raise wrong("customers", "repeated", "Name two different customers.")
        if "now" in attrs and not FIRST <= attrs["now"] < LAST:
            raise wrong("now", "out_of_range", "A time of the years 2000 to 2099.")
        return attrs


def steps_of(raw_events: Sequence[Any]) -> tuple[Step, ...]:
    """Return one step an event, same order; one that is not what the contract says will be rejected alone."""
    return tuple(_step(raw) for raw in raw_events)


def offers_of(raw_offers: Sequence[Any]) -> tuple[OfferIn | str, ...]:
    """Return the drafts, and the refs of offers that exist. Raises ValidationError with all that is wrong."""
    found: list[OfferIn | str] = []
    errors: dict[str, Any] = {}
    for index, raw in enumerate(raw_offers):
        if isinstance(raw, dict) and set(raw) == {"ref"} and isinstance(raw["ref"], str):
            found.append(raw["ref"])
            continue
        body = SimulatedOfferBody(data=raw)
        if body.is_valid():
            data = body.validated_data
            found.append(offer_in(data.get("ref", f"simulated-{index + 1}"), data))
        else:
            errors[str(index)] = body.errors
    if errors:
        raise serializers.ValidationError({"offers": errors})
    return tuple(found)


class CheckOut(serializers.Serializer[Any]):
    check = serializers.CharField()
    part = serializers.ChoiceField(choices=["who", "whether", "when", "measure"])
    passed = serializers.BooleanField()
    reason = serializers.ChoiceField(choices=[reason.value for reason in Reason], allow_null=True)
    numbers = serializers.DictField(help_text="What was compared.")


class SimulatedCandidateOut(serializers.Serializer[Any]):
    offer = serializers.CharField()
    revision = serializers.IntegerField()
    reason = serializers.CharField()
    rule = serializers.ChoiceField(choices=[rule.value for rule in Rule], allow_null=True)
    text = serializers.CharField(help_text="The reason in the customer's language.")
    is_winner = serializers.BooleanField()
    numbers = serializers.DictField(help_text="What the decision keeps.")
    checks = CheckOut(many=True, help_text="Every one, not only the first that said no.")


class SimulatedDecisionOut(serializers.Serializer[Any]):
    customer = serializers.CharField()
    at = InstantField(help_text="On the simulated clock.")
    event = serializers.CharField(allow_null=True, help_text="Its id as sent; null: a deadline fired.")
    transition = serializers.ChoiceField(choices=["enter", "dwell", "exit"], allow_null=True)
    place = PlaceOut(allow_null=True)
    outcome = serializers.ChoiceField(choices=["issued", "none"])
    reason = serializers.ChoiceField(choices=[reason.value for reason in Reason])
    text = serializers.CharField(help_text="In the customer's language.")
    coupon = CouponOut(allow_null=True, help_text="Its code is worth nothing.")
    candidates = SimulatedCandidateOut(many=True)


class SimulatedEventOut(serializers.Serializer[Any]):
    customer = serializers.CharField()
    id = serializers.CharField()
    at = InstantField(help_text="On the simulated clock.")
    status = serializers.ChoiceField(choices=["accepted", "duplicate", "rejected"])
    error = serializers.ChoiceField(
        choices=["invalid", "unknown_geofence", "unknown_beacon", "event_id_reused"], allow_null=True
    )


class SimulationOut(serializers.Serializer[Any]):
    customers = serializers.ListField(child=serializers.CharField())
    started_at = InstantField()
    ended_at = InstantField()
    results = SimulatedEventOut(many=True, help_text="One per event and customer, in the order of the path.")
    decisions = SimulatedDecisionOut(many=True, help_text="In the order of the clock.")


def render_simulation(simulated: Simulated, *, customers: Sequence[str], now: datetime) -> dict[str, Any]:
    return {
        "customers": list(customers),
        "started_at": rfc3339(now),
        "ended_at": rfc3339(simulated.ended_at),
        "results": [
            {
                "customer": one.customer,
                "id": one.sent_id,
                "at": rfc3339(one.at),
                "status": one.status,
                "error": one.error,
            }
            for one in simulated.events
        ],
        "decisions": [_decision(one) for one in simulated.decisions],
    }


def _decision(one: SimulatedDecision) -> dict[str, Any]:
    made = one.made
    return {
        "customer": one.customer,
        "at": rfc3339(one.at),
        "event": one.sent_id,
        "transition": made.transition,
        "place": render_place(made.place),
        "outcome": made.outcome,
        "reason": made.reason,
        "text": made.coupon.reason
        if made.coupon
        else texts.why_none(reason=made.reason, language=one.language),
        "coupon": _coupon(made.coupon) if made.coupon else None,
        "candidates": [_candidate(candidate, language=one.language) for candidate in one.candidates],
    }


def _coupon(coupon: Any) -> dict[str, Any]:
    rendered = render_coupon(coupon)
    return {name: _plain(value) for name, value in rendered.items()}


def _candidate(one: WeighedOffer, *, language: str) -> dict[str, Any]:
    numbers = dict(one.kept)
    offer, revision, reason = numbers.pop("offer"), numbers.pop("revision"), numbers.pop("reason")
    rule = numbers.pop("rule", None)
    text = texts.why_none(reason=reason, language=language)
    return {
        "offer": offer,
        "revision": revision,
        "reason": reason,
        "rule": rule,
        "text": f"{text} ({legal_texts.rule_name(rule, language=language)})" if rule else text,
        "is_winner": one.is_winner,
        "numbers": numbers,
        "checks": [_check(check) for check in one.checks],
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "check": check.name,
        "part": check.part,
        "passed": check.reason is None,
        "reason": check.reason.value if check.reason is not None else None,
        "numbers": {name: _plain(value) for name, value in check.numbers.items()},
    }


def _plain(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value


def _step(raw: Any) -> Step:
    try:
        return Step(sent_id=sent_id(raw), event=parse_event(raw, customer_id=0, device_id=""))
    except InvalidEvent:
        return Step(sent_id=sent_id(raw), event=None)
