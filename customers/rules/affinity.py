"""How much of a customer's spending goes to a brand or category; docs/algorithms/affinity.md."""

import math
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

# Every weight is told as if seen from this instant: shares are the same from any other.
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
HALF_LIFE_DAYS = 30.0
SECONDS_PER_DAY = 86_400.0
# Keeps sums of weights inside a double for receipts dated centuries off.
MAX_DOUBLINGS = 900.0
MAX_KEY_CHARS = 128


def brand_key(name: str) -> str:
    """Return the key under which every spelling of a brand counts: without case, accents, or punctuation.

    At most 128 characters; empty where the name has neither letter nor digit.

    >>> brand_key("  Danoné - ACTIVIA ")
    'danone activia'
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    kept = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())[:MAX_KEY_CHARS].rstrip()


def weight(*, amount: float, at: datetime, half_life_days: float = HALF_LIFE_DAYS) -> float:
    """Return what one purchase line adds to each of its brand's, category's and the whole weight.

    amount: what was paid, in minor units (quantity times unit price); negative for a return.
    A line half_life_days later weighs twice as much, which is decay without ever touching old rows:
    the sum over lines is additive, so the order of arrival does not matter and a correction subtracts.
    Raises ValueError unless half_life_days > 0.

    >>> weight(amount=100, at=EPOCH)
    100.0
    """
    if not half_life_days > 0:
        raise ValueError("a half-life is longer than no time")
    doublings = (at - EPOCH).total_seconds() / SECONDS_PER_DAY / half_life_days
    return amount * math.exp2(max(-MAX_DOUBLINGS, min(MAX_DOUBLINGS, doublings)))


def summed(weights: Iterable[float]) -> float:
    """Return the sum of weights, the same to the last bit in any order."""
    return math.fsum(weights)


def total_weight(parts: Iterable[float]) -> float:
    """Return the whole that brands (or sibling categories) are shares of: the sum of those above zero.

    A brand returned more than bought counts as nothing, and not against the others.
    """
    return math.fsum(part for part in parts if part > 0.0)


def share(part: float, total: float) -> float:
    """Return part / total in [0, 1]; 0 where nothing is known or more came back than was bought.

    >>> share(25.0, 100.0)
    0.25
    """
    if part <= 0.0 or total <= 0.0:
        return 0.0
    return min(1.0, part / total)
