"""What French law has against an offer: tables of the limits, and what must hold of any offer."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings.rayon import DEFAULTS
from offers.legal_texts import finding_texts
from offers.rules.legal import (
    check,
    check_offer,
    day_in_france,
    deepest_menu_bp,
    facts_from_json,
    facts_json,
    forbidden_offers,
    lowest_price,
    shown_references,
)
from offers.rules.legal_values import Goods, LegalFacts, LegalRules, Priced, ReferencePrice, Rule

NOW = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)
RULES = LegalRules.of(DEFAULTS)
FOOD, HOUSEHOLD, OTHER = Goods.FOOD, Goods.HOUSEHOLD, Goods.OTHER


def rules_against(
    kind: str, value: int, *, price: int | None = 300, now: datetime = NOW, **changed: Any
) -> list[str]:
    rules = changed.pop("rules", RULES)
    found = check_offer(
        benefit_kind=kind, benefit_value=value, price_minor=price, rules=rules, now=now, **changed
    )
    return [finding.rule.value if finding.forbids else f"{finding.rule.value}?" for finding in found]


@pytest.mark.parametrize(
    ("kind", "value", "goods", "found"),
    [
        ("percent", 3400, FOOD, []),
        ("percent", 3401, FOOD, ["promotion_cap"]),
        ("percent", 4000, HOUSEHOLD, []),
        ("percent", 4001, HOUSEHOLD, ["promotion_cap"]),
        ("percent", 9000, OTHER, []),
        ("amount", 102, FOOD, []),  # 34 % of 300
        ("amount", 103, FOOD, ["promotion_cap"]),
        ("amount", 120, HOUSEHOLD, []),
        ("amount", 999, FOOD, ["promotion_cap"]),
        ("price", 198, FOOD, []),
        ("price", 197, FOOD, ["promotion_cap"]),
        ("price", 0, OTHER, []),
        ("price", 400, FOOD, []),  # above the price: no reduction at all
    ],
)
def test_the_cap_on_promotions(kind: str, value: int, goods: Goods, found: list[str]) -> None:
    assert rules_against(kind, value, goods=goods) == found


@pytest.mark.parametrize(
    ("day", "found"),
    [
        ("2018-12-31T22:59:59Z", []),  # in France still 2018
        ("2018-12-31T23:00:00Z", ["promotion_cap"]),
        ("2028-04-15T21:59:59Z", ["promotion_cap"]),  # the last day, to its end in France
        ("2028-04-15T22:00:00Z", []),
    ],
)
def test_the_cap_holds_on_the_days_of_its_law(day: str, found: list[str]) -> None:
    assert rules_against("percent", 5000, now=datetime.fromisoformat(day)) == found


def test_a_rule_can_be_prolonged_switched_off_and_set_to_another_share() -> None:
    late = datetime(2029, 1, 1, tzinfo=UTC)
    assert rules_against("percent", 5000, now=late) == []
    longer = replace(RULES, promotion_cap_until=date(2030, 4, 15))
    assert rules_against("percent", 5000, now=late, rules=longer) == ["promotion_cap"]
    assert rules_against("percent", 5000, rules=replace(RULES, promotion_cap_until=None)) == ["promotion_cap"]
    assert rules_against("percent", 5000, rules=replace(RULES, off=frozenset({"promotion_cap"}))) == []
    assert rules_against("percent", 5000, rules=replace(RULES, food_share=0.5)) == []


@pytest.mark.parametrize(
    ("perishable", "in_store_only", "found"),
    [
        (True, True, []),
        (True, False, ["promotion_cap", "lowest_price", "below_cost"]),
        (False, True, ["promotion_cap", "lowest_price", "below_cost"]),
        (False, False, ["promotion_cap", "lowest_price", "below_cost"]),
    ],
)
def test_only_perishable_goods_shown_in_the_store_alone_are_exempt(
    perishable: bool, in_store_only: bool, found: list[str]
) -> None:
    facts: dict[str, Any] = {"unit_cost_minor": 200, "reference_minor": 250}
    where = {"is_perishable": perishable, "is_in_store_only": in_store_only}
    assert rules_against("percent", 5000, **facts, **where) == found


def test_the_exemption_does_not_reach_words_and_sensitive_goods() -> None:
    found = rules_against(
        "percent",
        5000,
        is_perishable=True,
        is_in_store_only=True,
        texts={"fr": "Gratuit"},
        sensitive=["health"],
    )
    assert found == ["free_word", "sensitive_target"]


@pytest.mark.parametrize(
    ("kind", "value", "reference", "found"),
    [
        ("percent", 1000, 300, []),
        ("percent", 1000, 299, ["lowest_price"]),  # raised within the 30 days
        ("percent", 1000, 320, []),
        ("amount", 30, 299, ["lowest_price"]),
        ("price", 280, 290, []),  # below the lowest: a true reduction, whatever the price in between
        ("price", 280, 280, ["lowest_price"]),
        ("percent", 1000, None, []),
    ],
)
def test_a_reduction_starts_from_the_lowest_price(
    kind: str, value: int, reference: int | None, found: list[str]
) -> None:
    assert rules_against(kind, value, reference_minor=reference) == found


@pytest.mark.parametrize(
    ("kind", "value", "cost", "goods", "found"),
    [
        ("percent", 2000, 218, FOOD, []),  # 240 left, at least 239.8
        ("percent", 2000, 219, FOOD, ["below_cost"]),
        ("percent", 2000, 240, HOUSEHOLD, []),
        ("percent", 2000, 241, HOUSEHOLD, ["below_cost"]),
        ("amount", 60, 240, OTHER, []),
        ("amount", 61, 240, OTHER, ["below_cost"]),
        ("price", 239, 240, OTHER, ["below_cost"]),
        ("percent", 10_000, 0, OTHER, []),
    ],
)
def test_no_sale_below_cost(kind: str, value: int, cost: int, goods: Goods, found: list[str]) -> None:
    assert rules_against(kind, value, unit_cost_minor=cost, goods=goods) == found


def test_the_markup_on_food_ends_and_the_cost_remains() -> None:
    late = datetime(2028, 4, 16, tzinfo=UTC)
    assert rules_against("percent", 2000, unit_cost_minor=240, now=late) == []
    assert rules_against("percent", 2000, unit_cost_minor=241, now=late) == ["below_cost"]


def test_a_fixed_price_is_held_against_the_cost_also_where_no_price_is_known() -> None:
    assert rules_against("price", 100, price=None, unit_cost_minor=100) == ["promotion_cap?", "below_cost"]


def test_over_a_category_the_cost_is_a_mean_that_the_dearest_product_must_cover() -> None:
    facts = LegalFacts(
        benefit_kind="percent",
        benefit_value=1000,
        priced=(Priced(goods=FOOD, lowest_minor=40, highest_minor=300),),
        names_products=False,
        unit_cost_minor=240,
    )
    assert check(facts, rules=RULES, now=NOW) == ()
    [found] = check(replace(facts, unit_cost_minor=260), rules=RULES, now=NOW)
    assert (found.rule, found.numbers) == (
        Rule.BELOW_COST,
        {"left_minor": 270, "floor_minor": 286, "cost_minor": 260},
    )
    assert check(replace(facts, names_products=True), rules=RULES, now=NOW) != ()


@pytest.mark.parametrize(("refuses", "found"), [(False, ["promotion_cap?"]), (True, ["promotion_cap"])])
def test_an_amount_off_an_unknown_price_is_told_or_refused(refuses: bool, found: list[str]) -> None:
    rules = replace(RULES, refuses_unknown_prices=refuses)
    assert rules_against("amount", 50, price=None, rules=rules) == found
    assert rules_against("percent", 3400, price=None, rules=rules) == []
    assert rules_against("amount", 50, price=None, goods=OTHER, rules=rules) == []


def test_a_fixed_amount_weighs_most_on_the_cheapest_and_a_fixed_price_on_the_dearest() -> None:
    priced = (Priced(goods=FOOD, lowest_minor=100, highest_minor=400),)
    amount = LegalFacts(benefit_kind="amount", benefit_value=35, priced=priced)
    [found] = check(amount, rules=RULES, now=NOW)
    assert found.numbers == {"goods": "food", "share": 0.35, "max_share": 0.34, "price_minor": 100}
    price = LegalFacts(benefit_kind="price", benefit_value=200, priced=priced)
    [found] = check(price, rules=RULES, now=NOW)
    assert found.numbers == {"goods": "food", "share": 0.5, "max_share": 0.34, "price_minor": 400}


@pytest.mark.parametrize(
    ("kind", "value", "goods", "found"),
    [
        ("percent", 1000, FOOD, ["free_word"]),
        ("percent", 1000, OTHER, ["free_word"]),
        ("percent", 10_000, OTHER, []),  # it is free
        ("price", 0, OTHER, []),
        ("price", 0, FOOD, ["promotion_cap", "free_word"]),  # food is never called so
    ],
)
def test_the_word_free(kind: str, value: int, goods: Goods, found: list[str]) -> None:
    assert rules_against(kind, value, goods=goods, texts={"fr": "Gratuit !"}) == found


def test_each_sensitive_kind_is_a_finding() -> None:
    assert rules_against("percent", 1000, sensitive=["religion", "health"]) == ["sensitive_target"] * 2


@pytest.mark.parametrize(
    ("menu", "floor", "deepest"),
    [
        ([1000, 2000, 5000], 0, 5000),
        ([1000, 2000, 5000], 200, 5000),
        ([1000, 2000, 5000], 201, 2000),
        ([5000], 399, 0),
    ],
)
def test_a_deal_is_asked_with_the_deepest_step_that_its_floor_lets_it_take(
    menu: list[int], floor: int, deepest: int
) -> None:
    assert deepest_menu_bp(menu_bp=menu, regular_price_minor=400, floor_price_minor=floor) == deepest


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.mark.parametrize(
    ("history", "lowest"),
    [
        ([], None),
        ([(ago(100), 300)], 300),
        ([(ago(100), 300), (ago(10), 250), (ago(5), 320)], 250),
        ([(ago(100), 200), (ago(30), 300)], 300),  # ended as the 30 days began
        ([(ago(100), 200), (ago(29.99), 300)], 200),
        ([(ago(100), 300), (ago(10), None)], 300),
        ([(ago(3), 300), (ago(0), 100)], 300),  # today's price is the reduction's, not an older one
        ([(ago(0), 280)], 280),  # new goods: what they have cost since
    ],
)
def test_the_lowest_price_of_the_30_days_before(
    history: list[tuple[datetime, int | None]], lowest: int | None
) -> None:
    assert lowest_price(history, before=NOW, now=NOW) == lowest


def test_successive_reductions_show_the_price_before_the_first() -> None:
    history = [(ago(100), 300), (ago(10), 280)]
    assert lowest_price(history, before=ago(20), now=NOW) == 300


prices = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=100), st.one_of(st.none(), st.integers(min_value=1, max_value=999))
    ),
    max_size=8,
    unique_by=lambda one: one[0],
).map(lambda ones: [(ago(days), price) for days, price in sorted(ones, reverse=True)])


@given(prices)
def test_the_lowest_price_is_one_that_was_asked_in_those_days(
    history: list[tuple[datetime, int | None]],
) -> None:
    """Against a slow reading: the price at each half day of the window; prices change at whole days."""

    def price_at(at: datetime) -> int | None:
        return next((price for since, price in reversed(history) if since <= at), None)

    halves = [NOW - timedelta(days=30) + timedelta(hours=12 * half) for half in range(60)]
    seen = [price for price in map(price_at, halves) if price is not None]
    expected = min(seen, default=price_at(NOW))
    assert lowest_price(history, before=NOW, now=NOW) == expected


facts = st.builds(
    LegalFacts,
    benefit_kind=st.sampled_from(["percent", "amount", "price"]),
    benefit_value=st.integers(min_value=1, max_value=10_000),
    priced=st.lists(
        st.builds(
            lambda goods, low, more, unpriced: Priced(
                goods=goods,
                lowest_minor=low,
                highest_minor=None if low is None else low + more,
                unpriced=unpriced,
            ),
            st.sampled_from(Goods),
            st.one_of(st.none(), st.integers(min_value=1, max_value=5_000)),
            st.integers(min_value=0, max_value=5_000),
            st.integers(min_value=0, max_value=3),
        ),
        max_size=3,
    ).map(tuple),
    names_products=st.booleans(),
    references=st.lists(
        st.builds(
            ReferencePrice,
            gtin=st.just("3033490004521"),
            reference_minor=st.integers(min_value=1, max_value=5_000),
            price_minor=st.integers(min_value=1, max_value=5_000),
        ),
        max_size=2,
    ).map(tuple),
    is_exempt=st.booleans(),
    unit_cost_minor=st.one_of(st.none(), st.integers(min_value=0, max_value=5_000)),
    free_word=st.sampled_from(["", "gratuit"]),
    sensitive=st.sampled_from([(), ("health",), ("pharmacy", "religion")]),
)


@given(facts)
def test_the_facts_are_kept_without_loss(known: LegalFacts) -> None:
    assert facts_from_json(json.loads(json.dumps(facts_json(known)))) == known


@given(facts, st.integers(min_value=1, max_value=9_999))
def test_a_smaller_percentage_is_never_refused_where_a_larger_is_allowed(
    known: LegalFacts, value: int
) -> None:
    larger = replace(known, benefit_kind="percent", benefit_value=value + 1)
    smaller = replace(larger, benefit_value=value)
    against_larger = {one.rule for one in check(larger, rules=RULES, now=NOW) if one.forbids}
    against_smaller = {one.rule for one in check(smaller, rules=RULES, now=NOW) if one.forbids}
    assert against_smaller <= against_larger | {Rule.FREE_WORD}


@given(facts)
def test_the_exemption_only_ever_takes_findings_away(known: LegalFacts) -> None:
    exempt = set(map(str, check(replace(known, is_exempt=True), rules=RULES, now=NOW)))
    bound = set(map(str, check(replace(known, is_exempt=False), rules=RULES, now=NOW)))
    assert exempt <= bound


@given(facts)
def test_a_rule_that_is_off_finds_nothing_and_the_others_find_the_same(known: LegalFacts) -> None:
    whole = check(known, rules=RULES, now=NOW)
    for rule in Rule:
        rest = check(known, rules=replace(RULES, off=frozenset({rule.value})), now=NOW)
        assert rest == tuple(one for one in whole if one.rule is not rule)


@given(facts)
def test_every_finding_has_a_whole_sentence_in_both_languages(known: LegalFacts) -> None:
    for finding in check(known, rules=RULES, now=NOW):
        texts = finding_texts(finding, currency="EUR")
        assert set(texts) == {"fr", "en"}
        for text in texts.values():
            assert text.endswith(".")
            assert "None" not in text
            assert "{" not in text
            assert "  " not in text


@given(facts)
def test_the_first_forbidding_rule_stands_for_the_offer(known: LegalFacts) -> None:
    forbidding = [one.rule.value for one in check(known, rules=RULES, now=NOW) if one.forbids]
    found = forbidden_offers({7: facts_json(known)}, params=DEFAULTS, now=NOW)
    assert found == ({7: forbidding[0]} if forbidding else {})


def test_reference_prices_are_shown_unless_exempt_or_switched_off() -> None:
    one = ReferencePrice(gtin="3033490004521", reference_minor=300, price_minor=300)
    known = LegalFacts(benefit_kind="percent", benefit_value=1000, references=(one,))
    assert shown_references(known, rules=RULES, now=NOW) == (one,)
    assert shown_references(replace(known, is_exempt=True), rules=RULES, now=NOW) == ()
    off = replace(RULES, off=frozenset({"lowest_price"}))
    assert shown_references(known, rules=off, now=NOW) == ()
    assert shown_references(known, rules=RULES, now=datetime(2022, 5, 27, 21, tzinfo=UTC)) == ()


def test_the_texts_say_it_with_the_numbers() -> None:
    [found] = check_offer(benefit_kind="amount", benefit_value=150, price_minor=300, rules=RULES, now=NOW)
    assert finding_texts(found, currency="EUR") == {
        "fr": "Plafond des promotions : La remise atteint 50 % du prix (le moins favorable : 3,00 €) ; les denrées "
        "alimentaires admettent 34 % au plus. Seuls des produits périssables, menacés d’altération rapide et annoncés "
        "uniquement en magasin, y échappent.",
        "en": "Cap on promotions: The reduction reaches 50% of the price (at worst: €3.00); food may be reduced by 34%. "
        "Only perishable goods about to spoil, announced inside the store alone, are exempt.",
    }


def test_days_are_those_of_france() -> None:
    assert day_in_france(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == date(2027, 1, 1)
