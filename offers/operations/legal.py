"""What the legal guard knows of each offer, kept beside it: so that a decision reads one row and judges it by the day.

docs/algorithms/legal-guard.md. Everything here is written under the targets' advisory lock, as the targets are.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from customers.rules.affinity import brand_key
from offers import locks
from offers.legal_texts import finding_texts
from offers.models import Offer, OfferLegal, OfferState, Sensitive
from offers.operations import legal_sql as sql
from offers.operations.outcomes import Wrong
from offers.rules.free_words import free_word
from offers.rules.legal import (
    REFERENCE_DAYS,
    Price,
    check,
    deepest_menu_bp,
    facts_from_json,
    facts_json,
    lowest_price,
)
from offers.rules.legal_values import (
    Finding,
    Goods,
    LegalFacts,
    LegalRules,
    Priced,
    ReferencePrice,
    Rule,
)

KINDS = tuple(Sensitive.values)
FIELDS: Mapping[Rule, str] = {
    Rule.PROMOTION_CAP: "benefit",
    Rule.LOWEST_PRICE: "benefit",
    Rule.BELOW_COST: "benefit",
    Rule.FREE_WORD: "title",
    Rule.SENSITIVE_TARGET: "target",
}


def house_rules() -> LegalRules:
    """Return the rules as settings.RAYON has them."""
    return LegalRules.of(settings.RAYON)


def legal_reasons(*, offer: Offer, now: datetime) -> tuple[Wrong, ...]:
    """Return what forbids the offer, as it is in memory and saved or not, at `now`, by facts read afresh.

    Nothing is locked, and nothing is kept: whoever makes the offer live calls refresh_legal as the last thing.
    """
    [facts] = _read({offer.pk or 0: offer}, now=now).values()
    return tuple(
        Wrong(
            field="deal" if offer.deal and FIELDS[finding.rule] == "benefit" else FIELDS[finding.rule],
            code="legal_guard",
            message=" / ".join(texts.values()),
            rule=finding.rule.value,
            messages=texts,
        )
        for finding in check(facts, rules=house_rules(), now=now)
        if finding.forbids
        for texts in [finding_texts(finding, currency=offer.currency)]
    )


def findings_of(offer: Offer, *, now: datetime) -> tuple[Finding, ...]:
    """Return what the guard finds at `now` by the facts that are kept; none for an offer never looked at."""
    kept = OfferLegal.objects.filter(offer=offer).values_list("facts", flat=True).first()
    return () if kept is None else check(facts_from_json(kept), rules=house_rules(), now=now)


def refresh_legal(offer_ids: Collection[int] | None = None, *, now: datetime) -> dict[int, LegalFacts]:
    """Bring the legal facts of these offers (None: all that have not ended) up to date; return them by offer id.

    To be called after an offer, a product, its price or a category changed; seven statements, whatever their number.
    Effects: takes the targets' advisory lock until the transaction ends.
    """
    with transaction.atomic():
        locks.lock_targets()
        offers = Offer.objects.filter(removed_at__isnull=True).exclude(state=OfferState.ENDED)
        if offer_ids is not None:
            offers = Offer.objects.filter(id__in=list(offer_ids))
        facts = _read({offer.pk: offer for offer in offers.order_by("id")}, now=now)
        kept = [json.dumps(facts_json(one)) for one in facts.values()]
        with connection.cursor() as cursor:
            cursor.execute(sql.KEEP, [list(facts), kept])
    return facts


def _read(offers: Mapping[int, Offer], *, now: datetime) -> dict[int, LegalFacts]:
    """Return what the guard looks at of these offers' rows as they are in memory, by id; up to four statements."""
    goods = _goods(offers)
    references = _references(offers, now=now)
    return {
        offer_id: _facts(offer, goods[offer_id], references.get(offer_id, ()))
        for offer_id, offer in offers.items()
    }


def record_prices(gtins: Sequence[str], *, now: datetime) -> None:
    """Write what these products cost from now on, where that changed. Must run after they were written, in their
    transaction: it is their rows' locks that keep two writers apart."""
    with connection.cursor() as cursor:
        cursor.execute(sql.RECORD_PRICES, {"gtins": sorted(set(gtins)), "now": now})


def _goods(offers: Mapping[int, Offer]) -> dict[int, list[dict[str, Any]]]:
    """Return the rows of GOODS by offer."""
    keys = {offer_id: key for offer_id, offer in offers.items() if (key := brand_key(offer.target_brand))}
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    targets = [
        {
            "id": offer_id,
            "currency": offer.currency,
            "target_gtins": offer.target_gtins,
            "target_category_id": offer.target_category_id,
        }
        for offer_id, offer in offers.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            sql.GOODS,
            {"offers": json.dumps(targets), "brand_offers": list(keys), "brand_keys": list(keys.values())},
        )
        columns = [column.name for column in cursor.description or ()]
        for row in cursor.fetchall():
            values = dict(zip(columns, row, strict=True))
            found[values["offer_id"]].append(values)
    return found


