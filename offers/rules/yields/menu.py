"""The dynamic programme over a menu of prices, each held for a while, for many deals at once.

    V_k(x) = max over the menu of E[ p · min(D_p, x) + V_{k−1}(x − min(D_p, x)) ],   V_0(x) = unsold value · x

D_p is Poisson with the demand of one held price: the recursion V + h·λ(p)·[p − (V(x) − V(x − 1))] with its step h
taken to 0 inside each hold. Stretches are counted back from the deadline, so that whatever is odd comes first.
Source: Gallego & van Ryzin (1994), section 5; Bitran & Mondschein (1997). docs/algorithms/yield.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offers.rules.yields.demand import Flags, Floats, Ints, Sales, sales, stock_after, value_after

TIE_SHARE = 1e-9  # of the dearest price: prices this close are as good, and the shallower one wins


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

    worth: Floats  # (D, N + 1), at now, under the best prices
    idle_worth: Floats  # (D, N + 1), at now, at the regular price throughout
    bids: Floats  # (D, N): the least that the last of 1, 2, … N units should be given for now
    stages: list[Stage]  # from now to the deadline


def solve(batch: Batch) -> Tables:
    """Return the best price per stage and stock, and what every stock is worth now.

    Deals that stand in the order of their holds are worked on only while they are under way.
    """
    stock = int(batch.stock.max())
    scale = batch.prices.max(axis=1) * TIE_SHARE
    worth = batch.unsold[:, None] * np.arange(stock + 1.0)
    idle = _idle_worth(batch, unsold=worth)
    bids = worth[:, 1:] - worth[:, :-1]
    stages: list[Stage] = []
    held = sales(means=batch.rates * batch.hold_h, prices=batch.prices, stock=stock)
    first = sales(means=batch.rates * batch.first_h[:, None], prices=batch.prices, stock=stock)
    hold_h = np.full(batch.unsold.shape, batch.hold_h)
    for all_sold, counts, length in ((held, batch.holds, hold_h), (first, batch.firsts, batch.first_h)):
        for number in range(int(counts.max(initial=0))):
            under_way = np.nonzero(counts > number)[0]
            rows = slice(int(under_way[0]), int(under_way[-1]) + 1)
            is_on = counts[rows] > number
            sold = all_sold.of(rows)
            options = value_after(sold=sold, values=worth[rows])
            best = options.max(axis=1)
            choice = _shallowest(options, at_least=best - scale[rows, None])
            # not to sell at all is possible, too: where leftovers are worth more than any price
            worth[rows] = np.where(is_on[:, None], np.maximum(best, worth[rows]), worth[rows])
            slopes = _slopes(worth[rows], stock=batch.stock[rows], scale=scale[rows])
            np.maximum(bids[rows], slopes, out=bids[rows])
            stages.append(
                Stage(
                    rows=rows,
                    is_on=is_on,
                    sold=sold,
                    choice=np.where(is_on[:, None], choice, 0),
                    hours=np.where(is_on, length[rows], 0.0),
                )
            )
    return Tables(worth=worth, idle_worth=idle, bids=bids, stages=stages[::-1])


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


def _slopes(worth: Floats, *, stock: Ints, scale: Floats) -> Floats:
    """Return (D, N): what one unit more is worth, falling with the stock.

    Where the worth is concave these are its differences. A held price can make it bulge the other way: one unit more may
    tip all of them into a lower price. Then these are the slopes of the least concave curve above it, which switching at
    the right moment would come near to: min over a <= i of max over b >= i of the mean difference from a to b.
    """
    slopes: Floats = worth[:, 1:] - worth[:, :-1]
    units = np.arange(slopes.shape[1])
    asked = units < stock[:, None]  # what lies beyond belongs to other deals' shelves
    bulging = np.nonzero(((slopes[:, 1:] - slopes[:, :-1] > scale[:, None]) & asked[:, 1:]).any(axis=1))[0]
    if not bulging.size:
        return slopes
    curves = worth[bulging]
    spans = units[None, :] + 1 - units[:, None]  # from a (rows) to b (columns); none where b < a
    means = (curves[:, None, 1:] - curves[:, :-1, None]) / np.where(spans > 0, spans, 1)
    means[:, spans <= 0] = -np.inf
    means = np.where(asked[bulging][:, None, :], means, -np.inf)
    highest = np.maximum.accumulate(means[..., ::-1], axis=2)[..., ::-1]
    highest[:, spans <= 0] = np.inf
    lowest = np.minimum.accumulate(highest, axis=1)
    straight = np.diagonal(lowest, axis1=1, axis2=2)
    slopes[bulging] = np.where(asked[bulging], straight, slopes[bulging])
    return slopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The ways that the stocks may take under the best prices, summed up; S stages, from now to the deadline."""

    hours: Floats  # (D, S): how long each stage is, 0 where the deal is not under way
    stock: Floats  # (D, S): expected at its start
    choice: Floats  # (D, S): the index of the price, on average where units are left
    left: Floats  # (D,): units expected at the deadline
    bands: Ints  # (len(shares), D): the least stocks that so large a share of the ways does not exceed


def walk(tables: Tables, *, units: Ints, shares: Sequence[float]) -> Walk:
    """Return where the stocks go from `units` (D,) now."""
    deals, shelf = tables.worth.shape
    levels = np.arange(shelf)
    chances = np.zeros((deals, shelf))
    chances[np.arange(deals), units] = 1.0
    hours, stock, choices = (np.zeros((deals, len(tables.stages))) for _ in range(3))
    for number, stage in enumerate(tables.stages):
        before = chances[stage.rows]
        some = np.maximum(1.0 - before[:, 0], np.finfo(np.float64).tiny)
        hours[stage.rows, number] = stage.hours
        stock[stage.rows, number] = before @ levels
        choices[stage.rows, number] = (before[:, 1:] * stage.choice[:, 1:]).sum(axis=1) / some
        after = stock_after(sold=stage.sold, chosen=stage.choice, chances=before)
        chances[stage.rows] = np.where(stage.is_on[:, None], after, before)
    reached = np.cumsum(chances, axis=1)
    return Walk(
        hours=hours,
        stock=stock,
        choice=choices,
        left=chances @ levels,
        bands=np.array([(reached < share).sum(axis=1) for share in shares]),
    )
