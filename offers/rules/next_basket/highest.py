"""The highest of many values without sorting them all: a few of them tell where the highest begin."""

import numpy as np
from numpy.typing import NDArray

from offers.rules.next_basket.histories import Ints

Values = NDArray[np.floating]

SAMPLED = 16  # one value of so many is looked at first


def bar_below(values: Values, count: int) -> float:
    """Return a value that `count` of these values most probably reach: a guess from a sample of them."""
    sample = np.sort(values[::SAMPLED])
    place = count // SAMPLED + count // (3 * SAMPLED) + 8
    return float(sample[-place]) if place <= len(sample) else -np.inf


def highest(values: Values, count: int) -> Ints:
    """Return the places of the `count` highest values, rising; of equal ones the lower places. All, where there are fewer."""
    if count >= len(values):
        return np.arange(len(values))
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    places = np.flatnonzero(values >= bar_below(values, count))
    if len(places) < count:  # the guess was too high
        places = np.arange(len(values))
    found = values[places]
    least = np.partition(found, len(found) - count)[len(found) - count]
    is_kept = found > least
    ties = np.flatnonzero(found == least)
    is_kept[ties[: count - np.count_nonzero(is_kept)]] = True
    return places[is_kept]


def best(scores: Values, count: int) -> Ints:
    """Return the columns of the `count` highest scores of each row, best first; the lower column among equals.

    Fewer where there are fewer columns.
    """
    chosen = np.empty((len(scores), min(count, scores.shape[1])), dtype=np.int64)
    for row, values in enumerate(scores):
        columns = highest(values, count)
        chosen[row] = columns[np.argsort(-values[columns], kind="stable")]
    return chosen
