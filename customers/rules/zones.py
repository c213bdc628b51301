"""Time zones by name: the one place where a customer's or a store's zone is looked up."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class UnknownTimeZone(ValueError):
    """No time zone has this name."""


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """Return the IANA time zone of this name. Raises UnknownTimeZone, for an empty or malformed name too."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownTimeZone("No time zone has this name.") from error


def local_time(*, at: datetime, time_zone: str) -> datetime:
    """Return the wall clock of an aware instant in a zone. Raises UnknownTimeZone."""
    return at.astimezone(UTC).astimezone(zone_named(time_zone))
