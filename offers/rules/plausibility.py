"""Whether a phone's claim can be true: its clock, and how fast it must have moved; docs/algorithms/geofence.md."""

import math
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from offers.rules.geofence import distance_m

# No phone that reports events was set before this; a clock there was never set at all.
CLOCKS_ARE_SET_SINCE = datetime(2015, 1, 1, tzinfo=UTC)


class Clock(StrEnum):
    """What an event's own time says about it."""

    OK = "ok"
    LATE = "late"  # acted on, but never pushed
    TOO_OLD = "too_old"  # stored, never acted on
    FUTURE = "future"
    EPOCH = "epoch"  # a clock that was never set


class Movement(StrEnum):
    """What the way between two fixes says about the second."""

    PLAUSIBLE = "plausible"
    MOVING_TOO_FAST = "moving_too_fast"  # in a vehicle
    IMPLAUSIBLE = "implausible"  # no customer moves like this, or the phone says the position is made up


class Limits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where belief ends."""

    future_tolerance_s: float = 120.0  # an event may be this far ahead of the server
    late_s: float = 120.0  # older events push nothing
    too_old_s: float = 86_400.0  # older events decide nothing
    max_speed_mps: float = 7.0  # faster is a vehicle
    impossible_speed_mps: float = 70.0  # faster is a lie


class Fix(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One reported position."""

    at: datetime  # aware
    lat: float  # degrees, WGS 84
    lon: float  # degrees, WGS 84
    accuracy_m: float  # 68 % radius
    is_mock: bool = False


DEFAULT_LIMITS = Limits()


def clock_of(*, occurred_at: datetime, now: datetime, limits: Limits = DEFAULT_LIMITS) -> Clock:
    """Return how an event's time stands to the server's; each limit itself still passes."""
    if occurred_at < CLOCKS_ARE_SET_SINCE:
        return Clock.EPOCH
    age_s = (now - occurred_at).total_seconds()
    if age_s < -limits.future_tolerance_s:
        return Clock.FUTURE
    if age_s > limits.too_old_s:
        return Clock.TOO_OLD
    return Clock.LATE if age_s > limits.late_s else Clock.OK


def speed_mps(*, before: Fix, after: Fix) -> float:
    """Return the least speed, in m/s, that both fixes allow; infinite for two places at one instant."""
    apart = distance_m(lat1=before.lat, lon1=before.lon, lat2=after.lat, lon2=after.lon)
    surely = max(0.0, apart - before.accuracy_m - after.accuracy_m)
    elapsed_s = abs((after.at - before.at).total_seconds())
    if surely == 0.0:
        return 0.0
    return surely / elapsed_s if elapsed_s else math.inf


def movement_of(*, before: Fix | None, after: Fix, limits: Limits = DEFAULT_LIMITS) -> Movement:
    """Return whether a fix can be believed after the one before it (None: the first)."""
    if after.is_mock:
        return Movement.IMPLAUSIBLE
    if before is None:
        return Movement.PLAUSIBLE
    speed = speed_mps(before=before, after=after)
    if speed > limits.impossible_speed_mps:
        return Movement.IMPLAUSIBLE
    return Movement.MOVING_TOO_FAST if speed > limits.max_speed_mps else Movement.PLAUSIBLE
