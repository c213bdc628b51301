"""Recency, frequency, monetary value: the three oldest numbers of database marketing; docs/algorithms/profile.md."""

from dataclasses import dataclass
from datetime import datetime

SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rfm:
    recency_days: int  # whole days since the last purchase
    frequency: int  # receipts
    monetary_minor: int  # spent in all, minor units


def rfm(*, purchases: int, spend_minor: int, last_at: datetime | None, now: datetime) -> Rfm | None:
    """Return the customer's numbers; None for somebody who never bought.

    A purchase dated after `now` (a till's clock) was 0 days ago.
    """
    if last_at is None or purchases <= 0:
        return None
    recency = max(0.0, (now - last_at).total_seconds())
    return Rfm(
        recency_days=int(recency // SECONDS_PER_DAY),
        frequency=purchases,
        monetary_minor=spend_minor,
    )
