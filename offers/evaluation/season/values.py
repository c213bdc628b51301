"""What a season is made of, and what comes of it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """How large the season is."""

    stores: int = 4
    shoppers: int = 3_000  # with the app
    lines: int = 6  # perishable goods of each store, each with a shelf and an aisle
    days: int = 28
    window_min: int = 240  # from 16:00 to closing, when what is left is thrown away


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """How shoppers really are, as a multiple of what the engine believes. 1: the engine is right on average."""

    buys_anyway: float = 1.0  # chance to buy at the normal price without a message
    elasticity: float = 1.0  # of the depth's effect
    being_told: float = 1.0  # of the message's own effect
    demand: float = 1.0  # true sales an hour over those that the retailer expects


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One kind of perishable goods."""

    name: str
    price_minor: int
    cost_minor: int
    elasticity: float
    passers_by_an_hour: float  # who buy at the normal price and have no app; in each store


@dataclass(frozen=True, slots=True, kw_only=True)
class Shoppers:
    """Everybody with the app; arrays by shopper."""

    store: Ints
    affinity: Floats  # (shopper, line): share of what they spend
    buys_alone: Floats  # (shopper, line): true chance at the shelf, at the normal price, without a message
    elasticity: Floats  # (shopper, line): true
    being_told: Floats  # (shopper,): true, what a message adds to a stranger's log-odds
    visits_a_week: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What happens on one day whatever anybody is told; the same for every policy."""

    stock: Ints  # (store, line): on the shelf at 16:00
    visitor: Ints  # (visit,): shopper, in the order of time
    minute: Ints  # (visit,): 0..window_min
    passes: Floats  # (visit, line): a number below which the visitor passes that aisle
    wants: Floats  # (visit, line): a number below which they buy
    strangers: list[tuple[int, int, int]]  # (minute, store, line) of sales to people without the app
    comes_for_it: Floats  # (shopper,): a number below which a message brings somebody who would not have come
    leaves: Floats  # (shopper,): a number below which a message makes somebody opt out


@dataclass(slots=True)
class Outcome:
    """What a policy came to. Money in minor units."""

    delivered: int = 0
    sold: int = 0
    sold_by_message: int = 0
    would_have_bought: int = 0  # of those: who would have bought at the normal price
    wasted: int = 0
    revenue_minor: float = 0.0
    cost_minor: float = 0.0  # of all that was delivered
    given_away_minor: float = 0.0  # discount to those who would have bought anyway
    pushes: int = 0
    opt_outs: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # the engine's reasons for silence

    @property
    def margin_minor(self) -> float:
        return self.revenue_minor - self.cost_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message to one shopper."""

    line: int
    depth_share: float
    at_home: bool = False  # outside of every fence
