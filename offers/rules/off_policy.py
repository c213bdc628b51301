"""What another rule would have earned, from what was logged under this one; docs/algorithms/exploration.md.

r: reward; π_b: chance of what was done under the rule that did it; π_e: under the rule in question; q̂: expected reward by a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NORMAL_975 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One decision as it was logged."""

    reward: float
    behaviour: float  # π_b of what was done, above 0
    target: float  # π_e of what was done
    expected: float  # q̂ of what was done
    expected_under_target: float  # Σ over all choices of π_e · q̂


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    value: float
    low: float  # of a 95 % interval (normal approximation)
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    ips: Estimate  # unbiased; varies much where the rules differ
    snips: Estimate  # weights scaled to 1: steadier, biased a little
    dm: float  # the model's word alone: as good as the model
    dr: Estimate  # the model, corrected where it erred: right if either the model or the propensities are
    ess: float  # effective number of decisions: how many of the new rule's own this log is worth
    decisions: int
    logged_mean: float  # what the rule that was logged earned


def estimates(logged: Sequence[Logged]) -> Estimates:
    """Return what the rule in question would have earned a decision.

    Raises ValueError without decisions, for a π_b that is not in (0, 1], and where the new rule does nothing that was ever logged.
    """
    if not logged:
        raise ValueError("nothing was logged")
    columns = np.array(
        [(one.reward, one.behaviour, one.target, one.expected, one.expected_under_target) for one in logged]
    )
    reward, behaviour, target, expected, under_target = columns.T
    if not ((behaviour > 0).all() and (behaviour <= 1).all()):
        raise ValueError("what was done had a chance above 0 and up to 1")
    weights = target / behaviour
    total = float(weights.sum())
    if total <= 0:
        raise ValueError("the log holds nothing that this rule would do")
    snips = float(weights @ reward / total)
    corrections = weights * (reward - expected)
    return Estimates(
        ips=_mean(weights * reward),
        snips=_interval(snips, float(np.sqrt(np.sum((weights * (reward - snips)) ** 2)) / total)),
        dm=float(under_target.mean()),
        dr=_mean(under_target + corrections),
        ess=total**2 / float(weights @ weights),
        decisions=len(logged),
        logged_mean=float(reward.mean()),
    )


def _mean(values: NDArray[np.float64]) -> Estimate:
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return _interval(float(values.mean()), spread / np.sqrt(len(values)))


def _interval(value: float, error: float) -> Estimate:
    return Estimate(value=value, low=value - NORMAL_975 * error, high=value + NORMAL_975 * error)
