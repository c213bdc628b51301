"""How often one customer may be written to; docs/algorithms/frequency-and-quiet-hours.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from customers.rules.zones import local_time

IGNORED_IN_A_ROW = 3


class CapReason(StrEnum):
    """Which of a customer's caps is full."""

    DAY = "day"
    WEEK = "week"
    GAP = "gap"


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """How much one customer is ready to hear, over all channels."""

    max_per_day: int = 1  # messages in a calendar day of the customer's zone
    max_per_week: int = 3  # messages in an ISO week of the customer's zone
    min_gap_s: int = 4 * 3600  # seconds between two messages


def cap_reason(
    sent_at: Sequence[datetime],
    *,
    now: datetime,
    time_zone: str,
    max_per_day: int,
    max_per_week: int,
    min_gap_s: int,
) -> CapReason | None:
    """Return the first full cap, or None if one more message may go out now.

    sent_at: aware instants in any order, at least those of the running week and of the last min_gap_s.
    A gap of exactly min_gap_s is enough. Raises UnknownTimeZone.
    """
    today = local_time(at=now, time_zone=time_zone).date()
    week = today.isocalendar()[:2]
    days = [local_time(at=at, time_zone=time_zone).date() for at in sent_at]
    if sum(day == today for day in days) >= max_per_day:
        return CapReason.DAY
    if sum(day.isocalendar()[:2] == week for day in days) >= max_per_week:
        return CapReason.WEEK
    gap = timedelta(seconds=min_gap_s)
    if any(now - at < gap for at in sent_at):
        return CapReason.GAP
    return None


def ignored_in_a_row(opened: Sequence[bool]) -> int:
    """Return how many messages were ignored since the last opened one (opened: oldest first)."""
    ignored = 0
    for was_opened in reversed(opened):
        if was_opened:
            break
        ignored += 1
    return ignored


def effective_caps(*, caps: Caps, ignored: int) -> Caps:
    """Return the caps after the customer's silence: halved for every three messages ignored in a row.

    A cap never falls below one message by this rule, so that there is something left to open; a cap of 0
    stays 0. The gap does not change.
    """
    halvings = ignored // IGNORED_IN_A_ROW
    return Caps(
        max_per_day=_halved(caps.max_per_day, halvings),
        max_per_week=_halved(caps.max_per_week, halvings),
        min_gap_s=caps.min_gap_s,
    )


def _halved(cap: int, times: int) -> int:
    return max(min(cap, 1), cap >> times)
