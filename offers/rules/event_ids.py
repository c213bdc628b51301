"""An event's row id tells when it was received, so that a day's events are one range of ids; docs/decisions/0014-events-by-day.md."""

from datetime import UTC, date, datetime, time, timedelta

NUMBER_BITS = 20  # a number within the millisecond, from a sequence that every server process shares
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def first_id(at: datetime) -> int:
    """Return the least id of an event received at this instant, to the millisecond; negative before 1970.

    >>> first_id(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1000 << NUMBER_BITS
    True
    """
    return (at - _EPOCH) // _MILLISECOND << NUMBER_BITS


def received_at(row_id: int) -> datetime:
    """Return the instant, to the millisecond, at which the event with this id was received."""
    return _EPOCH + (row_id >> NUMBER_BITS) * _MILLISECOND


def ids_of_day(day: date) -> tuple[int, int]:
    """Return [first, last) of the ids of a day, by UTC."""
    start = datetime.combine(day, time(0), tzinfo=UTC)
    return first_id(start), first_id(start + timedelta(days=1))
