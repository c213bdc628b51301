"""What each deal should do now and is expected to come to: depth, bid price, the ladder ahead, units sold and left."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from offers.rules.yields.deal import Deal
from offers.rules.yields.menu import Batch, solve, walk

HOLD_MINUTES = 15  # a price is held for at least so long
MOST_HOLDS = (
    7 * 24 * 60 // HOLD_MINUTES
)  # a week; what comes before is planned in MOST_FIRSTS longer stretches
MOST_FIRSTS = 100
MOST_UNITS = 240  # told apart; larger stocks are counted in lots
CELLS = 50_000  # deals · stock · prices that are worked on at once: what a processor's cache holds
ALIKE = 8  # units by which the shelves of one chunk may differ
BAND = (0.1, 0.9)
STEADY = 0.75  # of a step of the menu: the ladder shows no smaller swings


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    in_h: float  # from now
    depth_bp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DealPlan:
    depth_bp: int  # of the price now
    held_h: float  # for how long that price holds
    lot: int  # units that are counted as one
    bids_minor: tuple[
        float, ...
    ]  # of a unit when 1, 2, … lots are left, leftovers' value included; more: the last
    ladder: tuple[Step, ...]  # now, and each change on the expected way of the stock
    expected_sold: float
    expected_left: float
    left_band: tuple[int, int]  # 80 %
    expected_margin_minor: float  # of the units left, their cost taken off
    margin_doing_nothing_minor: float  # at the regular price to the end

    def bid_price_minor(self, units: int) -> float:
        """Return the least that one of `units` units should be given for; infinite for none."""
        if units <= 0:
            return math.inf
        return self.bids_minor[min(math.ceil(units / self.lot), len(self.bids_minor)) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sized:
    """A deal cut down to what has to be told apart."""

    index: int  # among the deals asked about
    deal: Deal
    depths_bp: tuple[int, ...]
    lot: int  # units counted as one
    stock: int  # lots up to which values are needed
    units: int  # lots on the shelf, at most `stock`
    holds: int
    firsts: int
    first_h: float


def plan_deals(deals: Sequence[Deal], *, of_units: Sequence[int] = ()) -> list[DealPlan]:
    """Return the plan of each deal, in the same order.

    of_units: for each deal, up to how many units bid prices are wanted (units may come back); never fewer than its own.
    """
    most = of_units or [deal.units for deal in deals]
    sized = [_sized(index, deal, most=max(most[index], deal.units, 1)) for index, deal in enumerate(deals)]
    plans: list[DealPlan | None] = [None] * len(deals)
    for chunk in _chunks(sorted(sized, key=_likeness)):
        for one, plan in zip(chunk, _plans(chunk), strict=True):
            plans[one.index] = plan
    return [plan for plan in plans if plan is not None]


def _sized(index: int, deal: Deal, *, most: int) -> _Sized:
    """Return the deal with a shelf no larger than what could be sold, and stretches of time."""
    depths = deal.depths_bp
    busiest = deal.demand_per_hour(depths[-1]) * deal.hours_left
    demand = int(min(busiest + 8.0 * math.sqrt(busiest) + 12.0, 1e9))
    lot = max(1, math.ceil(min(deal.units, demand) / MOST_UNITS))
    stock = max(1, min(math.ceil(min(most, demand) / lot), MOST_UNITS))
    hold_h = HOLD_MINUTES / 60
    # a second less than a whole hold is a whole hold: requests take time
    holds = min(int(deal.hours_left / hold_h + 1 / 900), MOST_HOLDS)
    rest = max(0.0, deal.hours_left - holds * hold_h)
    firsts = min(math.ceil(rest / hold_h), MOST_FIRSTS)
    return _Sized(
        index=index,
        deal=deal,
        depths_bp=depths,
        lot=lot,
        stock=stock,
        units=min(deal.units // lot, stock),
        holds=holds,
        firsts=firsts,
        first_h=rest / firsts if firsts else 0.0,
    )


def _likeness(one: _Sized) -> tuple[int, int, int, int, int]:
    """Return what deals are sorted by, so that those of one chunk have like shelves and sales, and rising times to go."""
    busy = int(one.deal.demand_per_hour(one.depths_bp[-1])).bit_length()
    return one.stock // ALIKE, busy, one.holds, one.firsts, one.index


def _chunks(sized: Sequence[_Sized]) -> Iterator[list[_Sized]]:
    chunk: list[_Sized] = []
    for one in sized:
        if chunk and (len(chunk) + 1) * (one.stock + ALIKE) * len(one.depths_bp) > CELLS:
            yield chunk
            chunk = []
        chunk.append(one)
    if chunk:
        yield chunk


def _batch(chunk: Sequence[_Sized]) -> Batch:
    wide = max(len(one.depths_bp) for one in chunk)

    def row(one: _Sized) -> tuple[int, ...]:
        return one.depths_bp + (0,) * (wide - len(one.depths_bp))

    return Batch(
        prices=np.array([[one.deal.price_minor(bp) * one.lot for bp in row(one)] for one in chunk]),
        rates=np.array([[one.deal.demand_per_hour(bp) / one.lot for bp in row(one)] for one in chunk]),
        unsold=np.array([float(one.deal.unsold_value_minor * one.lot) for one in chunk]),
        holds=np.array([one.holds for one in chunk]),
        hold_h=HOLD_MINUTES / 60,
        firsts=np.array([one.firsts for one in chunk]),
        first_h=np.array([one.first_h for one in chunk]),
        stock=np.array([one.stock for one in chunk]),
        shelves=np.array([min(one.deal.units, MOST_UNITS) for one in chunk]),
    )


def _plans(chunk: Sequence[_Sized]) -> Iterator[DealPlan]:
    tables = solve(_batch(chunk))
    way = walk(tables, units=np.array([one.units for one in chunk]), shares=BAND)
    rows = np.arange(len(chunk))
    units = [one.units for one in chunk]
    idle = tables.idle_worth[rows, units].tolist()
    lots = np.array([one.lot for one in chunk])
    bids = (np.diff(tables.worth, axis=1) / lots[:, None]).tolist()
    hours, stock, choice = way.hours.tolist(), way.stock.tolist(), way.choice.tolist()
    lefts = way.left.tolist()
    lows, highs = way.bands.tolist()
    for row, one in enumerate(chunk):
        deal = one.deal
        ladder, held_h = _ladder(one, hours=hours[row], stock=stock[row], choice=choice[row])
        over = deal.units - one.units * one.lot  # units that nobody will come for, or a part of a lot
        stays = lefts[row] * one.lot + over
        low, high = lows[row] * one.lot + over, highs[row] * one.lot + over
        sure = over * deal.unsold_value_minor - deal.unit_cost_minor * deal.units
        worth = way.earned[row] + lefts[row] * one.lot * deal.unsold_value_minor
        yield DealPlan(
            depth_bp=ladder[0].depth_bp,
            held_h=held_h,
            lot=one.lot,
            bids_minor=tuple(bids[row][: one.stock]),
            ladder=ladder,
            expected_sold=deal.units - stays,
            expected_left=stays,
            left_band=(max(0, low), min(deal.units, max(0, high))),
            expected_margin_minor=float(worth + sure),
            margin_doing_nothing_minor=idle[row] + sure,
        )


def _ladder(
    one: _Sized, *, hours: Sequence[float], stock: Sequence[float], choice: Sequence[float]
) -> tuple[tuple[Step, ...], float]:
    """Return the depths ahead, averaged over the ways that the stock may take, and how long the first stage is."""
    steps: list[Step] = []
    passed_h, first_h, level = 0.0, 0.0, 0
    for length, expected, price in zip(hours, stock, choice, strict=True):
        if not length:
            continue  # other deals are under way then
        if steps and round(expected) == 0:
            break  # sold out by then, as far as one can tell
        if not steps or abs(price - level) >= STEADY:
            level = round(price)
            steps.append(Step(in_h=passed_h, depth_bp=one.depths_bp[level]))
        first_h = first_h or length
        passed_h += length
    return tuple(steps) or (Step(in_h=0.0, depth_bp=0),), first_h
