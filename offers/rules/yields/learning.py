"""What sales teach about demand: a rate for each deal, a price sensitivity for each category."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import gammaincinv

STEPS = 50  # of Newton's method, which needs five


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Units an hour at the regular price, as a Gamma distribution: `sales` seen in `hours`, the prior's included."""

    sales: float  # α, above 0
    hours: float  # β, above 0

    @classmethod
    def expected(cls, *, per_hour: float, hours: float) -> "Rate":
        """Return what a marketer's guess says, as sure as if it had been watched for so many hours."""
        return cls(sales=per_hour * hours, hours=hours)

    @property
    def mean(self) -> float:
        return self.sales / self.hours

    def after(self, *, sales: float, hours: float) -> "Rate":
        """Return what is known after more sales: hours at another price count by how much it sells, e^(ε·depth).

        >>> Rate.expected(per_hour=2, hours=4).after(sales=12, hours=4).mean
        2.5
        """
        return Rate(sales=self.sales + sales, hours=self.hours + hours)

    def band(self, *, share: float = 0.8) -> tuple[float, float]:
        """Return the middle of the distribution that holds this share of it."""
        low, high = (1 - share) / 2, (1 + share) / 2
        return tuple(float(gammaincinv(self.sales, at)) / self.hours for at in (low, high))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one price of one product sold."""

    depth_share: float  # 0..1 off the regular price
    expected: float  # units that the regular price would have sold in that time
    sold: float


def pooled_elasticity(
    seen: Sequence[Seen], *, prior: float = 2.0, prior_deviation: float = 1.0
) -> tuple[float, float]:
    """Return the elasticity of a category and its standard deviation; the prior's where nothing was seen.

    Three or four prices of one product tell too little, so the products of a category share one number. Sales are
    Poisson with expected · e^(ε · depth) and ε is normal before; the answer is the peak of what is then known, never
    below 0.
    """
    weight = 1 / prior_deviation**2
    found = prior
    for _ in range(STEPS):
        means = [one.expected * math.exp(min(found * one.depth_share, 50.0)) for one in seen]
        slope = sum(one.depth_share * (one.sold - mean) for one, mean in zip(seen, means, strict=True))
        slope -= weight * (found - prior)
        bend = sum(one.depth_share**2 * mean for one, mean in zip(seen, means, strict=True)) + weight
        step = max(-1.0, min(1.0, slope / bend))
        found += step
        if abs(step) < 1e-12:
            break
    means = [one.expected * math.exp(min(found * one.depth_share, 50.0)) for one in seen]
    known = sum(one.depth_share**2 * mean for one, mean in zip(seen, means, strict=True)) + weight
    return max(0.0, found), 1 / math.sqrt(known)
