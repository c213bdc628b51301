"""The menu's programme against the closed form, the published switch points and what must always hold."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offers.rules.yields.deal import Deal
from offers.rules.yields.gallego import Curve, optimum
from offers.rules.yields.menu import Batch, Tables, solve, walk
from offers.rules.yields.plan import HOLD_MINUTES, plan_deals

CHEESE = Deal(
    units=12,
    hours_left=4.0,
    regular_price_minor=400,
    expected_units_per_hour=2.0,
    elasticity=2.5,
    menu_bp=(1000, 2000, 3000, 4000, 5000),
)


def three_prices(*, hold_h: float, hours: float = 4.0, stock: int = 12) -> Tables:
    """Solve the published example: 4.00, 2.80 and 2.00 sell 2, 4 and 6 an hour; leftovers are worth nothing."""
    return solve(
        Batch(
            prices=np.array([[4.0, 2.8, 2.0]]),
            rates=np.array([[2.0, 4.0, 6.0]]),
            unsold=np.zeros(1),
            holds=np.array([round(hours / hold_h)]),
            hold_h=hold_h,
            firsts=np.zeros(1, dtype=int),
            first_h=np.zeros(1),
            stock=np.array([stock]),
            shelves=np.array([stock]),
        )
    )


# --- the closed form ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("potential", "units", "worth", "price", "bound", "fixed", "share"),
    [
        (10, 1, 1.5430, 2.5430, 2.3026, 2.045, 0.9619),
        (10, 2, 2.4376, 1.8946, 3.2189, 1.685, 0.9654),
        (10, 5, 3.4962, 1.1866, 3.6788, 1.183, 0.9870),
        (10, 10, 3.6773, 1.0032, 3.6788, 1.004, 0.9998),
        (40, 1, 2.7546, 3.7546, 3.6889, 3.036, 0.9407),
        (40, 5, 9.0310, 2.1644, 10.3972, 2.029, 0.9505),
        (40, 10, 12.6976, 1.5129, 13.8629, 1.510, 0.9667),
        (40, 20, 14.6409, 1.0417, 14.7152, 1.065, 0.9959),
    ],
)
def test_prices_that_may_move_at_any_moment(
    potential: float, units: int, worth: float, price: float, bound: float, fixed: float, share: float
) -> None:
    found = optimum(Curve(per_hour=potential, alpha=1), units=units, hours=1)
    assert (round(found.worth, 4), round(found.price, 4), round(found.bound, 4)) == (worth, price, bound)
    assert (round(found.fixed_price, 3), round(found.fixed_worth / found.worth, 4)) == (fixed, share)
    least = 1 - 1 / (2 * math.sqrt(min(units, potential / math.e)))
    assert found.bound >= found.worth >= found.fixed_worth >= max(least, 0.6321) * found.worth


@pytest.mark.parametrize(
    ("units", "hours", "unsold", "price", "worth", "bid"),
    [
        (12, 4, 0.0, 3.4125, 37.3678, 1.8125),
        (12, 2, 0.0, 2.4153, 24.9064, 0.8153),
        (12, 1, 0.0, 1.7366, 14.1340, 0.1366),
        (4, 1, 0.0, 3.1168, 9.7356, 1.5168),
        (4, 4, 0.0, 5.1568, 18.0069, 3.5568),  # above the normal price: no deal
        (20, 4, 0.0, 2.6178, 48.0109, 1.0178),
        (12, 4, 0.5, 3.4462, 37.6482, 1.8462),
        (12, 2, 0.5, 2.5429, 25.7088, 0.9429),
        (12, 1, 0.5, 2.1308, 16.4648, 0.5308),
    ],
)
def test_the_closed_form_in_a_marketers_numbers(
    units: int, hours: float, unsold: float, price: float, worth: float, bid: float
) -> None:
    curve = Curve.around(price=4, per_hour=2, elasticity=2.5, unsold=unsold)
    found = optimum(curve, units=units, hours=hours)
    assert (round(found.price, 4), round(found.worth, 4), round(found.bid, 4)) == (price, worth, bid)


def fine_menu(units: int, *, low: float, high: float) -> float:
    """Return what 201 prices between two, each held for half a minute, earn in four hours."""
    prices = np.linspace(high, low, 201)[None]
    batch = Batch(
        prices=prices,
        rates=2.0 * np.exp(-2.5 * (prices / 4.0 - 1.0)),
        unsold=np.zeros(1),
        holds=np.array([480]),
        hold_h=1 / 120,
        firsts=np.zeros(1, dtype=int),
        first_h=np.zeros(1),
        stock=np.array([units]),
        shelves=np.array([units]),
    )
    return float(solve(batch).worth[0, units])


def test_the_programme_comes_to_the_closed_form_as_the_menu_gets_finer() -> None:
    assert fine_menu(12, low=0.2, high=9.0) == pytest.approx(37.3678, abs=0.02)
    assert fine_menu(12, low=2, high=4) == pytest.approx(37.272, abs=0.02)
    assert fine_menu(4, low=2, high=4) == pytest.approx(15.807, abs=0.01)


@pytest.mark.parametrize(("price", "worth"), [(4, 31.48), (3, 34.65), (2.5, 29.92), (2, 24.00)])
def test_one_price_throughout(price: float, worth: float) -> None:
    [plan] = plan_deals([replace(CHEESE, regular_price_minor=400, menu_bp=())])
    assert plan.expected_margin_minor == pytest.approx(3148, abs=0.5)
    assert plan.margin_doing_nothing_minor == pytest.approx(plan.expected_margin_minor, rel=1e-12)
    rate = 2 * math.exp(-2.5 * (price / 4 - 1))
    fixed = replace(CHEESE, regular_price_minor=round(100 * price), expected_units_per_hour=rate, menu_bp=())
    assert plan_deals([fixed])[0].expected_margin_minor == pytest.approx(100 * worth, abs=0.6)


# --- the menu ----------------------------------------------------------------------------------------------


def test_three_prices_earn_what_was_published() -> None:
    worth = three_prices(hold_h=1 / 600).worth[0, 1:]
    published = [3.999, 7.988, 11.940, 15.794, 19.461, 22.837, 25.845, 28.455, 30.698, 32.645, 34.386, 36.005]
    assert worth.tolist() == pytest.approx(published, abs=0.01)
    assert (
        worth[-1] < 2 * 2 * 4.00 + 2 * 4 * 2.80 == pytest.approx(38.4)
    )  # the plan of a demand without chance


@pytest.mark.parametrize(("stock", "first", "second"), [(4, 1.20, 0.46), (8, 2.55, 1.15), (12, 3.92, 1.89)])
def test_prices_fall_at_the_published_hours_to_go(stock: int, first: float, second: float) -> None:
    tables = three_prices(hold_h=1 / 600)
    levels = np.array([stage.choice[0, stock] for stage in tables.stages])  # from four hours to go, to none
    assert np.all(np.diff(levels) >= 0)
    hours_to_go = 4.0 - np.searchsorted(levels, [1, 2]) / 600
    assert hours_to_go.tolist() == pytest.approx([first, second], abs=0.006)


def test_the_menu_earns_a_tenth_more_than_its_best_price_alone() -> None:
    alone = [optimum_of_one(price, rate) for price, rate in ((4.0, 2.0), (2.8, 4.0), (2.0, 6.0))]
    assert round(max(alone), 2) == 32.80
    assert three_prices(hold_h=1 / 600).worth[0, 12] / max(alone) - 1 == pytest.approx(0.098, abs=0.0005)
    held = earned(three_prices(hold_h=HOLD_MINUTES / 60)) / max(alone) - 1
    assert round(held, 4) == 0.0916  # what is left of it when each price is held for a quarter of an hour


def optimum_of_one(price: float, rate: float) -> float:
    batch = Batch(
        prices=np.array([[price]]),
        rates=np.array([[rate]]),
        unsold=np.zeros(1),
        holds=np.array([1]),
        hold_h=4.0,
        firsts=np.zeros(1, dtype=int),
        first_h=np.zeros(1),
        stock=np.array([12]),
        shelves=np.array([12]),
    )
    return earned(solve(batch))


def earned(tables: Tables) -> float:
    """Return what twelve units bring under the prices that the programme chose, each held."""
    return float(walk(tables, units=np.array([12]), shares=()).earned[0])


def test_the_recursion_as_it_is_written_comes_to_the_same_in_steps_of_a_second() -> None:
    prices, rates, step = (4.0, 2.8, 2.0), (2.0, 4.0, 6.0), 1 / 3600
    worth = np.zeros(13)
    for _ in range(4 * 3600):
        gains = [step * rate * (price - np.diff(worth)) for price, rate in zip(prices, rates, strict=True)]
        worth[1:] += np.maximum(np.max(gains, axis=0), 0.0)
    assert three_prices(hold_h=0.25).worth[0].tolist() == pytest.approx(worth.tolist(), abs=0.01)


def test_a_plan_in_full() -> None:
    [plan] = plan_deals([replace(CHEESE, hours_left=2.0, unit_cost_minor=100)])
    assert plan.depth_bp == 4000  # the closed form says 39.6 %
    assert plan.held_h == 0.25
    assert [(step.in_h, step.depth_bp) for step in plan.ladder] == [(0.0, 4000)]
    assert plan.bid_price_minor(12) == pytest.approx(80.6, abs=0.1)
    assert plan.bid_price_minor(0) == math.inf
    assert plan.expected_sold + plan.expected_left == pytest.approx(12)
    assert plan.left_band == (0, 4)
    assert plan.expected_margin_minor == pytest.approx(2468.5 - 1200, abs=0.1)
    assert plan.margin_doing_nothing_minor == pytest.approx(1599.8 - 1200, abs=0.1)


@pytest.mark.parametrize(
    ("units", "hours", "depth"),
    [(12, 4, 1000), (12, 2, 4000), (12, 1, 5000), (4, 1, 2000), (4, 4, 0), (20, 4, 3000)],
)
def test_depths_now_stand_beside_those_of_the_closed_form(units: int, hours: float, depth: int) -> None:
    [plan] = plan_deals([replace(CHEESE, units=units, hours_left=hours)])
    assert plan.depth_bp == depth
    best = optimum(Curve.around(price=400, per_hour=2, elasticity=2.5), units=units, hours=hours)
    assert abs(min(best.price, 400) - CHEESE.price_minor(depth)) <= 40  # a step of the menu


def test_nothing_to_sell_and_no_time_to_sell_it() -> None:
    none, over = plan_deals(
        [replace(CHEESE, units=0), replace(CHEESE, hours_left=0.0, unsold_value_minor=-5)]
    )
    assert (none.depth_bp, none.expected_sold, none.expected_margin_minor) == (0, 0, 0)
    assert (over.depth_bp, over.held_h, over.expected_left, over.left_band) == (0, 0, 12, (12, 12))
    assert over.expected_margin_minor == over.margin_doing_nothing_minor == -60
    assert over.bid_price_minor(3) == -5


def test_large_stocks_and_far_deadlines_are_planned_in_lots_and_longer_stretches() -> None:
    far, huge, twice = plan_deals(
        [
            replace(CHEESE, units=40, hours_left=600_000.0),
            replace(CHEESE, units=1_000_000, hours_left=24.0),
            replace(CHEESE, units=1_000, hours_left=24.0, expected_units_per_hour=40.0),
        ]
    )
    assert (far.depth_bp, round(far.expected_sold), round(far.bid_price_minor(40))) == (0, 40, 400)
    assert (huge.depth_bp, round(huge.bid_price_minor(1_000_000), 3)) == (5000, 0)
    assert huge.expected_sold == pytest.approx(24 * 2 * math.exp(1.25), rel=1e-3)
    # 1,000 units at 40 an hour are 100 lots of 10: close to a tenth of it, counted one by one
    [small] = plan_deals([replace(CHEESE, units=100, hours_left=24.0, expected_units_per_hour=4.0)])
    assert twice.depth_bp == small.depth_bp == 0
    assert twice.expected_sold == pytest.approx(10 * small.expected_sold, rel=0.02)


def test_each_deal_is_planned_as_if_it_were_alone() -> None:
    chance = np.random.default_rng(3)
    deals = [
        replace(
            CHEESE,
            units=int(chance.integers(0, 60)),
            hours_left=float(chance.uniform(0, 9)),
            unsold_value_minor=int(chance.integers(-100, 100)),
            elasticity=float(chance.uniform(0, 4)),
            menu_bp=tuple(chance.choice([500, 1000, 2500, 4000, 6000], size=3).tolist()),
        )
        for _ in range(60)
    ]
    together = plan_deals(deals)
    for deal, plan in zip(deals, together, strict=True):
        [alone] = plan_deals([deal])
        assert plan.depth_bp == alone.depth_bp
        assert plan.expected_margin_minor == pytest.approx(alone.expected_margin_minor)
        assert plan.left_band == alone.left_band
        assert plan.bids_minor == pytest.approx(alone.bids_minor)


# --- what must always hold ---------------------------------------------------------------------------------


@st.composite
def deals(draw: st.DrawFn, **fixed: Any) -> Deal:
    regular = draw(st.integers(20, 5_000))
    return replace(
        Deal(
            units=draw(st.integers(1, 30)),
            hours_left=draw(st.floats(0.0, 8.0)),
            regular_price_minor=regular,
            floor_price_minor=draw(st.integers(0, regular)),
            unsold_value_minor=draw(st.integers(-regular, regular // 2)),
            expected_units_per_hour=draw(st.floats(0.0, 12.0)),
            elasticity=draw(st.floats(0.0, 6.0)),
            menu_bp=tuple(draw(st.lists(st.integers(1, 9_500), min_size=1, max_size=6))),
        ),
        **fixed,
    )


@settings(max_examples=60)
@given(deals())
def test_no_discount_is_below_the_floor_and_none_is_always_possible(deal: Deal) -> None:
    [plan] = plan_deals([deal])
    for depth in (plan.depth_bp, *(step.depth_bp for step in plan.ladder)):
        assert depth in (0, *deal.menu_bp)
        assert deal.price_minor(depth) >= min(deal.floor_price_minor, deal.regular_price_minor)
    assert plan.expected_margin_minor >= plan.margin_doing_nothing_minor - 1e-6
    low, high = plan.left_band
    assert 0 <= low <= high <= deal.units
    assert -1e-9 <= plan.expected_sold <= deal.units + 1e-9


@settings(max_examples=60)
@given(deals(floor_price_minor=0))
def test_the_bid_price_falls_with_the_stock(deal: Deal) -> None:
    [plan] = plan_deals([deal])
    assert np.all(np.diff(plan.bids_minor) <= 1e-6)
    assert plan.bids_minor[-1] >= deal.unsold_value_minor - 1e-6
    assert plan.bids_minor[0] <= max(deal.regular_price_minor, deal.unsold_value_minor) + 1e-6


@settings(max_examples=60)
@given(deals(floor_price_minor=0), st.integers(0, 12))
def test_the_bid_price_rises_with_the_time_left(deal: Deal, holds: int) -> None:
    sooner = replace(deal, hours_left=0.25 * holds)
    later = replace(deal, hours_left=0.25 * (holds + 1))
    before, after = plan_deals([sooner, later])
    assert all(after.bid_price_minor(n) >= before.bid_price_minor(n) - 1e-6 for n in range(1, deal.units + 1))


# close to a tie between both prices, where prices held all the way turned round
NEAR_A_TIE = Deal(
    units=20,
    hours_left=0.8125,
    regular_price_minor=20,
    expected_units_per_hour=7.0,
    elasticity=4.5,
    menu_bp=(4554,),
)


@settings(max_examples=100)
@example(NEAR_A_TIE, 1)
@example(NEAR_A_TIE, 20)
@given(deals(), st.integers(1, 2_000))
def test_more_cost_of_waste_never_means_a_smaller_discount(deal: Deal, more: int) -> None:
    now, dearer = plan_deals([deal, replace(deal, unsold_value_minor=deal.unsold_value_minor - more)])
    assert dearer.depth_bp >= now.depth_bp


@settings(max_examples=60)
@given(deals(floor_price_minor=0), st.integers(1, 2_000))
def test_more_cost_of_waste_never_means_a_dearer_unit(deal: Deal, more: int) -> None:
    now, dearer = plan_deals([deal, replace(deal, unsold_value_minor=deal.unsold_value_minor - more)])
    assert all(dearer.bid_price_minor(n) <= now.bid_price_minor(n) + 1e-6 for n in range(1, deal.units + 1))


@settings(max_examples=40)
@given(deals())
def test_what_is_expected_ahead_is_what_the_programme_promised(deal: Deal) -> None:
    """With no discount on the menu, both ways of counting are one: sales at one price, leftovers at their value."""
    [plan] = plan_deals([replace(deal, menu_bp=())])
    money = plan.expected_sold * deal.regular_price_minor + plan.expected_left * deal.unsold_value_minor
    assert plan.expected_margin_minor == pytest.approx(money, rel=1e-9, abs=1e-6)
