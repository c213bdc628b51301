"""Logistic regression whose weights keep the signs they must have, and lean on what was believed before.

The estimate is the mode of the posterior under a normal prior around given weights: without data it is the prior, and
data move it only as far as they carry. Features are taken as they come: bring them to comparable scales first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import rankdata

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is believed before any data; all in the same order as the columns."""

    weights: Floats
    signs: Sequence[int]  # +1: not below 0; -1: not above; 0: free
    strength: float  # how strongly weights are held, 1 / variance; above 0


def fitted_weights(features: Floats, outcomes: Floats, prior: Prior, *, free: Sequence[int] = ()) -> Floats:
    """Return the weights, one a column.

    features: rows × columns, an intercept's column of ones included; outcomes: 0 or 1 a row; free: columns that nothing
    holds, such as the intercept's. Raises ValueError if the prior breaks its own signs.
    """
    if any(sign * weight < 0 for sign, weight in zip(prior.signs, prior.weights, strict=True)):
        raise ValueError("a prior weight has the sign that is ruled out")
    held = np.full(features.shape[1], prior.strength)
    held[list(free)] = 1e-9
    bounds = [(0.0, None) if sign > 0 else (None, 0.0) if sign < 0 else (None, None) for sign in prior.signs]

    def cost(weights: Floats) -> tuple[float, Floats]:
        logits = features @ weights
        away = weights - prior.weights
        value = np.logaddexp(0.0, logits).sum() - outcomes @ logits + 0.5 * (held * away) @ away
        return float(value), features.T @ (expit(logits) - outcomes) + held * away

    found = minimize(
        cost,
        prior.weights,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 2_000, "maxfun": 4_000},
    )
    return np.asarray(found.x, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A line that log-odds go through, so that chances come true as often as they say."""

    slope: float  # above 0: the order never changes
    shift: float

    def of(self, logits: Floats) -> Floats:
        return self.slope * logits + self.shift


def calibrated(logits: Floats, outcomes: Floats, *, strength: float = 20.0) -> Calibration:
    """Return the line that fits outcomes which the weights have not seen; few of them leave it as it is.

    Source: Platt 1999, with a prior around the identity.
    """
    columns = np.stack([logits, np.ones_like(logits)], axis=1)
    prior = Prior(weights=np.array([1.0, 0.0]), signs=(1, 0), strength=strength)
    slope, shift = fitted_weights(columns, outcomes, prior)
    return Calibration(slope=max(float(slope), 0.05), shift=float(shift))


def calibrated_ahead(
    features: Floats, outcomes: Floats, prior: Prior, *, later: int, free: Sequence[int] = ()
) -> tuple[Floats, Calibration]:
    """Return the weights that the rows before `later` teach, and the line that the rows from it on need, told by them.

    Rows in time order: the line sees how chances come true after the time that taught them, which is how they will be used.
    """
    weights = fitted_weights(features[:later], outcomes[:later], prior, free=free)
    return weights, calibrated(features[later:] @ weights, outcomes[later:])


def log_loss(logits: Floats, outcomes: Floats) -> float:
    """Return the mean surprise at the outcomes, in nats; less is better."""
    return float(np.mean(np.logaddexp(0.0, logits) - outcomes * logits))


def auc(scores: Floats, outcomes: Floats) -> float:
    """Return the chance that a random positive scores above a random negative, ties counting half.

    Raises ValueError without both kinds.
    """
    positives = float(outcomes.sum())
    negatives = len(outcomes) - positives
    if not (positives and negatives):
        raise ValueError("a ranking is judged by positives and negatives: one kind is missing")
    ranks = rankdata(scores)
    return float((ranks[outcomes > 0].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def bootstrap(
    scores: Sequence[Floats], outcomes: Floats, *, groups: NDArray[np.int64], rounds: int, seed: int
) -> Floats:
    """Return the AUC of each of `scores` in `rounds` samples with replacement, rounds × scores.

    Whole groups (all rows of one household) are drawn, since their rows are not independent. A sample without both kinds
    of outcome is drawn again.
    """
    chance = np.random.default_rng(seed)
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    drawn: list[list[float]] = []
    while len(drawn) < rounds:
        chosen = chance.integers(0, len(members), len(members))
        rows = np.concatenate([members[one] for one in chosen])
        if 0 < outcomes[rows].sum() < len(rows):
            drawn.append([auc(one[rows], outcomes[rows]) for one in scores])
    return np.array(drawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Rows of neighbouring chances."""

    rows: int
    said: float  # mean chance
    came: float  # share of positives

    @property
    def errors(self) -> float:
        """By how many standard errors of a share of so many rows more came than was said."""
        return (self.came - self.said) / math.sqrt(max(self.said * (1.0 - self.said), 1e-12) / self.rows)


def calibration_table(chances: Floats, outcomes: Floats, *, bins: int = 10) -> list[Bin]:
    """Return equally filled bins by rising chance."""
    parts = np.array_split(np.argsort(chances, kind="stable"), bins)
    return [
        Bin(rows=len(rows), said=float(chances[rows].mean()), came=float(outcomes[rows].mean()))
        for rows in parts
        if len(rows)
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return by how much what was said misses what came, mean over all rows; 0 is best.

    >>> calibration_error([Bin(rows=3, said=0.2, came=0.1), Bin(rows=1, said=0.5, came=0.9)])
    0.175
    """
    return sum(one.rows * abs(one.said - one.came) for one in bins) / sum(one.rows for one in bins)
