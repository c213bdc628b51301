"""Whether French law lets an offer run; docs/algorithms/legal-guard.md.

The facts of an offer are kept beside it and change with the offer, the catalogue and its prices. They are judged
when the offer is published and at each decision, by the rules of that day.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from customers.rules.zones import local_time
from offers.rules.free_words import free_word
from offers.rules.legal_values import (
    Finding,
    Goods,
    LegalFacts,
    LegalRules,
    Priced,
    ReferencePrice,
    Rule,
)

WHOLE_BP = 10_000
REFERENCE_DAYS = 30
FRANCE = "Europe/Paris"  # whose days the laws' dates are

Price = tuple[datetime, int | None]  # since when, and what it was; None: not sold, or no price known


def check(facts: LegalFacts, *, rules: LegalRules, now: datetime) -> tuple[Finding, ...]:
    """Return all that stands against an offer at `now`, in the order of Rule."""
    on = day_in_france(now)
    checks = {
        Rule.PROMOTION_CAP: lambda: _promotion_cap(facts, rules=rules),
        Rule.LOWEST_PRICE: lambda: _lowest_price(facts),
        Rule.BELOW_COST: lambda: _below_cost(facts, rules=rules, on=on),
        Rule.FREE_WORD: lambda: _free_word(facts),
        Rule.SENSITIVE_TARGET: lambda: _sensitive_target(facts),
    }
    return tuple(finding for rule, found in checks.items() if rules.asks(rule, on=on) for finding in found())


def check_offer(
    *,
    benefit_kind: str,
    benefit_value: int,
    price_minor: int | None,
    rules: LegalRules,
    now: datetime,
    goods: Goods = Goods.FOOD,
    reference_minor: int | None = None,
    unit_cost_minor: int | None = None,
    is_perishable: bool = False,
    is_in_store_only: bool = False,
    texts: Mapping[str, str] | None = None,
    sensitive: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Return all that would stand against an offer on one product, from plain values: for previews.

    benefit: percent (basis points), amount or price (minor units). reference_minor: the lowest price of the 30 days
    before the reduction; None: not known. A deal is asked with the deepest step of its menu.

    >>> from datetime import UTC
    >>> deep = {"benefit_kind": "percent", "benefit_value": 5000, "price_minor": 400, "unit_cost_minor": 150}
    >>> day = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)
    >>> [str(one.rule) for one in check_offer(**deep, rules=LegalRules(), now=day)]
    ['promotion_cap']
    >>> check_offer(**deep, rules=LegalRules(), now=day, is_perishable=True, is_in_store_only=True)
    ()
    """
    unpriced = 1 if price_minor is None else 0
    known = [
        ReferencePrice(gtin="", reference_minor=reference_minor, price_minor=price_minor)
        for reference_minor in ([] if reference_minor is None else [reference_minor])
        if price_minor is not None
    ]
    facts = LegalFacts(
        benefit_kind=benefit_kind,
        benefit_value=benefit_value,
        priced=(Priced(goods=goods, lowest_minor=price_minor, highest_minor=price_minor, unpriced=unpriced),),
        references=tuple(known),
        is_exempt=is_perishable and is_in_store_only,
        unit_cost_minor=unit_cost_minor,
        free_word=free_word(texts or {}),
        sensitive=tuple(sorted(sensitive)),
    )
    return check(facts, rules=rules, now=now)


def forbidden_offers(
    kept: Mapping[int, Mapping[str, Any]], *, params: Mapping[str, Any], now: datetime
) -> dict[int, str]:
    """Return the first rule that forbids each offer at `now`, by its id; an offer that may run is absent.

    kept: the facts as facts_json keeps them, by offer id. params: settings.RAYON.
    """
    if not kept:
        return {}
    rules = LegalRules.of(params)
    found = {
        offer_id: [one for one in check(facts_from_json(facts), rules=rules, now=now) if one.forbids]
        for offer_id, facts in kept.items()
    }
    return {offer_id: ones[0].rule.value for offer_id, ones in found.items() if ones}


def day_in_france(at: datetime) -> date:
    return local_time(at=at, time_zone=FRANCE).date()


def lowest_price(history: Sequence[Price], *, before: datetime, now: datetime) -> int | None:
    """Return the lowest price in force at any time of the 30 days before `before`; None if none is known.

    history: oldest first; each price holds until the next. Where the product had no price in those days, the lowest
    of the 30 days up to `now` stands in: goods that came later have no older price to show.
    """
    found = _lowest(history, before=before)
    return found if found is not None else _lowest(history, before=now + timedelta.resolution)


def deepest_menu_bp(*, menu_bp: Collection[int], regular_price_minor: int, floor_price_minor: int) -> int:
    """Return the deepest discount of a deal's menu whose price does not fall below its floor; 0: none."""
    kept = (bp for bp in menu_bp if regular_price_minor * (WHOLE_BP - bp) >= floor_price_minor * WHOLE_BP)
    return max(kept, default=0)


def facts_json(facts: LegalFacts) -> dict[str, Any]:
    """Return the facts as they are kept; what has its default is left out."""
    empty = asdict(LegalFacts(benefit_kind="", benefit_value=0))
    return {name: value for name, value in asdict(facts).items() if value != empty[name]}


