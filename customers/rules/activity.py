"""Whether a customer is still one, and how often they will come: BG/NBD; docs/algorithms/profile.md.

Purchases come at a customer's own rate (gamma over customers: r, alpha); after each, the customer leaves with a chance of
their own (beta over customers: a, b). Source: Fader, Hardie & Lee, Marketing Science 24(2), 2005.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

BOUND = 12.0  # of the logarithm of a parameter while fitting


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The four parameters of BG/NBD; times in one unit throughout."""

    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is seen of one customer."""

    repeats: int  # purchases after the first
    last: float  # from the first purchase to the last; 0 without repeats
    age: float  # from the first purchase to now; not less than `last`


def probability_alive(population: Population, seen: Seen) -> float:
    """Return the chance, 0..1, that the customer has not left; 1 before the first repeat.

    >>> cdnow = Population(r=0.243, alpha=4.414, a=0.793, b=2.426)
    >>> round(probability_alive(cdnow, Seen(repeats=2, last=30.43, age=38.86)), 4)
    0.7266
    """
    return 1.0 / (1.0 + _odds_gone(population, seen))


def expected_purchases(population: Population, seen: Seen, *, ahead: float) -> float:
    """Return how many purchases to expect in the next `ahead` units of time.

    Raises ValueError if a is 1 to the last digit, where the formula has no value.
    """
    r, alpha, a, b = population.r, population.alpha, population.a, population.b
    if a == 1.0:
        raise ValueError("the expectation is not defined at a = 1")
    x = seen.repeats
    reach = ahead / (alpha + seen.age + ahead)
    stay = ((alpha + seen.age) / (alpha + seen.age + ahead)) ** (r + x)
    growth = 1.0 - stay * float(hyp2f1(r + x, b + x, a + b + x - 1.0, reach))
    return (a + b + x - 1.0) / (a - 1.0) * growth / (1.0 + _odds_gone(population, seen))


def expected_of_new(population: Population, *, ahead: float) -> float:
    """Return how many purchases to expect of somebody new in their first `ahead` units of time."""
    return expected_purchases(population, Seen(repeats=0, last=0.0, age=0.0), ahead=ahead)


def log_likelihood(population: Population, seen: Sequence[Seen]) -> float:
    """Return the log-likelihood of all customers."""
    logs = np.log([population.r, population.alpha, population.a, population.b])
    return -_cost(logs, _columns(seen))


def fitted(seen: Sequence[Seen]) -> Population:
    """Return the population under which what is seen is most likely.

    Raises ValueError with fewer than two customers or without any repeat.
    """
    columns = _columns(seen)
    if len(seen) < 2 or not columns[0].any():
        raise ValueError("nobody came back: there is nothing to learn from")
    span = max(float(columns[2].mean()), 1e-9)
    start = np.log([1.0, span, 1.0, 2.0])
    found = minimize(
        _cost,
        start,
        args=(columns,),
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 5_000, "maxfev": 10_000},
    )
    r, alpha, a, b = np.exp(np.clip(found.x, -BOUND, BOUND))
    return Population(r=float(r), alpha=float(alpha), a=float(a), b=float(b))


Columns = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _columns(seen: Sequence[Seen]) -> Columns:
    rows = np.array([(one.repeats, one.last, one.age) for one in seen], dtype=np.float64).reshape(-1, 3)
    return rows[:, 0], rows[:, 1], rows[:, 2]


def _cost(logs: NDArray[np.float64], columns: Columns) -> float:
    """Return minus the log-likelihood: L = A1·A2·(A3 + 1{x>0}·A4)."""
    r, alpha, a, b = np.exp(np.clip(logs, -BOUND, BOUND))
    x, last, age = columns
    first = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    second = betaln(a, b + x) - betaln(a, b)
    third = -(r + x) * np.log(alpha + age)
    fourth = np.where(
        x > 0, np.log(a) - np.log(np.maximum(b + x - 1.0, 1e-9)) - (r + x) * np.log(alpha + last), -np.inf
    )
    return -float(np.sum(first + second + np.logaddexp(third, fourth)))


def _odds_gone(population: Population, seen: Seen) -> float:
    """Return the odds that the customer has left."""
    if seen.repeats == 0:
        return 0.0
    r, alpha, a, b = population.r, population.alpha, population.a, population.b
    silence = (alpha + seen.age) / (alpha + seen.last)
    return a / (b + seen.repeats - 1.0) * silence ** (r + seen.repeats)
