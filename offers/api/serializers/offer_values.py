"""From a validated offer to the value that operations take, and from its row back to the same shape."""

from typing import Any

from customers.api.fields import rfc3339
from offers.api.serializers.deals import deal_json, render_deal
from offers.api.serializers.legal import legal_json
from offers.models import BenefitKind, Capacity, Offer
from offers.operations.promotions import OfferIn, OfferTermsIn


def offer_in(ref: str, data: dict[str, Any]) -> OfferIn:
    """Return the value of a validated OfferBody."""
    deal = data["deal"]
    target, trigger, audience = data["target"], data["trigger"], data["audience"]
    valid, limits = data["valid"], data["limits"]
    # a deal's benefit is set by the yield rule: until then it is the deepest of its menu
    benefit = data.get("benefit") or {"kind": BenefitKind.PERCENT.value, "value_bp": deal["menu_bp"][-1]}
    terms = OfferTermsIn(
        title=_said(data["title"]),
        body=_said(data["body"]),
        image_url=data["image_url"] or "",
        benefit_kind=benefit["kind"],
        benefit_value=benefit["value_bp"] if "value_bp" in benefit else benefit["value_minor"],
        currency=benefit.get("currency", "EUR"),
        target_gtins=tuple(dict.fromkeys(target.get("gtins", ()))),
        target_brand=target.get("brand", ""),
        trigger_places=trigger["places"],
        trigger_on=trigger["on"],
        within_m=trigger["within_m"],
        min_affinity_share=audience["min_affinity_share"],
        bought_within_days=audience["bought_within_days"],
        never_bought=audience["never_bought"],
        segments=tuple(audience["segments"]),
        topics=tuple(audience["topics"]),
        answers_needs=audience["needs"],
        valid_from=valid["from"],
        valid_until=valid["until"],
        minutes_after_issue=valid["minutes_after_issue"],
        per_customer=limits["per_customer"],
        per_customer_per_days=limits["per_customer_per_days"],
        deal=None if deal is None else deal_json(deal),
        objective=data["objective"],
        unit_cost_minor=data["unit_cost_minor"],
        holdout_share=data["holdout_share"],
        priority=data["priority"],
    )
    return OfferIn(
        ref=ref,
        terms=terms,
        target_category=target.get("category"),
        stores=tuple(dict.fromkeys(data["stores"])),
        units=limits["units"] if deal is None else deal["units"],
        budget_minor=limits["budget_minor"],
    )


def render_offer(offer: Offer) -> dict[str, Any]:
    """Return the offer; stores and capacity come with queries.promotions."""
    capacity = offer.capacity
    return {
        "ref": offer.ref,
        "title": offer.title,
        "body": offer.body,
        "image_url": offer.image_url or None,
        "benefit": benefit_json(kind=offer.benefit_kind, value=offer.benefit_value, currency=offer.currency),
        "target": _target(offer),
        "stores": [row.store.ref for row in offer.offer_stores.all()],
        "trigger": {"places": offer.trigger_places, "on": offer.trigger_on, "within_m": offer.within_m},
        "audience": {
            "min_affinity_share": offer.min_affinity_share,
            "bought_within_days": offer.bought_within_days,
            "never_bought": offer.never_bought,
            "segments": offer.segments,
            "topics": offer.topics,
            "needs": offer.answers_needs,
        },
        "valid": {
            "from": rfc3339(offer.valid_from),
            "until": rfc3339(offer.valid_until),
            "minutes_after_issue": offer.minutes_after_issue,
        },
        "limits": {
            "per_customer": offer.per_customer,
            "per_customer_per_days": offer.per_customer_per_days,
            "units": capacity.units,
            "budget_minor": capacity.budget_minor,
        },
        "deal": render_deal(offer),
        "objective": offer.objective,
        "unit_cost_minor": offer.unit_cost_minor,
        "holdout_share": offer.holdout_share,
        "priority": offer.priority,
        "state": offer.state,
        "revision": offer.revision,
        "published_at": None if offer.published_at is None else rfc3339(offer.published_at),
        "capacity": _capacity(capacity),
        "legal": legal_json(offer),
    }


def benefit_json(*, kind: str, value: int, currency: str) -> dict[str, Any]:
    name = "value_bp" if kind == BenefitKind.PERCENT else "value_minor"
    return {"kind": kind, name: value, "currency": currency}


def _said(texts: dict[str, str]) -> dict[str, str]:
    return {language: text for language, text in texts.items() if text}


def _target(offer: Offer) -> dict[str, Any]:
    if offer.target_category is not None:
        return {"category": offer.target_category.ref}
    return {"brand": offer.target_brand} if offer.target_brand else {"gtins": offer.target_gtins}


def _capacity(capacity: Capacity) -> dict[str, Any]:
    units, budget = capacity.units, capacity.budget_minor
    return {
        "units": units,
        "claimed": capacity.claimed,
        "units_left": None if units is None else units - capacity.claimed,
        "budget_minor": budget,
        "spent_minor": capacity.spent_minor,
        "budget_left_minor": None if budget is None else budget - capacity.spent_minor,
    }
