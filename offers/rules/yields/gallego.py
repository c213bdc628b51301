"""Prices that may move at any moment: the closed form that the menu's programme is checked against.

Demand is λ(p) = a·e^(−αp). Source: Gallego & van Ryzin (1994), "Optimal dynamic pricing of inventories with stochastic
demand over finite horizons", Management Science 40(8).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp, pdtr


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Demand a·e^(−αp) per hour, and what a unit left over is worth."""

    per_hour: float  # a: demand at price 0
    alpha: float  # per unit of money
    unsold: float = 0.0

    @classmethod
    def around(cls, *, price: float, per_hour: float, elasticity: float, unsold: float = 0.0) -> "Curve":
        """Return the curve with this demand and elasticity at this price."""
        return cls(per_hour=per_hour * math.exp(elasticity), alpha=elasticity / price, unsold=unsold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    worth: float  # J*: expected revenue, leftovers included
    price: float  # p* of the next sale
    bid: float  # least that the next unit should be given for, what it is worth unsold included
    bound: float  # J^D: what a demand without chance would earn; J* is never above
    fixed_price: float  # the best price that never changes
    fixed_worth: float


def optimum(curve: Curve, *, units: int, hours: float) -> Optimum:
    """Return the best that `units` (1 or more) can earn in `hours` (above 0).

    >>> found = optimum(Curve(per_hour=10, alpha=1), units=1, hours=1)
    >>> round(found.worth, 4), round(found.price, 4), round(found.bound, 4)
    (1.543, 2.543, 2.3026)
    """
    alpha, unsold = curve.alpha, curve.unsold
    rate = curve.per_hour * math.exp(-alpha * unsold) * hours  # customers at the price `unsold`
    worth, before = (_worth(rate / math.e, units=n, alpha=alpha) for n in (units, units - 1))
    sure = max(math.log(rate / units) / alpha, 1 / alpha)
    fixed = _best_fixed(rate, alpha=alpha, units=units)
    return Optimum(
        worth=worth + unsold * units,
        price=worth - before + 1 / alpha + unsold,
        bid=worth - before + unsold,
        bound=rate * math.exp(-alpha * sure) * sure + unsold * units,
        fixed_price=fixed + unsold,
        fixed_worth=fixed * _sold(rate * math.exp(-alpha * fixed), units=units) + unsold * units,
    )


def _worth(mean: float, *, units: int, alpha: float) -> float:
    counts = np.arange(units + 1)
    return float(logsumexp(counts * math.log(mean) - gammaln(counts + 1))) / alpha


def _sold(mean: float, *, units: int) -> float:
    """Return E[min(units, Poisson(mean))]."""
    return float(np.sum(1.0 - pdtr(np.arange(units), mean)))


def _best_fixed(rate: float, *, alpha: float, units: int) -> float:
    """Return the price above salvage with the highest revenue, found by halving: revenue has one peak."""
    low, high = 0.0, (math.log(max(rate, math.e)) + 2) / alpha
    golden = (math.sqrt(5) - 1) / 2

    def revenue(price: float) -> float:
        return price * _sold(rate * math.exp(-alpha * price), units=units)

    while high - low > 1e-9 / alpha:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if revenue(left) < revenue(right):
            low = left
        else:
            high = right
    return (low + high) / 2
