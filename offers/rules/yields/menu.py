"""The dynamic programme over a menu of prices, each held for a while, for many deals at once.

    V_k(x) = max over the menu of E[ p · min(D_p, x) + V_{k−1}(x − min(D_p, x)) ],   V_0(x) = unsold value · x

D_p is Poisson with the demand of one held price: the recursion V + h·λ(p)·[p − (V(x) − V(x − 1))] with its step h
taken to 0 inside each hold. Stretches are counted back from the deadline, so that whatever is odd comes first.
Source: Gallego & van Ryzin (1994), section 5; Bitran & Mondschein (1997). docs/algorithms/yield.md.
"""

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
class Tables:
    """The solved programme; stages run from now to the deadline."""

    worth: Floats  # (D, N + 1), at now, under the best prices
    idle_worth: Floats  # (D, N + 1), at now, at the regular price throughout
    bids: Floats  # (D, N): the least that the last of 1, 2, … N units should be given for now
    choices: list[
        Ints
    ]  # per stage (D, N + 1): the index of the price; a deal that has not begun keeps index 0
    stages: list[tuple[Sales, Flags]]  # per stage: its sales, and (D,) whether the deal is on
    hours: list[Floats]  # per stage (D,): how long it is, 0 where it has not begun


def solve(batch: Batch) -> Tables:
    """Return the best price per stage and stock, and what every stock is worth now."""
    stock = int(batch.stock.max())
    scale = batch.prices.max(axis=1) * TIE_SHARE
    worth = batch.unsold[:, None] * np.arange(stock + 1.0)
    idle, bids = worth.copy(), np.diff(worth)
    choices: list[Ints] = []
    stages: list[tuple[Sales, Flags]] = []
    hours: list[Floats] = []
    held = sales(means=batch.rates * batch.hold_h, stock=stock)
    first = sales(means=batch.rates * batch.first_h[:, None], stock=stock)
    hold_h = np.full(batch.unsold.shape, batch.hold_h)
    for sold, counts, length in ((held, batch.holds, hold_h), (first, batch.firsts, batch.first_h)):
        alone = Sales(sold.shares[:, :1], sold.more[:, :1], sold.mean[:, :1])
        for number in range(int(counts.max(initial=0))):
            is_on = counts > number
            options = value_after(sold=sold, prices=batch.prices, values=worth)
            best = options.max(axis=2)
            choice = (options >= best[..., None] - scale[:, None, None]).argmax(axis=2)
            # not to sell at all is possible, too: where leftovers are worth more than any price
            worth = np.where(is_on[:, None], np.maximum(best, worth), worth)
            waiting = value_after(sold=alone, prices=batch.prices[:, :1], values=idle)[..., 0]
            idle = np.where(is_on[:, None], waiting, idle)
            bids = np.maximum(bids, _slopes(worth, stock=batch.stock, scale=scale))
            choices.append(np.where(is_on[:, None], choice, 0))
            stages.append((sold, is_on))
            hours.append(np.where(is_on, length, 0.0))
    return Tables(
        worth=worth,
        idle_worth=idle,
        bids=bids,
        choices=choices[::-1],
        stages=stages[::-1],
        hours=hours[::-1],
    )


def _slopes(worth: Floats, *, stock: Ints, scale: Floats) -> Floats:
    """Return (D, N): what one unit more is worth, falling with the stock.

    Where the worth is concave these are its differences. A held price can make it bulge the other way: one unit more may
    tip all of them into a lower price. Then these are the slopes of the least concave curve above it, which switching at
    the right moment would come near to: min over a <= i of max over b >= i of the mean difference from a to b.
    """
    slopes = np.diff(worth)
    bulging = np.nonzero((np.diff(slopes) > scale[:, None]).any(axis=1))[0]
    for row in bulging:
        units = np.arange(stock[row])
        spans = units[None, :] + 1 - units[:, None]  # from a (rows) to b (columns), empty where b < a
        gains = worth[row, None, 1 : stock[row] + 1] - worth[row, : stock[row], None]
        means = np.where(spans > 0, gains / np.where(spans > 0, spans, 1), -np.inf)
        highest = np.maximum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        lowest = np.minimum.accumulate(np.where(spans > 0, highest, np.inf), axis=0)
        slopes[row, : stock[row]] = np.diagonal(lowest)
    return slopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The ways that the stocks may take under the best prices, summed up."""

    stock: list[Floats]  # per stage (D,): expected at its start
    choice: list[
        Floats
    ]  # per stage (D,): the index of the price, averaged over the ways that have units left
    left: Floats  # (D, N + 1): the chances of each stock at the deadline


def walk(tables: Tables, *, units: Ints) -> Walk:
    """Return where the stocks go from `units` (D,) now."""
    deals, shelf = tables.worth.shape
    levels = np.arange(shelf)
    chances = np.zeros((deals, shelf))
    chances[np.arange(deals), units] = 1.0
    stock, choices = [], []
    for choice, (sold, is_on) in zip(tables.choices, tables.stages, strict=True):
        some = np.maximum(1.0 - chances[:, 0], np.finfo(np.float64).tiny)
        stock.append(chances @ levels)
        choices.append((chances[:, 1:] * choice[:, 1:]).sum(axis=1) / some)
        after = stock_after(sold=sold, chosen=choice, chances=chances)
        chances = np.where(is_on[:, None], after, chances)
    return Walk(stock=stock, choice=choices, left=chances)
