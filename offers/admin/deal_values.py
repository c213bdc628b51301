"""Between a last-minute deal's row, the fields of its form, and the value that the operation takes."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from offers.admin.offer_values import HUNDRED
from offers.models import Offer, Product
from offers.operations.promotions import OfferIn, OfferTermsIn
from offers.operations.yields.facts import instant
from offers.operations.yields.judging import said_at

KEYS = 4  # random digits that keep two deals of one minute apart


def initial_of_deal(offer: Offer) -> dict[str, Any]:
    """Return the form's fields for a deal's row."""
    deal = offer.deal or {}
    share = offer.min_affinity_share
    return {
        "title_fr": offer.title.get("fr", ""),
        "title_en": offer.title.get("en", ""),
        "body_fr": offer.body.get("fr", ""),
        "body_en": offer.body.get("en", ""),
        "target_brand": offer.target_brand,
        "gtins": offer.target_gtins,
        "units": deal["units"],
        "deadline": instant(deal["deadline"]),
        "regular_price": deal["regular_price_minor"],
        "floor_price": deal["floor_price_minor"],
        "perishable": deal["perishable"],
        "unit_cost": deal["unit_cost_minor"],
        "unsold_value": deal["unsold_value_minor"],
        "per_hour": Decimal(str(round(deal["expected_units_per_hour"], 2))),
        "elasticity": Decimal(str(deal["elasticity"])).normalize(),
        "menu": ", ".join(f"{bp / 100:g}" for bp in deal["menu_bp"]),
        "trigger_places": offer.trigger_places,
        "trigger_on": offer.trigger_on,
        "minutes": offer.minutes_after_issue,
        "audience_share": None if share is None else Decimal(str(share)) * HUNDRED,
        "holdout_percent": Decimal(str(offer.holdout_share)) * HUNDRED,
    }


def deal_json(data: Mapping[str, Any], *, known: Offer | None) -> dict[str, Any]:
    """Return Offer.deal of a validated form; what the form does not show keeps what the known row has."""
    before = (known.deal if known else None) or {}
    rate = float(data["per_hour"])
    if known is not None and before and round(before["expected_units_per_hour"], 2) == rate:
        rate = before["expected_units_per_hour"]  # typed again as it was shown, rounded
    return {
        "units": data["units"],
        "deadline": said_at(data["deadline"]),
        "regular_price_minor": data["regular_price"],
        "floor_price_minor": data["floor_price"] or 0,
        "unit_cost_minor": data["unit_cost"] or 0,
        "unsold_value_minor": data["unsold_value"] or 0,
        "expected_units_per_hour": rate,
        "elasticity": float(data["elasticity"]),
        "menu_bp": data["menu"],
        "perishable": data["perishable"],
        "in_store_only": before.get("in_store_only", True),
    }


def deal_offer_in(*, data: Mapping[str, Any], known: Offer | None, now: datetime) -> OfferIn:
    """Return the operation's value of a validated form."""
    deal = deal_json(data, known=known)
    share = data["audience_share"]
    said = _texts(data)
    category = data["target_category"]
    terms = OfferTermsIn(
        title=said["title"],
        body=said["body"],
        image_url=known.image_url if known else "",
        benefit_kind="percent",
        benefit_value=deal["menu_bp"][-1],
        currency=known.currency if known else "EUR",
        target_gtins=tuple(data["gtins"]),
        target_brand=data["target_brand"],
        trigger_places=data["trigger_places"],
        trigger_on=data["trigger_on"],
        within_m=known.within_m if known else None,
        min_affinity_share=None if share is None else float(share / HUNDRED),
        bought_within_days=known.bought_within_days if known else None,
        never_bought=known.never_bought if known else False,
        segments=tuple(known.segments) if known else (),
        topics=tuple(known.topics) if known else (),
        answers_needs=known.answers_needs if known else False,
        valid_from=known.valid_from if known else now,
        valid_until=data["deadline"],
        minutes_after_issue=data["minutes"],
        per_customer=known.per_customer if known else 1,
        per_customer_per_days=known.per_customer_per_days if known else None,
        deal=deal,
        objective="margin",
        unit_cost_minor=known.unit_cost_minor if known else None,
        holdout_share=float(data["holdout_percent"] / HUNDRED),
        priority=known.priority if known else 0,
    )
    return OfferIn(
        ref=known.ref if known else _key(data["deadline"]),
        terms=terms,
        target_category=category.ref if category else None,
        stores=tuple(store.ref for store in data["chosen_stores"]),
        units=deal["units"],
        budget_minor=known.capacity.budget_minor if known else None,
    )


def _key(deadline: datetime) -> str:
    return f"last-minute-{timezone.localtime(deadline):%Y%m%d-%H%M}-{secrets.token_hex(KEYS // 2)}"


def _texts(data: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return title and body by language; where none was written, plain ones in both."""
    hour = f"{timezone.localtime(data['deadline']):%H:%M}"
    written = {
        part: {lang: data[f"{part}_{lang}"] for lang in ("fr", "en") if data[f"{part}_{lang}"]}
        for part in ("title", "body")
    }
    name = _name(data)
    plain = {
        "title": {
            "fr": f"Dernière minute : {name}" if name else "Dernière minute",
            "en": f"Last minute: {name}" if name else "Last minute",
        },
        "body": {
            "fr": f"Prix réduit jusqu’à {hour}, tant qu’il en reste.",
            "en": f"Reduced until {hour}, while there are some left.",
        },
    }
    return {part: written[part] or {lang: text[:120] for lang, text in plain[part].items()} for part in plain}


def _name(data: Mapping[str, Any]) -> str:
    if data["target_brand"]:
        return str(data["target_brand"])
    if data["target_category"]:
        return str(data["target_category"].name)
    if len(data["gtins"]) != 1:
        return ""
    return Product.objects.filter(gtin=data["gtins"][0]).values_list("name", flat=True).first() or ""
