"""Which of several equals to try, and how probable that choice was: Thompson sampling on Beta beliefs; docs/algorithms/exploration.md.

The chance of every choice is computed, not sampled, and one number in [0, 1) picks: the choice can be told again, and its
propensity is exact, which off-policy estimates need.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

PRIOR_HITS, PRIOR_MISSES = 1.0, 19.0  # one in twenty, where nothing is known
FLOOR = 0.05  # of all choices are spread evenly: no propensity is ever 0
NODES = 128

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(NODES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What is believed of the rate of one choice: Beta(hits, misses), the prior included."""

    hits: float
    misses: float

    @property
    def mean(self) -> float:
        return self.hits / (self.hits + self.misses)


def belief(
    *, hits: float, tries: float, prior_hits: float = PRIOR_HITS, prior_misses: float = PRIOR_MISSES
) -> Belief:
    """Return the belief after `hits` of `tries`.

    Raises ValueError unless 0 <= hits <= tries and the prior is above 0.

    >>> round(belief(hits=7, tries=100).mean, 6)
    0.066667
    """
    if not (0 <= hits <= tries and prior_hits > 0 and prior_misses > 0):
        raise ValueError("hits are among the tries, and a prior believes in both outcomes")
    return Belief(hits=prior_hits + hits, misses=prior_misses + tries - hits)


def propensities(beliefs: Sequence[Belief], *, floor: float = FLOOR) -> tuple[float, ...]:
    """Return the chance of each choice, in the same order; they add up to 1.

    (1 − floor) · P(its rate is the highest) + floor / n: what a Thompson sampler that tries something at random in `floor` of all
    cases would do. P is an integral over the choice's quantiles. Raises ValueError without choices.
    """
    if not beliefs:
        raise ValueError("there is nothing to choose from")
    if len(beliefs) == 1:
        return (1.0,)
    best = np.array([_is_best(index, beliefs) for index in range(len(beliefs))])
    mixed = (1.0 - floor) * best / best.sum() + floor / len(beliefs)
    return tuple(map(float, mixed / mixed.sum()))


def _is_best(index: int, beliefs: Sequence[Belief]) -> float:
    own = beliefs[index]
    quantiles: NDArray[np.float64] = beta.ppf((_POINTS + 1.0) / 2.0, own.hits, own.misses)
    below = np.ones_like(quantiles)
    for other, one in enumerate(beliefs):
        if other != index:
            below *= beta.cdf(quantiles, one.hits, one.misses)
    return float(below @ _WEIGHTS / 2.0)


def choose(chances: Sequence[float], *, draw: float) -> int:
    """Return the index that `draw`, in [0, 1), falls on when the chances stand end to end.

    >>> choose((0.2, 0.5, 0.3), draw=0.69), choose((0.2, 0.5, 0.3), draw=0.71)
    (1, 2)
    """
    reached = 0.0
    for index, chance in enumerate(chances):
        reached += chance
        if draw < reached:
            return index
    # the rounding of a sum that falls short of 1
    return max(index for index, chance in enumerate(chances) if chance > 0)


def draw_for(*parts: str) -> float:
    """Return a number in [0, 1) for these words, evenly spread: the same words give the same, in any process."""
    digest = blake2b("\x1f".join(parts).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53  # as many bits as a double tells apart
