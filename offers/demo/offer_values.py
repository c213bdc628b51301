"""The demo's offers, written in the shape of the API, to the values that operations take."""

from datetime import datetime
from typing import Any

from offers.demo.files import CURRENCY, DemoOffer
from offers.operations.promotions import OfferIn, OfferTermsIn


def offer_in(offer: DemoOffer, *, holdout_share: float, coupon_minutes: int) -> OfferIn:
    """Return the offer; the two arguments hold where it says nothing of its own. Raises KeyError for a torn file."""
    body = offer.body
    target, trigger, audience = body["target"], body["trigger"], body.get("audience", {})
    valid, limits = body["valid"], body.get("limits", {})
    return OfferIn(
        ref=offer.ref,
        terms=OfferTermsIn(
            title=body["title"],
            body=body["body"],
            image_url="",
            **_benefit(body["benefit"]),
            target_gtins=tuple(target.get("gtins", ())),
            target_brand=target.get("brand", ""),
            trigger_places=trigger["places"],
            trigger_on=trigger["on"],
            within_m=trigger.get("within_m"),
            min_affinity_share=audience.get("min_affinity_share"),
            bought_within_days=audience.get("bought_within_days"),
            never_bought=audience.get("never_bought", False),
            segments=(),
            topics=(),
            answers_needs=False,
            valid_from=datetime.fromisoformat(valid["from"]),
            valid_until=datetime.fromisoformat(valid["until"]),
            minutes_after_issue=valid.get("minutes_after_issue", coupon_minutes),
            per_customer=limits.get("per_customer"),
            per_customer_per_days=limits.get("per_customer_per_days"),
            deal=None,
            objective=body.get("objective", "reward"),
            unit_cost_minor=body.get("unit_cost_minor"),
            holdout_share=body.get("holdout_share", holdout_share),
            priority=body.get("priority", 0),
        ),
        target_category=target.get("category"),
        stores=tuple(body["stores"]),
        units=limits.get("units"),
        budget_minor=limits.get("budget_minor"),
    )


def _benefit(benefit: dict[str, Any]) -> dict[str, Any]:
    return {
        "benefit_kind": benefit["kind"],
        "benefit_value": benefit["value_bp"] if benefit["kind"] == "percent" else benefit["value_minor"],
        "currency": benefit.get("currency", CURRENCY),
    }