def _references(offers: Mapping[int, Offer], *, now: datetime) -> dict[int, tuple[ReferencePrice, ...]]:
    """Return the reference prices of the products that each offer names; those without a known price have none."""
    named = [offer for offer in offers.values() if offer.target_gtins]
    gtins = sorted({gtin for offer in named for gtin in offer.target_gtins})
    if not gtins:
        return {}
    since = min(_reduced_from(offer, now=now) for offer in named) - timedelta(days=REFERENCE_DAYS)
    past: defaultdict[tuple[str, str], list[Price]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(sql.PRICES_NOW, [gtins])
        prices = {gtin: (price, currency) for gtin, price, currency in cursor.fetchall()}
        cursor.execute(sql.PRICES, {"gtins": gtins, "since": since})
        currencies = {offer.currency for offer in named}
        for gtin, at, price, currency in cursor.fetchall():
            for wanted in currencies:
                past[gtin, wanted].append((at, price if currency == wanted else None))
    found = {}
    for offer_id, offer in offers.items():
        ones = []
        for gtin in offer.target_gtins:
            price, currency = prices.get(gtin, (None, ""))
            if offer.deal is not None:
                price, currency = offer.deal["regular_price_minor"], offer.currency
            history = past[gtin, offer.currency]
            reference = lowest_price(history, before=_reduced_from(offer, now=now), now=now)
            if price is not None and currency == offer.currency and reference is not None:
                ones.append(ReferencePrice(gtin=gtin, reference_minor=reference, price_minor=price))
        found[offer_id] = tuple(ones)
    return found


def _reduced_from(offer: Offer, *, now: datetime) -> datetime:
    """Return when the reduction begins. It stays the same through later revisions: a deeper one shows the first price."""
    return max(offer.valid_from, offer.published_at or now)


def _facts(
    offer: Offer, goods: Sequence[Mapping[str, Any]], references: tuple[ReferencePrice, ...]
) -> LegalFacts:
    deal = offer.deal
    kind, value, cost = offer.benefit_kind, offer.benefit_value, offer.unit_cost_minor
    if deal is not None:
        kind, cost = "percent", deal["unit_cost_minor"]
        value = deepest_menu_bp(
            menu_bp=deal["menu_bp"],
            regular_price_minor=deal["regular_price_minor"],
            floor_price_minor=deal["floor_price_minor"],
        )
    texts = {
        language: f"{offer.title.get(language, '')} {offer.body.get(language, '')}"
        for language in {*offer.title, *offer.body}
    }
    return LegalFacts(
        benefit_kind=kind,
        benefit_value=value,
        priced=_priced(goods, deal=deal),
        names_products=bool(offer.target_gtins) or deal is not None,
        references=references,
        is_exempt=deal is not None and deal["perishable"] and deal["in_store_only"],
        unit_cost_minor=cost,
        free_word=free_word(texts),
        sensitive=_sensitive(offer, goods),
    )


def _priced(goods: Sequence[Mapping[str, Any]], *, deal: Mapping[str, Any] | None) -> tuple[Priced, ...]:
    """Return the offer's goods by kind; what no category tells is food, the strictest."""
    if deal is not None:
        price = deal["regular_price_minor"]
        kinds = sorted({row["goods"] for row in goods}) or [Goods.FOOD]
        return tuple(Priced(goods=Goods(kind), lowest_minor=price, highest_minor=price) for kind in kinds)
    if not goods:
        return (Priced(goods=Goods.FOOD),)
    return tuple(
        Priced(
            goods=Goods(row["goods"]),
            lowest_minor=row["lowest"],
            highest_minor=row["highest"],
            unpriced=row["unpriced"],
        )
        for row in goods
    )


def _sensitive(offer: Offer, goods: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the kinds of sensitive goods that the offer targets.

    Named products: any of them. A category: itself, what it stands in, or anything below it. A brand: where half of its
    known products or more are of that kind, since that is what having bought the brand tells of somebody.
    """
    products = sum(row["products"] for row in goods)
    found = []
    for kind in KINDS:
        flagged = sum(row[f"{kind}_products"] for row in goods)
        is_so = flagged > 0
        if offer.target_category_id is not None:
            is_so = any(row[f"{kind}_any"] for row in goods)
        elif offer.target_brand:
            is_so = 0 < products <= 2 * flagged
        if is_so:
            found.append(kind)
    return tuple(found)
