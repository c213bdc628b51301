"""How regularly something is bought, and whether it is due again; docs/algorithms/profile.md.

A renewal process: the time between two purchases is gamma distributed. Its mean is the customer's own, pulled towards what is
usual; its shape (1: no rhythm at all, higher: more regular) is pooled over customers.
"""

import math
from dataclasses import dataclass

from scipy.special import gammainc, gammaincc

ERLANG_SHAPE = 2.0
PRIOR_INTERVALS = 2.0  # how many of a customer's own intervals the usual one counts as
TOO_SOON_SHARE = 0.5  # of the mean interval: before that, nobody has used up what they bought
FAR_TAIL = 1e-250  # below this chance of not having bought yet, the answer no longer changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Purchases of one product, brand or category, or of anything, by one customer."""

    purchases: int  # receipts
    span_days: float  # between the first and the last of them

    @property
    def intervals(self) -> int:
        return max(0, self.purchases - 1)


def mean_interval_days(
    rhythm: Rhythm, *, usual_days: float, prior_intervals: float = PRIOR_INTERVALS
) -> float:
    """Return the customer's mean days between purchases, shrunk towards the usual ones.

    Intervals add up to the span, so that neither the order of receipts nor how they came in matters.
    Raises ValueError unless usual_days and prior_intervals are above 0.

    >>> round(mean_interval_days(Rhythm(purchases=5, span_days=30), usual_days=14), 4)
    9.6667
    """
    if not (usual_days > 0 and prior_intervals > 0):
        raise ValueError("what is usual takes time, and counts for something")
    return (prior_intervals * usual_days + rhythm.span_days) / (prior_intervals + rhythm.intervals)


def due(*, since_days: float, within_days: float, mean_days: float, shape: float = ERLANG_SHAPE) -> float:
    """Return P(buys again within `within_days` | nothing was bought for `since_days`), 0..1.

    [F(t + Δ) − F(t)] / [1 − F(t)] of the gamma distribution; since_days below 0 counts as 0. Far out in the tail the
    chance nears that of a constant rate, shape / mean_days a day.
    Raises ValueError unless mean_days and shape are above 0 and within_days is not below.

    >>> round(due(since_days=8, within_days=2, mean_days=29 / 3), 4)
    0.2358
    """
    if not (mean_days > 0 and shape > 0 and within_days >= 0):
        raise ValueError("an interval is longer than no time")
    rate = shape / mean_days
    if shape == ERLANG_SHAPE:
        # 1 − F(x) = (1 + x)·e^−x: the same, without a special function, for the decision asks it of each candidate
        now = rate * max(0.0, since_days)
        return 1.0 - math.exp(-rate * within_days) * (1.0 + now + rate * within_days) / (1.0 + now)
    now, then = rate * max(0.0, since_days), rate * (max(0.0, since_days) + within_days)
    waiting = float(gammaincc(shape, now))
    if waiting < FAR_TAIL:
        return float(gammainc(1.0, rate * within_days))
    # by what is left, not by what is reached: close to 1, the difference of the latter loses its digits
    return 1.0 - float(gammaincc(shape, then)) / waiting


def is_too_soon(*, since_days: float, mean_days: float) -> bool:
    """Return whether less than half the mean interval has gone by.

    >>> is_too_soon(since_days=3, mean_days=10)
    True
    """
    return since_days < TOO_SOON_SHARE * mean_days
