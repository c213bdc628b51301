"""The best price of a menu, each held for a while, for many deals at once.

A price is held for a stretch, and chosen for what the stretch brings and what is left is worth after it:

    Q_a(x) = E[ p_a · min(D_a, x) + W(x − min(D_a, x)) ],   D_a Poisson,

W being the worth of a stock whose price may move at any moment:

    W + h · max over the menu of λ(p) · [p − (W(x) − W(x − 1))]⁺,   at the deadline unsold value · x.

W instead of the worth under held prices, for what it keeps: each step of it is monotone in the differences W(x) − W(x − 1). So
they fall with the stock, rise with the time left and with the unsold value; and as a deeper price leaves less behind, the
best Q gets no shallower when leftovers cost more. Held prices all the way promise none of these: near a tie, one more unit,
or a cent more of waste, may turn the price the wrong way round. docs/algorithms/yield.md has the proof and what it costs.

Stretches are counted back from the deadline, so that whatever is odd comes first.
Source: Gallego & van Ryzin (1994), section 5; Bitran & Mondschein (1997); Shu & Osher (1988) for the steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offers.rules.yields.demand import Flags, Floats, Ints, Sales, sales, stock_after, value_after

TIE_SHARE = 1e-9  # of the dearest price: prices this close are as good, and the shallower one wins
BUSY = 3.0  # times what would empty the shelf by the deadline: faster sales need not be told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Deals side by side, the shortest menus padded with their own first price."""

    prices: Floats  # (D, M), minor units, the regular price first
    rates: Floats  # (D, M), units an hour
    unsold: Floats  # (D,), minor units
    holds: Ints  # (D,): whole holds before the deadline
    hold_h: float
    firsts: Ints  # (D,): how many stretches come before those; 0 or more
    first_h: Floats  # (D,): and how long each is
    stock: Ints  # (D,): the widest shelf that each deal asks about; the batch's is the widest of these
    shelves: (
        Ints  # (D,): units that say how finely time is cut; must not depend on the time left or on `unsold`
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stretch at one price, for the deals that are under way in it: neighbours in the batch."""

    rows: slice
    is_on: Flags  # of these rows
    sold: Sales  # of these rows
    choice: Ints  # (rows, N + 1): the index of the price; a deal that is not under way keeps index 0
    hours: Floats  # (rows,): how long it is, 0 where it is not under way


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The solved programme."""

    worth: Floats  # (D, N + 1), at now, if the price might move at any moment; bid prices are its differences
    idle_worth: Floats  # (D, N + 1), at now, at the regular price throughout
    stages: list[Stage]  # from now to the deadline


def solve(batch: Batch) -> Tables:
    """Return the best price per stretch and stock, and what every stock is worth now.

    Deals that stand in the order of their holds are worked on only while they are under way.
    """
    stock = int(batch.stock.max())
    scale = batch.prices.max(axis=1) * TIE_SHARE
    worth = batch.unsold[:, None] * np.arange(stock + 1.0)
    idle = _idle_worth(batch, unsold=worth)
    to_go_h = np.zeros(batch.unsold.shape)
    stages: list[Stage] = []
    hold_h = np.full(batch.unsold.shape, batch.hold_h)
    for counts, length in ((batch.holds, hold_h), (batch.firsts, batch.first_h)):
        all_sold = sales(means=batch.rates * length[:, None], prices=batch.prices, stock=stock)
        for number in range(int(counts.max(initial=0))):
            under_way = np.nonzero(counts > number)[0]
            rows = slice(int(under_way[0]), int(under_way[-1]) + 1)
            is_on = counts[rows] > number
            hours = np.where(is_on, length[rows], 0.0)
            sold = all_sold.of(rows)
            options = value_after(sold=sold, values=worth[rows])
            choice = _shallowest(options, at_least=options.max(axis=1) - scale[rows, None])
            stages.append(
                Stage(
                    rows=rows, is_on=is_on, sold=sold, choice=np.where(is_on[:, None], choice, 0), hours=hours
                )
            )
            to_go_h[rows] += hours
            steps = _steps(batch, rows, hours=hours, to_go_h=to_go_h[rows])
            _move(
                worth[rows], prices=batch.prices[rows], means=batch.rates[rows] * hours[:, None], steps=steps
            )
    return Tables(worth=worth, idle_worth=idle, stages=stages[::-1])


def _steps(batch: Batch, rows: slice, *, hours: Floats, to_go_h: Floats) -> Ints:
    """Return (rows,): into how many steps a stretch of `hours` is cut, 0 where there is none.

    A step is so short that at most one customer is expected in it; except of prices that would empty the shelf several times
    over by the deadline, and are not taken before its last moments.
    """
    busiest = batch.rates[rows].max(axis=1) * hours
    emptying = (
        BUSY * batch.shelves[rows] * np.divide(hours, to_go_h, out=np.zeros_like(hours), where=hours > 0)
    )
    steps = np.ceil(np.minimum(busiest, emptying)).astype(np.intp)
    return np.where(hours > 0, np.maximum(steps, 1), 0)


def _move(worth: Floats, *, prices: Floats, means: Floats, steps: Ints) -> None:
    """Take `worth` (D, N + 1) back in time, in place, through stretches in which `means` (D, M) customers are expected.

    Shu & Osher's steps of the third order: means of Euler steps, each of which sells one unit at most and is monotone, and
    so are they.
    """
    sold = np.minimum(means / np.maximum(steps, 1)[:, None], 1.0).T[:, :, None]
    earned = sold * prices.T[:, :, None]
    room = np.empty(
        (*earned.shape[:2], worth.shape[1] - 1)
    )  # one for all steps: to ask for memory costs more than they do
    for number in range(int(steps.max(initial=0))):
        rows = np.nonzero(steps > number)[0]
        some = slice(None) if rows.size == steps.size else rows
        before, menu = worth[some], (sold[:, some], earned[:, some], room[:, : rows.size])
        after = 0.75 * before + 0.25 * _step(_step(before, *menu), *menu)
        worth[some] = (before + 2.0 * _step(after, *menu)) / 3.0


def _step(worth: Floats, sold: Floats, earned: Floats, room: Floats) -> Floats:
    """Return (D, N + 1) a step earlier: the best of selling a unit with a chance `sold` (M, D, 1), and of selling none."""
    np.multiply(sold, worth[:, 1:] - worth[:, :-1], out=room)
    np.subtract(earned, room, out=room)
    after = worth.copy()
    after[:, 1:] += np.maximum(room.max(axis=0), 0.0)
    return after


def _idle_worth(batch: Batch, *, unsold: Floats) -> Floats:
    """Return (D, N + 1): what is earned at the regular price throughout; one stretch, as its customers are Poisson, too."""
    hours = batch.holds * batch.hold_h + batch.firsts * batch.first_h
    sold = sales(
        means=batch.rates[:, :1] * hours[:, None], prices=batch.prices[:, :1], stock=unsold.shape[1] - 1
    )
    return value_after(sold=sold, values=unsold)[:, 0]


def _shallowest(options: Floats, *, at_least: Floats) -> Ints:
    """Return (D, N + 1): the first price of each menu whose worth (D, M, N + 1) is enough."""
    choice = np.zeros(at_least.shape, dtype=np.intp)
    for price in range(options.shape[1] - 1, -1, -1):
        choice[options[:, price] >= at_least] = price
    return choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The ways that the stocks may take under the best prices, summed up; S stages, from now to the deadline."""

    hours: Floats  # (D, S): how long each stage is, 0 where the deal is not under way
    stock: Floats  # (D, S): expected at its start
    choice: Floats  # (D, S): the index of the price, on average where units are left
    earned: Floats  # (D,): minor units taken until the deadline, expected
    left: Floats  # (D,): units expected at the deadline
    bands: Ints  # (len(shares), D): the least stocks that so large a share of the ways does not exceed


def walk(tables: Tables, *, units: Ints, shares: Sequence[float]) -> Walk:
    """Return where the stocks go from `units` (D,) now."""
    deals, shelf = tables.worth.shape
    levels = np.arange(shelf)
    chances = np.zeros((deals, shelf))
    chances[np.arange(deals), units] = 1.0
    earned = np.zeros(deals)
    hours, stock, choices = (np.zeros((deals, len(tables.stages))) for _ in range(3))
    for number, stage in enumerate(tables.stages):
        before = chances[stage.rows]
        some = np.maximum(1.0 - before[:, 0], np.finfo(np.float64).tiny)
        hours[stage.rows, number] = stage.hours
        stock[stage.rows, number] = before @ levels
        choices[stage.rows, number] = (before[:, 1:] * stage.choice[:, 1:]).sum(axis=1) / some
        takings = np.take_along_axis(stage.sold.earned, stage.choice[:, None, :], axis=1)[:, 0]
        earned[stage.rows] += np.where(stage.is_on, (before * takings).sum(axis=1), 0.0)
        after = stock_after(sold=stage.sold, chosen=stage.choice, chances=before)
        chances[stage.rows] = np.where(stage.is_on[:, None], after, before)
    reached = np.cumsum(chances, axis=1)
    return Walk(
        hours=hours,
        stock=stock,
        choice=choices,
        earned=earned,
        left=chances @ levels,
        bands=np.array([(reached < share).sum(axis=1) for share in shares]),
    )
