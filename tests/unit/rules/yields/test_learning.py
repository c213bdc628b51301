"""What sales teach: between the guess and what was seen, more with more sales, and never a price below the floor."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.rules.yields.deal import Deal
from offers.rules.yields.learning import (
    ENOUGH_DEALS,
    PRIOR_HOURS,
    Rate,
    Seen,
    exposure_h,
    learned_rate,
    learned_sentence,
    pooled_elasticity,
    shared_elasticity,
)
from offers.rules.yields.plan import plan_deals

TALLIES = st.lists(
    st.builds(
        Seen,
        depth_bp=st.sampled_from([0, 1000, 3000, 5000]),
        hours=st.floats(0.05, 20),
        sold=st.floats(-3, 200),
    ),
    max_size=5,
)
USUAL = st.floats(0, 50)
SENSITIVE = st.floats(0, 6)


def test_a_rate_moves_from_the_guess_to_what_is_sold() -> None:
    guess = Rate.expected(per_hour=2, hours=4)
    seen = guess.after(sales=30, hours=10)
    assert (guess.mean, seen) == (2.0, Rate(sales=38.0, hours=14.0))
    low, high = seen.band()
    assert low < seen.mean < high
    assert high - low < guess.band()[1] - guess.band()[0]


@pytest.mark.parametrize(
    ("told", "redeemed", "rate"),
    [
        ([], 0, 2.0),  # no till told of anything: the marketer's figure stands
        ([Seen(depth_bp=0, hours=4, sold=0)], 0, 1.0),  # as long watched as guessed
        ([Seen(depth_bp=0, hours=4, sold=8)], 0, 2.0),
        ([Seen(depth_bp=0, hours=4, sold=24)], 0, 4.0),
        ([Seen(depth_bp=4000, hours=4, sold=8)], 0, 16 / (4 + 4 * math.e)),  # 2.5 · 0.4 = 1
        ([Seen(depth_bp=0, hours=4, sold=-2)], 0, 1.0),  # more came back than went
        ([], 16, 3.0),  # that many coupons were used in four hours: at least so much was sold
        ([], 3, 2.0),  # few were, but others may have paid the normal price
        ([Seen(depth_bp=0, hours=4, sold=0)], 16, 3.0),
    ],
)
def test_the_rate_that_a_deal_is_reckoned_with(told: list[Seen], redeemed: int, rate: float) -> None:
    shown = [Seen(depth_bp=0, hours=4, sold=0)]
    found = learned_rate(usual_per_hour=2, told=told, shown=shown, redeemed=redeemed, elasticity=2.5)
    assert found == pytest.approx(rate, rel=1e-12)


@given(usual=USUAL, told=TALLIES, elasticity=SENSITIVE, redeemed=st.integers(0, 50))
def test_what_is_learned_lies_between_the_guess_and_what_was_seen(
    usual: float, told: list[Seen], elasticity: float, redeemed: int
) -> None:
    found = learned_rate(
        usual_per_hour=usual, told=told, shown=told, redeemed=redeemed, elasticity=elasticity
    )
    hours = exposure_h(told, elasticity=elasticity)
    seen = [max(0.0, sum(one.sold for one in told)) / hours, redeemed / hours] if hours else []
    assert min([usual, *seen]) - 1e-9 <= found <= max([usual, *seen]) * (1 + 1e-9)
    if not told and not redeemed:
        assert found == pytest.approx(usual)


@given(usual=USUAL, told=TALLIES.filter(bool), elasticity=SENSITIVE, more=st.floats(0, 50))
def test_more_sales_never_teach_a_slower_rate(
    usual: float, told: list[Seen], elasticity: float, more: float
) -> None:
    def rate(seen: list[Seen]) -> float:
        return learned_rate(usual_per_hour=usual, told=seen, shown=seen, redeemed=0, elasticity=elasticity)

    assert rate([replace(told[0], sold=told[0].sold + more), *told[1:]]) >= rate(told)
    assert rate([replace(told[0], hours=told[0].hours + more), *told[1:]]) <= rate(told)


@given(
    told=TALLIES,
    past=st.lists(TALLIES, max_size=8),
    usual=USUAL,
    elasticity=SENSITIVE,
    floor=st.integers(0, 400),
    units=st.integers(1, 30),
)
def test_whatever_was_learned_no_price_is_below_the_floor(
    told: list[Seen], past: list[list[Seen]], usual: float, elasticity: float, floor: int, units: int
) -> None:
    shared = shared_elasticity(elasticity, past=past)
    rate = learned_rate(usual_per_hour=usual, told=told, shown=told, redeemed=0, elasticity=shared)
    assert 0 <= rate < math.inf
    assert 0 <= shared < math.inf
    deal = Deal(
        units=units,
        hours_left=1,
        regular_price_minor=400,
        floor_price_minor=floor,
        expected_units_per_hour=rate,
        elasticity=shared,
        menu_bp=(1000, 2000, 5000, 9000),
    )
    [plan] = plan_deals([deal])
    assert all(deal.price_minor(step.depth_bp) >= floor for step in plan.ladder)
    assert deal.price_minor(plan.depth_bp) >= floor


def spread(elasticity: float, *, rate: float, depths: tuple[int, ...] = (1000, 3000, 5000)) -> list[Seen]:
    """Return the sales of a deal that sold exactly as the elasticity says, two hours at each depth."""
    return [
        Seen(depth_bp=depth, hours=2, sold=2 * rate * math.exp(elasticity * depth / 10_000))
        for depth in depths
    ]


def test_deals_of_a_category_share_what_their_prices_teach_whatever_each_sells() -> None:
    assert pooled_elasticity([]) == (2.0, 1.0)
    assert pooled_elasticity([[Seen(depth_bp=5000, hours=2, sold=90)]]) == (
        2.0,
        1.0,
    )  # one price tells nothing
    deals = [spread(3.0, rate=rate) for rate in (20, 55, 100, 260)] * 5
    found, deviation = pooled_elasticity(deals)
    assert found == pytest.approx(3.0, abs=0.01)
    few, less_sure = pooled_elasticity(deals[:1])
    assert 2.0 < few < found
    assert deviation < less_sure < 1.0
    assert pooled_elasticity([spread(-6.0, rate=400)])[0] == 0.0


def test_a_category_speaks_once_it_has_enough_deals_and_sales() -> None:
    few = [spread(3.5, rate=30)] * (ENOUGH_DEALS - 1)
    one_price = [[Seen(depth_bp=5000, hours=2, sold=90)]]
    assert shared_elasticity(1.5, past=few + one_price * 9) == 1.5
    assert shared_elasticity(1.5, past=[spread(3.5, rate=0.1)] * ENOUGH_DEALS) == 1.5
    assert 1.5 < shared_elasticity(1.5, past=[*few, spread(3.5, rate=30)]) < 3.5


@given(usual=SENSITIVE, true=SENSITIVE, rate=st.floats(1, 200))
def test_a_shared_elasticity_lies_between_the_guess_and_what_deals_showed(
    usual: float, true: float, rate: float
) -> None:
    found = shared_elasticity(usual, past=[spread(true, rate=rate)] * 6)
    assert min(usual, true) - 1e-6 <= found <= max(usual, true) + 1e-6


@pytest.mark.parametrize(
    ("usual", "now", "fr", "en"),
    [
        (
            2.0,
            1.2,
            "Se vend moins vite que d’habitude : 1,2 au lieu de 2 par heure au prix normal.",
            "Sells slower than usual: 1.2 instead of 2 an hour at the normal price.",
        ),
        (
            0.0,
            150.4,
            "Se vend plus vite que d’habitude : 150 au lieu de 0 par heure au prix normal.",
            "Sells faster than usual: 150 instead of 0 an hour at the normal price.",
        ),
    ],
)
def test_a_figure_that_moved_is_told_in_words(usual: float, now: float, fr: str, en: str) -> None:
    assert learned_sentence(usual_per_hour=usual, per_hour=now) == {"fr": fr, "en": en}


@pytest.mark.parametrize(("usual", "now"), [(2.0, 2.0), (2.0, 2.2), (2.0, 1.8), (0.0, 0.0)])
def test_a_figure_that_hardly_moved_is_not_worth_a_sentence(usual: float, now: float) -> None:
    assert learned_sentence(usual_per_hour=usual, per_hour=now) is None


def test_the_guess_weighs_as_much_as_its_hours() -> None:
    seen = [Seen(depth_bp=0, hours=PRIOR_HOURS, sold=0)]
    assert learned_rate(usual_per_hour=3, told=seen, shown=seen, redeemed=0, elasticity=1) == 1.5
