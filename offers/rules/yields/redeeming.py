"""When coupons are redeemed after they were issued, and what is still to come of those that are out."""

import math
from dataclasses import dataclass

import numpy as np

from offers.rules.yields.demand import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Weibull:
    """F(t) = 1 − e^(−(t/scale)^shape): the share of all redemptions that come within t; shape 1 is exponential."""

    shape: float
    scale_min: float  # minutes

    def within(self, minutes: Floats) -> Floats:
        """Return F for ages in minutes, 0 or more.

        >>> round(float(Weibull(shape=0.6, scale_min=60).within(np.array(30.0))), 4)
        0.483
        """
        return -np.expm1(-((minutes / self.scale_min) ** self.shape))

    def quantile_min(self, share: float) -> float:
        """Return the age in minutes by which this share (0..1, not 1) has come."""
        return self.scale_min * float((-math.log1p(-share)) ** (1 / self.shape))


# Few redemptions of mobile coupons are late: half come in the first half hour. Replace by what a store measures.
RESPONSE = Weibull(shape=0.6, scale_min=60.0)


def outstanding(
    *, ages_min: Floats, lives_min: Floats, response: Floats, times: Weibull = RESPONSE
) -> Floats:
    """Return the chance that each coupon, not redeemed by its age, still will be within its life.

    response: the chance at issue that it ever is. q·[F(life) − F(age)] / [1 − q·F(age)].
    """
    before = response * times.within(np.minimum(ages_min, lives_min))
    return (response * times.within(lives_min) - before) / (1.0 - before)


def median_response_min(*, life_min: float, times: Weibull = RESPONSE) -> float:
    """Return the age by which half of those redemptions have come that come within a coupon's life."""
    return times.quantile_min(float(times.within(np.array(life_min))) / 2)


def value_share(*, age_min: float, half_life_min: float) -> float:
    """Return what a message is still worth at an age: half after each half-life.

    >>> round(value_share(age_min=30, half_life_min=20), 4)
    0.3536
    """
    return float(2.0 ** (-age_min / half_life_min))
