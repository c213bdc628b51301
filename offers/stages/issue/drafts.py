"""A coupon before it is written: its terms in the customer's language, its times, its reason."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from offers.flow import CouponIssued, CustomerFacts, OfferTerms, Trigger, Verdict
from offers.legal_texts import personal_price
from offers.rules.channels import channel_for
from offers.rules.coupon_codes import grouped
from offers.rules.legal import facts_from_json, shown_references
from offers.rules.legal_values import LegalRules
from offers.texts import in_language, why_issued


class Draft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    coupon_id: int
    code: str  # 16 symbols
    trigger: Trigger
    terms: OfferTerms
    shown: Mapping[str, Any]  # what Coupon.terms keeps
    reason: str
    valid_from: datetime
    valid_until: datetime
    expires_at: datetime  # when its message is too late to be worth its arrival
    channel: str  # that its message takes


def draft(
    *,
    trigger: Trigger,
    winner: Verdict,
    terms: OfferTerms,
    facts: CustomerFacts,
    coupon_id: int,
    code: str,
    now: datetime,
    params: Mapping[str, Any],
) -> Draft:
    """Return the coupon that this winner becomes; it lives for the offer's minutes, and never past the offer."""
    valid_until = min(terms.valid_until, now + timedelta(minutes=terms.minutes_after_issue))
    notice = personal_price(is_personal=terms.is_personal, language=facts.language)
    return Draft(
        coupon_id=coupon_id,
        code=code,
        trigger=trigger,
        terms=terms,
        shown={
            **_shown(terms, language=facts.language),
            "notice": notice,
            "reference_prices": _references(terms, now=now, params=params),
        },
        reason=why_issued(
            candidate=winner.candidate,
            terms=terms,
            topics=facts.topics,
            uses_history="profiling" in facts.granted,
            language=facts.language,
            notice=notice,
        ),
        valid_from=now,
        valid_until=valid_until,
        expires_at=min(valid_until, now + timedelta(seconds=params["message_freshness_s"])),
        channel=channel_for(facts) or "push",  # the decision saw to it that there is one
    )


def issued(draft: Draft) -> CouponIssued:
    """Return the coupon as it travels to the door."""
    place = draft.trigger.place
    return CouponIssued(
        code=grouped(draft.code),
        state="issued",
        offer=draft.terms.ref,
        title=draft.shown["title"],
        body=draft.shown["body"],
        image_url=draft.shown["image_url"] or None,
        benefit=draft.shown["benefit"],
        target=draft.shown["target"],
        store=place.store_ref if place else "",
        aisle=place.aisle_ref if place else None,
        issued_at=draft.valid_from,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        reason=draft.reason,
        notice=draft.shown["notice"],
        reference_prices=draft.shown["reference_prices"],
    )


def _references(terms: OfferTerms, *, now: datetime, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the lowest price of the 30 days before the reduction of each product that the offer names."""
    if not terms.legal:
        return []
    shown = shown_references(facts_from_json(terms.legal), rules=LegalRules.of(params), now=now)
    return [
        {"gtin": one.gtin, "price_minor": one.reference_minor, "currency": terms.currency} for one in shown
    ]


def _shown(terms: OfferTerms, *, language: str) -> dict[str, Any]:
    value = "value_bp" if terms.benefit_kind == "percent" else "value_minor"
    return {
        "title": in_language(terms.title, language=language),
        "body": in_language(terms.body, language=language),
        "image_url": terms.image_url,
        "benefit": {"kind": terms.benefit_kind, value: terms.benefit_value, "currency": terms.currency},
        "target": {
            "gtins": list(terms.target_gtins),
            "category": terms.target_category,
            "brand": terms.target_brand,
        },
    }
