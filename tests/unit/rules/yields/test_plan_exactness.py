"""The plans that are made side by side, against the programme written out plainly, one deal and one stock at a time."""

import itertools
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln, gammaln, pdtr, pdtrc

from offers.rules.yields.deal import Deal
from offers.rules.yields.overissue import Stock, worth_sending
from offers.rules.yields.plan import DealPlan, plan_deals

HOLD_H = 0.25


@cache
def chance(customers: int, mean: float) -> float:
    return (
        math.exp(customers * math.log(mean) - mean - math.lgamma(customers + 1))
        if mean
        else float(not customers)
    )


def outcomes(stock: int, mean: float) -> list[float]:
    """Return the chances of 0, 1, … `stock` units sold."""
    return [chance(sold, mean) for sold in range(stock)] + [float(pdtrc(stock - 1, mean)) if stock else 1.0]


def plainly(deal: Deal) -> tuple[float, float, list[float], list[list[int]]]:
    """Return what is earned and left over is worth, the same of doing nothing, the bids, and the depth by stage and stock."""
    prices = [(depth, deal.price_minor(depth), deal.demand_per_hour(depth)) for depth in deal.depths_bp]
    free = [float(deal.unsold_value_minor * stock) for stock in range(deal.units + 1)]
    worth, idle, choices = list(free), list(free), []
    holds = int(deal.hours_left / HOLD_H + 1 / 900)
    rest = max(0.0, deal.hours_left - holds * HOLD_H)
    to_go = 0.0
    for hours in [HOLD_H] * holds + ([rest] if rest else []):
        stocks = range(deal.units + 1)

        def after(values: list[float], stock: int, price: float, mean: float) -> float:
            shares = outcomes(stock, mean)
            return sum(share * (price * sold + values[stock - sold]) for sold, share in enumerate(shares))

        tried = [[after(free, stock, p, rate * hours) for _, p, rate in prices] for stock in stocks]
        close = deal.regular_price_minor * 1e-9
        best = [next(m for m, v in enumerate(row) if v >= max(row) - close) for row in tried]
        choices.append([prices[m][0] for m in best])
        worth = [after(worth, stock, prices[m][1], prices[m][2] * hours) for stock, m in enumerate(best)]
        idle = [after(idle, stock, prices[0][1], prices[0][2] * hours) for stock in stocks]
        to_go += hours
        free = moved(free, prices=prices, hours=hours, emptying=3 * deal.units / to_go)
    bids = [after - before for before, after in itertools.pairwise(free)]
    return worth[deal.units], idle[deal.units], bids, choices[::-1]


def moved(
    values: list[float], *, prices: list[tuple[int, float, float]], hours: float, emptying: float
) -> list[float]:
    """Return what each stock is worth `hours` earlier, if the price may move at any moment."""
    steps = max(1, math.ceil(min(prices[-1][2], emptying) * hours))

    def step(before: list[float]) -> list[float]:
        def gain(stock: int) -> float:
            bid = before[stock] - before[stock - 1]
            return max(0.0, *(min(rate * hours / steps, 1.0) * (price - bid) for _, price, rate in prices))

        return [value + (gain(stock) if stock else 0.0) for stock, value in enumerate(before)]

    for _ in range(steps):
        middle = [(3 * a + b) / 4 for a, b in zip(values, step(step(values)), strict=True)]
        values = [(a + 2 * b) / 3 for a, b in zip(values, step(middle), strict=True)]
    return values


def left_at_the_end(deal: Deal, choices: list[list[int]]) -> list[float]:
    """Return the chances of every stock at the deadline."""
    holds = int(deal.hours_left / HOLD_H + 1 / 900)
    rest = max(0.0, deal.hours_left - holds * HOLD_H)
    chances = [0.0] * deal.units + [1.0]
    for hours, depths in zip(([rest] if rest else []) + [HOLD_H] * holds, choices, strict=True):
        after = [0.0] * (deal.units + 1)
        for stock, before in enumerate(chances):
            for sold, share in enumerate(outcomes(stock, deal.demand_per_hour(depths[stock]) * hours)):
                after[stock - sold] += before * share
        chances = after
    return chances


def check(deal: Deal, plan: DealPlan) -> None:
    worth, idle, bids, choices = plainly(deal)
    cost = deal.unit_cost_minor * deal.units
    exactly = {"rel": 1e-9, "abs": 1e-5}
    assert plan.expected_margin_minor == pytest.approx(worth - cost, **exactly)
    assert plan.margin_doing_nothing_minor == pytest.approx(idle - cost, **exactly)
    if plan.lot == 1:
        assert plan.bids_minor == pytest.approx(bids[: len(plan.bids_minor)], **exactly)
    assert plan.depth_bp == (choices[0][deal.units] if choices else 0)
    left = left_at_the_end(deal, choices)
    assert plan.expected_left == pytest.approx(
        sum(n * share for n, share in enumerate(left)), rel=1e-7, abs=1e-7
    )


DEALS = st.builds(
    Deal,
    units=st.integers(1, 9),
    hours_left=st.sampled_from([0.0, 0.1, 0.25, 0.6, 1.0, 1.9]),
    regular_price_minor=st.integers(1, 900),
    floor_price_minor=st.integers(0, 400),
    unit_cost_minor=st.integers(0, 500),
    unsold_value_minor=st.sampled_from([0, 0, -40, 60, 1200]),
    expected_units_per_hour=st.sampled_from([0.0, 0.3, 2.0, 7.5]),
    elasticity=st.sampled_from([0.0, 1.0, 2.5, 6.0]),
    menu_bp=st.sampled_from([(1000, 2000, 3000, 4000, 5000), (3000,), (5000, 9000)]),
)


@settings(max_examples=25, deadline=None)
@given(deals=st.lists(DEALS, min_size=1, max_size=4))
def test_side_by_side_is_as_one_by_one(deals: list[Deal]) -> None:
    for deal, plan in zip(deals, plan_deals(deals), strict=True):
        check(deal, plan)


@settings(max_examples=40, deadline=None)
@given(
    units=st.integers(1, 30),
    organic=st.floats(0, 25),
    redeemed=st.integers(1, 40),
    ignored=st.integers(1, 400),
    critical=st.floats(0.01, 0.95),
)
def test_messages_worth_sending_are_the_most_that_pass(
    units: int, organic: float, redeemed: int, ignored: int, critical: float
) -> None:
    def runs_out(sent: int) -> float:
        fits = 0.0
        for taken in range(min(units - 1, sent) + 1):
            ways = gammaln(sent + 1) - gammaln(taken + 1) - gammaln(sent - taken + 1)
            share = math.exp(
                ways + betaln(taken + redeemed, sent - taken + ignored) - betaln(redeemed, ignored)
            )
            fits += share * float(pdtr(units - 1 - taken, organic))
        return 1.0 - fits

    arrays = {"units": [units], "organic": [organic], "outstanding": [0.0]}
    arrays |= {"redeemed": [float(redeemed)], "ignored": [float(ignored)], "critical": [critical]}
    [worth] = worth_sending(Stock(**{name: np.array(values) for name, values in arrays.items()}))
    near = 1e-7  # what gamma functions of large numbers are exact to
    assert worth == 0 or runs_out(int(worth) - 1) <= critical + near
    assert worth > 1_000_000 or runs_out(int(worth)) > critical - near