def facts_from_json(kept: Mapping[str, Any]) -> LegalFacts:
    values = dict(kept)
    priced = [Priced(**{**one, "goods": Goods(one["goods"])}) for one in values.pop("priced", ())]
    references = [ReferencePrice(**one) for one in values.pop("references", ())]
    sensitive = tuple(values.pop("sensitive", ()))
    needed = {"benefit_kind": "", "benefit_value": 0}
    return LegalFacts(
        priced=tuple(priced), references=tuple(references), sensitive=sensitive, **{**needed, **values}
    )


def shown_references(facts: LegalFacts, *, rules: LegalRules, now: datetime) -> tuple[ReferencePrice, ...]:
    """Return the reference prices that must stand beside the reduction."""
    if facts.is_exempt or not rules.asks(Rule.LOWEST_PRICE, on=day_in_france(now)):
        return ()
    return facts.references


def _lowest(history: Sequence[Price], *, before: datetime) -> int | None:
    start = before - timedelta(days=REFERENCE_DAYS)
    ends = [*(since for since, _ in history[1:]), before][: len(history)]
    in_force = [
        price
        for (since, price), end in zip(history, ends, strict=True)
        if price is not None and since < before and end > start
    ]
    return min(in_force, default=None)


def _reduced_to(price_minor: int, facts: LegalFacts) -> float:
    """Return what is left to pay of a price, in minor units, not rounded."""
    if facts.benefit_kind == "percent":
        return price_minor * (WHOLE_BP - facts.benefit_value) / WHOLE_BP
    if facts.benefit_kind == "amount":
        return max(0, price_minor - facts.benefit_value)
    return min(price_minor, facts.benefit_value)


def _deepest_share(priced: Priced, facts: LegalFacts) -> tuple[float, int | None] | None:
    """Return the largest share that is taken off, and the price it is taken off (percent: any); None: not known.

    A fixed amount weighs most on the cheapest product, a fixed price on the dearest.
    """
    if facts.benefit_kind == "percent":
        return facts.benefit_value / WHOLE_BP, None
    price = priced.lowest_minor if facts.benefit_kind == "amount" else priced.highest_minor
    if not price:
        return None
    return 1 - _reduced_to(price, facts) / price, price


def _promotion_cap(facts: LegalFacts, *, rules: LegalRules) -> Iterator[Finding]:
    if facts.is_exempt:
        return
    for priced in facts.priced:
        most = rules.promotion_share(priced.goods)
        if most is None:
            continue
        deepest = _deepest_share(priced, facts)
        if deepest is not None and deepest[0] > most + 1e-9:
            share, price = deepest
            numbers: dict[str, str | int | float] = {
                "goods": priced.goods.value,
                "share": round(share, 4),
                "max_share": most,
            }
            if price is not None:
                numbers["price_minor"] = price
            yield Finding(rule=Rule.PROMOTION_CAP, code="over_the_cap", numbers=numbers)
        elif facts.benefit_kind != "percent" and (deepest is None or priced.unpriced):
            numbers = {"products": priced.unpriced}
            yield Finding(
                rule=Rule.PROMOTION_CAP,
                code="price_unknown",
                forbids=rules.refuses_unknown_prices,
                numbers=numbers,
            )


def _lowest_price(facts: LegalFacts) -> Iterator[Finding]:
    """A reduction counts from the lowest price of the 30 days: never from one that was raised since."""
    if facts.is_exempt:
        return
    for one in facts.references:
        if facts.benefit_kind == "price":
            is_less = _reduced_to(one.price_minor, facts) < one.reference_minor
        else:
            is_less = one.price_minor <= one.reference_minor
        if not is_less:
            yield Finding(
                rule=Rule.LOWEST_PRICE,
                code="raised_before",
                numbers={
                    "gtin": one.gtin,
                    "price_minor": one.price_minor,
                    "reference_minor": one.reference_minor,
                },
            )


def _below_cost(facts: LegalFacts, *, rules: LegalRules, on: date) -> Iterator[Finding]:
    if facts.is_exempt or facts.unit_cost_minor is None:
        return
    for priced in facts.priced:
        floor = facts.unit_cost_minor * (1 + rules.markup_share(priced.goods, on=on))
        price = _price_to_cover_cost(priced, facts)
        if price is not None and _reduced_to(price, facts) < floor - 1e-9:
            yield Finding(
                rule=Rule.BELOW_COST,
                code="below_cost",
                numbers={
                    "left_minor": round(_reduced_to(price, facts)),
                    "floor_minor": round(floor),
                    "cost_minor": facts.unit_cost_minor,
                },
            )


def _price_to_cover_cost(priced: Priced, facts: LegalFacts) -> int | None:
    """Return the price that the cost is held against; None: not known.

    The cost is that of each product which the offer names. Over a category or a brand it is a mean of many costs, and
    is surely not covered only where the dearest product does not cover it. A fixed price needs no other.
    """
    known = priced.lowest_minor if facts.names_products else priced.highest_minor
    if known is None and facts.benefit_kind == "price":
        return facts.benefit_value
    return known


def _free_word(facts: LegalFacts) -> Iterator[Finding]:
    """Food is never called free; other goods only where they are."""
    has_food = not facts.priced or any(one.goods is Goods.FOOD for one in facts.priced)
    if facts.free_word and (has_food or not facts.is_free):
        yield Finding(rule=Rule.FREE_WORD, code="called_free", numbers={"word": facts.free_word})


def _sensitive_target(facts: LegalFacts) -> Iterator[Finding]:
    for kind in facts.sensitive:
        yield Finding(rule=Rule.SENSITIVE_TARGET, code=f"targets_{kind}")
