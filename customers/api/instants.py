"""RFC 3339 instants, read strictly."""

import re
from datetime import UTC, datetime

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,12})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def parse_instant(text: str) -> datetime:
    """Return the aware UTC instant. Raises ValueError: other forms, no offset, year 0, or beyond years 1 to 9999 in UTC.

    >>> parse_instant("2026-11-22T10:03:07+01:00").isoformat()
    '2026-11-22T09:03:07+00:00'
    """
    if not _RFC_3339.fullmatch(text):
        raise ValueError("not RFC 3339 with an offset")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("outside of years 1 to 9999") from None
