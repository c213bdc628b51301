"""Between an offer's row, the fields of its form, and the value that the operation takes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from offers.models import Capacity, Offer
from offers.operations.promotions import OfferIn, OfferTermsIn

HUNDRED = Decimal(100)  # basis points in a percent, cents in a euro, percents in a whole


def initial_of(offer: Offer) -> dict[str, Any]:
    """Return the form's fields for a row."""
    capacity = Capacity.objects.filter(offer=offer).first()
    share = offer.min_affinity_share
    return {
        "title_fr": offer.title.get("fr", ""),
        "title_en": offer.title.get("en", ""),
        "body_fr": offer.body.get("fr", ""),
        "body_en": offer.body.get("en", ""),
        "image_url": offer.image_url,
        "kind": offer.benefit_kind,
        "value": (Decimal(offer.benefit_value) / HUNDRED).quantize(Decimal("0.01")),
        "target_brand": offer.target_brand,
        "gtins": offer.target_gtins,
        "trigger_places": offer.trigger_places,
        "trigger_on": offer.trigger_on,
        "starts": offer.valid_from,
        "valid_until": offer.valid_until,
        "minutes": offer.minutes_after_issue,
        "units": capacity.units if capacity else None,
        "budget": capacity.budget_minor if capacity else None,
        "times": offer.per_customer,
        "times_days": offer.per_customer_per_days,
        "audience_share": None if share is None else _percent(share),
        "recent_days": offer.bought_within_days,
        "newcomers": offer.never_bought,
        "segment_words": offer.segments,
        "topic_words": offer.topics,
        "holdout_percent": _percent(offer.holdout_share),
        "rank": offer.priority,
    }


def offer_in(*, data: Mapping[str, Any], known: Offer | None) -> OfferIn:
    """Return the operation's value; what the form does not show keeps what the known row has."""
    share = data["audience_share"]
    terms = OfferTermsIn(
        title=_said(fr=data["title_fr"], en=data["title_en"]),
        body=_said(fr=data["body_fr"], en=data["body_en"]),
        image_url=data["image_url"],
        benefit_kind=data["kind"],
        benefit_value=int(data["value"] * HUNDRED),
        currency=known.currency if known else "EUR",
        target_gtins=tuple(data["gtins"]),
        target_brand=data["target_brand"],
        trigger_places=data["trigger_places"],
        trigger_on=data["trigger_on"],
        within_m=known.within_m if known else None,
        min_affinity_share=None if share is None else float(share / HUNDRED),
        bought_within_days=data["recent_days"],
        never_bought=data["newcomers"],
        segments=tuple(data["segment_words"]),
        topics=tuple(data["topic_words"]),
        answers_needs=known.answers_needs if known else False,
        valid_from=data["starts"],
        valid_until=data["valid_until"],
        minutes_after_issue=data["minutes"],
        per_customer=data["times"],
        per_customer_per_days=data["times_days"],
        deal=known.deal if known else None,
        objective=known.objective if known else "reward",
        unit_cost_minor=known.unit_cost_minor if known else None,
        holdout_share=float(data["holdout_percent"] / HUNDRED),
        priority=data["rank"],
    )
    category = data["target_category"]
    return OfferIn(
        ref=data["ref"],
        terms=terms,
        target_category=category.ref if category else None,
        stores=tuple(store.ref for store in data["chosen_stores"]),
        units=data["units"],
        budget_minor=data["budget"],
    )


def _said(**texts: str) -> dict[str, str]:
    return {language: text for language, text in texts.items() if text}


def _percent(share: float) -> Decimal:
    return (Decimal(str(share)) * HUNDRED).quantize(Decimal("0.01"))
