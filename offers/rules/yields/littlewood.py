"""How many units to keep for customers who pay more: Littlewood's rule for two prices, EMSR-a and -b for several.

A unit is given at the lower price only while the chance that a full-price customer would take it, times the higher
price, is below that. Sources: Littlewood (1972); Belobaba (1989), "Application of a probabilistic decision model to
airline seat inventory control", Operations Research 37(2); Fiig, Isler, Hopperstad & Belobaba (2010).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.special import pdtr

from offers.rules.yields.demand import Floats, Ints

_NORMAL = NormalDist()
CLOSED = -1.0  # of a class that adds no revenue at all


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceClass:
    """Customers of one price; demand is normal and independent of the other classes."""

    price: float
    mean: float  # units, 0 or more
    deviation: float = 0.0


def protected_normal(*, mean: float, deviation: float, high: float, low: float) -> float:
    """Return the units to keep when the demand at the high price is normal; 0 < low <= high.

    >>> round(protected_normal(mean=50, deviation=15, high=100, low=60), 4)
    46.1998
    """
    return max(0.0, mean + deviation * _quantile(1 - low / high))


def protected_poisson(*, means: Floats, ratios: Floats) -> Ints:
    """Return the units to keep when demands at the high price are Poisson: the least y with P(D <= y) >= 1 − ratio.

    means, ratios: one per deal; a ratio is low / high price, both above what a unit is worth unsold.

    >>> protected_poisson(means=np.array([27.3]), ratios=np.array([159 / 225])).tolist()
    [24]
    """
    wanted = 1.0 - np.clip(ratios, 0.0, 1.0)
    low = np.full(means.shape, -1, dtype=np.int64)  # P(D <= low) < wanted
    high = np.ceil(means + 40.0 * np.sqrt(means) + 40.0).astype(np.int64)
    while np.any(high - low > 1):
        middle = (low + high) // 2
        is_enough = pdtr(middle, means) >= wanted
        high = np.where(is_enough, middle, high)
        low = np.where(is_enough, low, middle)
    return np.where(wanted <= 0.0, 0, high)


def emsr_a(classes: Sequence[PriceClass]) -> list[float]:
    """Return how many units are kept from each class for those above it; prices fall, the first has 0."""
    levels = [0.0]
    for number in range(1, len(classes)):
        low = classes[number].price
        kept = (_kept(above.mean, above.deviation, low / above.price) for above in classes[:number])
        levels.append(sum(kept))
    return _rising(levels)


def emsr_b(classes: Sequence[PriceClass]) -> list[float]:
    """Return how many units are kept from each class for those above it, taken together; prices fall."""
    levels = [0.0]
    for number in range(1, len(classes)):
        above = classes[:number]
        mean = sum(one.mean for one in above)
        if not mean > 0:  # a demand that is no number counts as none
            levels.append(0.0)
            continue
        price = sum(one.price * one.mean for one in above) / mean
        deviation = math.sqrt(sum(one.deviation**2 for one in above))
        levels.append(_kept(mean, deviation, classes[number].price / price))
    return _rising(levels)


def marginal_revenues(classes: Sequence[PriceClass]) -> list[float]:
    """Return what each class adds, per unit of its demand, where all pay the lowest open price; prices fall.

    Below 0: opening the class costs more on those who would have paid more than it brings.
    """
    found, sold, before = [], 0.0, 0.0
    for one in classes:
        sold += one.mean
        revenue = one.price * sold
        found.append((revenue - before) / one.mean)
        before = revenue
    return found


def emsr_b_buying_down(classes: Sequence[PriceClass], *, most: float = math.inf) -> list[float]:
    """Return EMSR-b's levels where customers buy the cheapest open class; CLOSED for a class that adds nothing.

    most: units there are; a class that would be kept from all of them is closed, too.
    """
    revenues = marginal_revenues(classes)
    open_count = next((n for n, revenue in enumerate(revenues) if revenue <= 0), len(classes))
    adjusted = [
        PriceClass(price=revenue, mean=one.mean, deviation=one.deviation)
        for revenue, one in zip(revenues[:open_count], classes, strict=False)
    ]
    levels = [level if level < most else CLOSED for level in emsr_b(adjusted)]
    return levels + [CLOSED] * (len(classes) - open_count)


def _kept(mean: float, deviation: float, ratio: float) -> float:
    if not mean > 0:
        return 0.0
    return max(0.0, mean + deviation * _quantile(1 - ratio))


def _quantile(share: float) -> float:
    """Return the normal quantile; prices that are equal, or the wrong way round, protect nothing."""
    return _NORMAL.inv_cdf(share) if share > 0 else -math.inf


def _rising(levels: Sequence[float]) -> list[float]:
    return np.maximum.accumulate(levels).tolist()
