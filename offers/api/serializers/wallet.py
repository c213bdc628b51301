"""Coupons and decisions as a phone is shown them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rest_framework import serializers

from customers.api.fields import EnumField, InstantField, TextField, rfc3339
from customers.api.serializers import StrictSerializer
from offers import legal_texts, texts
from offers.models import BenefitKind, Coupon, CouponState, Decision, FeedbackKind
from offers.queries.wallet import state_of, titles_of
from offers.rules.coupon_codes import grouped


class FeedbackBody(StrictSerializer):
    kind = EnumField(choices=FeedbackKind.values)
    note = TextField(required=False, allow_blank=True, default="", max_length=1000)


class FeedbackOut(FeedbackBody):
    given_at = InstantField()


class CouponBenefitOut(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=BenefitKind.values)
    value_bp = serializers.IntegerField(required=False)
    value_minor = serializers.IntegerField(required=False)
    currency = serializers.CharField(required=False)


class CouponTargetOut(serializers.Serializer[Any]):
    gtins = serializers.ListField(child=serializers.CharField())
    category = serializers.CharField(allow_null=True)
    brand = serializers.CharField(allow_null=True)


class ReferencePriceOut(serializers.Serializer[Any]):
    """The lowest price of the 30 days before the reduction, which must stand beside it."""

    gtin = serializers.CharField()
    price_minor = serializers.IntegerField()
    currency = serializers.CharField()


class CouponOut(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="In groups of four.")
    state = serializers.ChoiceField(choices=CouponState.values)
    offer = serializers.CharField()
    title = serializers.CharField()
    body = serializers.CharField()
    image_url = serializers.CharField(allow_null=True)
    benefit = CouponBenefitOut()
    target = CouponTargetOut()
    store = serializers.CharField()
    aisle = serializers.CharField(allow_null=True)
    issued_at = InstantField()
    valid_from = InstantField()
    valid_until = InstantField()
    reason = serializers.CharField(help_text="Why this customer got it, in their language.")
    notice = serializers.CharField(
        allow_null=True,
        help_text="To be shown with the price, in the customer's language: that it is a personal one.",
    )
    reference_prices = ReferencePriceOut(
        many=True, help_text="Of the products that the coupon names, where it must be shown; else empty."
    )


class PlaceOut(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["store", "aisle"])
    store = serializers.CharField()
    aisle = serializers.CharField(allow_null=True)


class CandidateOut(serializers.Serializer[Any]):
    offer = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    text = serializers.CharField(help_text="The reason in the customer's language.")
    affinity_share = serializers.FloatField(
        allow_null=True, help_text="The share of the customer's spending that goes to the offer's target."
    )
    rule = serializers.CharField(allow_null=True, help_text="With `legal_guard`: the rule of French law.")


class DecisionOut(serializers.Serializer[Any]):
    decided_at = InstantField()
    transition = serializers.ChoiceField(choices=["enter", "dwell", "exit"], allow_null=True)
    place = PlaceOut(allow_null=True)
    outcome = serializers.ChoiceField(choices=["issued", "none"])
    reason = serializers.CharField()
    text = serializers.CharField(help_text="The reason in the customer's language.")
    offer = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_null=True, help_text="The offer's.")
    coupon = serializers.CharField(allow_null=True, help_text="Its code.")
    candidates = CandidateOut(many=True)


class WhyOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    offer = serializers.CharField()
    reason = serializers.CharField(help_text="In the customer's language.")
    decision = DecisionOut(allow_null=True)


def render_coupon(coupon: Coupon, *, now: datetime) -> dict[str, Any]:
    """Return the coupon as API.md has it; offer, store and aisle come with queries.wallet."""
    terms = coupon.terms
    return {
        "code": grouped(coupon.code),
        "state": state_of(coupon, now=now),
        "offer": coupon.offer.ref,
        "title": terms.get("title", ""),
        "body": terms.get("body", ""),
        "image_url": terms.get("image_url") or None,
        "benefit": terms.get("benefit"),
        "target": terms.get("target"),
        "store": coupon.store.ref,
        "aisle": coupon.aisle.ref if coupon.aisle is not None else None,
        "issued_at": rfc3339(coupon.issued_at),
        "valid_from": rfc3339(coupon.valid_from),
        "valid_until": rfc3339(coupon.valid_until),
        "reason": coupon.reason,
        "notice": terms.get("notice") or None,
        "reference_prices": terms.get("reference_prices", []),
    }


def render_decisions(decisions: Sequence[Decision], *, language: str) -> list[dict[str, Any]]:
    """Return the decisions with every reason in words; one query for the titles of all candidates."""
    refs = {candidate["offer"] for decision in decisions for candidate in decision.candidates}
    titles = titles_of(sorted(refs)) if refs else {}
    return [_decision(decision, titles=titles, language=language) for decision in decisions]


def _decision(
    decision: Decision, *, titles: Mapping[str, Mapping[str, str]], language: str
) -> dict[str, Any]:
    offer = decision.offer
    return {
        "decided_at": rfc3339(decision.decided_at),
        "transition": decision.transition or None,
        "place": _place(decision),
        "outcome": decision.outcome,
        "reason": decision.reason,
        "text": _words(decision, language=language),
        "offer": offer.ref if offer is not None else None,
        "title": texts.in_language(offer.title, language=language) if offer is not None else None,
        "coupon": grouped(decision.coupon.code) if decision.coupon is not None else None,
        "candidates": [
            _candidate(candidate, titles=titles, language=language) for candidate in decision.candidates
        ],
    }


def _words(decision: Decision, *, language: str) -> str:
    """Return the coupon's own sentence where one was issued."""
    if decision.coupon is not None and decision.coupon.reason:
        return decision.coupon.reason
    return texts.why_none(reason=decision.reason, language=language)


def _place(decision: Decision) -> dict[str, Any] | None:
    if decision.store is None:
        return None
    aisle = decision.aisle.ref if decision.aisle is not None else None
    return {"kind": "aisle" if aisle else "store", "store": decision.store.ref, "aisle": aisle}


def _candidate(
    candidate: Mapping[str, Any], *, titles: Mapping[str, Mapping[str, str]], language: str
) -> dict[str, Any]:
    ref, reason = candidate["offer"], candidate["reason"]
    title = titles.get(ref)
    return {
        "offer": ref,
        "title": texts.in_language(title, language=language) if title is not None else None,
        "reason": reason,
        "text": _why(candidate, language=language),
        "affinity_share": candidate.get("affinity_share"),
        "rule": candidate.get("rule"),
    }


def _why(candidate: Mapping[str, Any], *, language: str) -> str:
    """Return a candidate's reason in words; of a rule of law also its name."""
    text = texts.why_none(reason=candidate["reason"], language=language)
    rule = candidate.get("rule")
    return f"{text} ({legal_texts.rule_name(rule, language=language)})" if rule else text
