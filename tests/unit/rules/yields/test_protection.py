"""Units kept for who pays more: the published tables, to the digits they give."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import pdtr

from offers.rules.yields.littlewood import (
    CLOSED,
    PriceClass,
    emsr_a,
    emsr_b,
    emsr_b_buying_down,
    marginal_revenues,
    protected_normal,
    protected_poisson,
)

FIIG_PRICES = (1200, 1000, 800, 600, 400, 200)
FIIG = [
    PriceClass(price=price, mean=mean, deviation=deviation)
    for price, mean, deviation in zip(
        FIIG_PRICES, (31.2, 10.9, 14.8, 19.9, 26.9, 36.3), (11.2, 6.6, 7.7, 8.9, 10.4, 12), strict=True
    )
]


def talluri(prices: Sequence[float]) -> list[PriceClass]:
    demand = zip(prices, (17.3, 45.1, 39.6, 34.0), (5.8, 15.0, 13.2, 11.3), strict=True)
    return [PriceClass(price=p, mean=mean, deviation=deviation) for p, mean, deviation in demand]


def test_littlewood_with_normal_demand() -> None:
    assert round(protected_normal(mean=50, deviation=15, high=100, low=60), 4) == 46.1998
    assert protected_normal(mean=50, deviation=15, high=60, low=60) == 0


def test_a_hotel_keeps_24_of_118_rooms_and_overbooks_7() -> None:
    keep, extra = protected_poisson(
        means=np.array([27.3, 8.5]), ratios=np.array([159 / 225, 1 - 159 / (159 + 350)])
    )
    assert (keep, 118 - keep, extra) == (24, 94, 7)
    assert round(1 - 159 / 225, 4) == 0.2933
    assert [round(float(pdtr(n, 27.3)), 4) for n in (23, 24)] == [0.2381, 0.3040]
    assert round(159 / (159 + 350), 4) == 0.3124
    assert [round(float(pdtr(n, 8.5)), 4) for n in (6, 7)] == [0.2562, 0.3856]
    sold = float(np.sum(1 - pdtr(np.arange(24), 27.3)))
    assert [round(x, 2) for x in (27.3 - sold, sold, 24 - sold)] == [4.10, 23.20, 0.80]
    assert round(225 * sold + 159 * 94, 1) == 20_166.9


def test_emsr_on_the_published_fares() -> None:
    assert [round(level) for level in emsr_b(FIIG)] == [0, 20, 35, 54, 80, 117]
    assert [round(x, 4) for x in emsr_b(FIIG)] == [0, 20.3649, 35.4047, 54.3390, 80.0735, 117.4358]
    assert [round(x, 4) for x in emsr_a(FIIG)] == [0, 20.3649, 31.7212, 50.0343, 79.4628, 129.1169]


def test_emsr_where_customers_buy_down() -> None:
    assert [round(x, 2) for x in marginal_revenues(FIIG)] == [1200, 427.52, 231.08, 28.14, -171.0, -371.35]
    assert [round(x) for x in emsr_b_buying_down(FIIG)] == [0, 35, 52, 84, CLOSED, CLOSED]
    assert [round(x) for x in emsr_b_buying_down(FIIG, most=50)] == [0, 35, *[CLOSED] * 4]


def test_emsr_without_deviation_and_without_demand() -> None:
    demand = (31.2, 0, 14.8, 19.9, 0, 36.3)
    sure = [PriceClass(price=price, mean=mean) for price, mean in zip(FIIG_PRICES, demand, strict=True)]
    assert [round(x) for x in emsr_b(sure)] == [0, 31, 31, 46, 66, 66]
    for nothing in (0.0, math.nan):
        silent = [PriceClass(price=price, mean=nothing, deviation=1.0) for price in FIIG_PRICES]
        assert emsr_a(silent) == emsr_b(silent) == [0.0] * 6


@pytest.mark.parametrize(
    ("prices", "a", "b", "best"),
    [
        ((1050, 567, 534, 520), [16.7, 38.7, 55.7], [16.7, 50.9, 83.2], [17, 42, 73]),
        ((1050, 950, 699, 520), [9.7, 50.5, 91.6], [9.7, 53.3, 96.8], [10, 54, 98]),
    ],
)
def test_emsr_stays_near_the_exact_optimum(
    prices: tuple[int, ...], a: list[float], b: list[float], best: list[int]
) -> None:
    classes = talluri(prices)
    assert [round(x, 1) for x in emsr_a(classes)[1:]] == a
    assert [round(x, 1) for x in emsr_b(classes)[1:]] == b
    assert exact_levels(classes, seats=160) == best


def exact_levels(classes: Sequence[PriceClass], *, seats: int) -> list[int]:
    """Return the optimal protection levels by backward induction over whole units, the cheap classes coming first."""
    worth, levels = np.zeros(seats + 1), []
    kept = 0
    for number, one in enumerate(classes):
        normal = NormalDist(one.mean, one.deviation)
        below = np.array([normal.cdf(n + 0.5) for n in range(seats + 1)])
        chances = np.diff(below, prepend=0.0)  # what is below zero counts as no demand
        chances[-1] += 1 - below[-1]
        after = np.zeros(seats + 1)
        for stock in range(seats + 1):
            sold = np.minimum(np.arange(seats + 1), max(0, stock - kept))
            after[stock] = chances @ (one.price * sold + worth[stock - sold])
        worth = after
        if number + 1 < len(classes):
            kept = int(np.sum(np.diff(worth) > classes[number + 1].price))
            levels.append(kept)
    return levels


@given(
    mean=st.floats(0, 500),
    ratio=st.floats(0, 1),
    more=st.floats(0, 50),
)
def test_more_full_price_demand_and_a_deeper_discount_never_keep_less(
    mean: float, ratio: float, more: float
) -> None:
    few, many, deep = protected_poisson(
        means=np.array([mean, mean + more, mean]), ratios=np.array([ratio, ratio, ratio / 2])
    )
    assert few <= many
    assert few <= deep
    wanted = 1 - ratio
    assert wanted <= 0 or (pdtr(few, mean) >= wanted and (few == 0 or pdtr(few - 1, mean) < wanted))
