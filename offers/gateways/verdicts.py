"""What one answer of a provider means, in the words that all gateways share."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from .port import Outcome

FAILURE_WAIT = timedelta(seconds=10)
QUOTA_WAIT = timedelta(seconds=60)
MAX_RETRY_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one answer means; `retry_in` is set if and only if the outcome is TRY_LATER."""

    outcome: Outcome
    code: str | None = None
    status: int | None = None
    retry_in: timedelta | None = None
    provider_message_id: str | None = None
    slows_lane: bool = False  # nothing more goes out on the lane before retry_in
    refuses_credentials: bool = False  # a fresh access token may be tried once


def later(code: str, *, status: int | None = None, retry_in: timedelta = FAILURE_WAIT) -> Verdict:
    """Return the verdict for a send that failed for reasons that pass."""
    return Verdict(outcome=Outcome.TRY_LATER, code=code, status=status, retry_in=retry_in)


def lane_stopped(code: str, *, status: int | None = None) -> Verdict:
    """Return the verdict for trouble that every message of the lane would meet."""
    return Verdict(outcome=Outcome.LANE_STOPPED, code=code, status=status)


def retry_wait(retry_after: str | None, *, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header asks to wait, at most 24 h; None without one that can be read."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        return _wait_until(retry_after, now=now)
    if not math.isfinite(seconds) or seconds < 0:
        return None
    return timedelta(seconds=min(seconds, MAX_RETRY_AFTER.total_seconds()))


def _wait_until(date: str, *, now: datetime) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), MAX_RETRY_AFTER)
