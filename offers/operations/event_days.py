"""The events' table by day: days made ahead, positions forgotten, whole days dropped; docs/decisions/0014-events-by-day.md."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import structlog
from django.db import OperationalError, connection, transaction

from customers.operations.retention import in_batches
from offers.event_tables import day_table
from offers.rules.event_ids import first_id

AHEAD = 7  # days that stand ready, so that a week without jobs loses nothing
WINDOW = timedelta(minutes=10)  # positions forgotten in one transaction
LOCK_WAIT = "2s"  # a day's table is hung in or out only if nobody has to wait for it longer
ONE_DAY = timedelta(days=1)

_log = structlog.get_logger(__name__)

_DAYS = """
    SELECT to_date(right(c.relname, 8), 'YYYYMMDD'),
           EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.conname = 'positions_are_forgotten')
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'offers_locationevent'::regclass AND c.relname ~ '_[0-9]{8}$'
     ORDER BY c.relname
"""
_FORGET = """
    UPDATE offers_locationevent SET lat = NULL, lon = NULL, accuracy_m = NULL
     WHERE id >= %s AND id < %s AND (lat IS NOT NULL OR lon IS NOT NULL OR accuracy_m IS NOT NULL)
"""
_SEAL = """
    ALTER TABLE {} ADD CONSTRAINT positions_are_forgotten
        CHECK (lat IS NULL AND lon IS NULL AND accuracy_m IS NULL) NOT VALID
"""
# What no day's table was made for: few rows, if any.
_FORGET_REST = """
    UPDATE offers_locationevent_rest SET lat = NULL, lon = NULL, accuracy_m = NULL
     WHERE ctid = ANY(ARRAY(SELECT ctid FROM offers_locationevent_rest
                             WHERE received_at < %s
                               AND (lat IS NOT NULL OR lon IS NOT NULL OR accuracy_m IS NOT NULL)
                             LIMIT %s))
"""
_DELETE_REST = """
    DELETE FROM offers_locationevent_rest
     WHERE ctid = ANY(ARRAY(SELECT ctid FROM offers_locationevent_rest WHERE received_at <= %s LIMIT %s))
"""


def make_event_days(*, now: datetime, ahead: int = AHEAD) -> int:
    """Make the tables of today and the days ahead that are missing; return how many were.

    A day whose table cannot be hung in within two seconds is left to the next call; its events would go to the rest.
    """
    made = 0
    for number in range(ahead + 1):
        with _if_free("an event day was not made"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
            cursor.execute("SELECT offers_make_event_day(%s)", [_day(now) + number * ONE_DAY])
            made += bool(cursor.fetchone()[0])
    return made


def forget_positions(*, before: datetime, batch: int) -> int:
    """Take the position out of the events received before that instant; return of how many.

    A day that lies wholly before it is then sealed with a constraint, and not looked at again. Windows of ten minutes,
    one transaction each: only events that nobody writes any more are locked.
    """
    forgotten = in_batches(_FORGET_REST, [before], batch=batch)
    for day, is_sealed in _days():
        start, end = _start(day), min(_start(day) + ONE_DAY, before)
        if is_sealed or start >= before:
            continue
        while start < end:
            until = min(start + WINDOW, end)
            with connection.cursor() as cursor:
                cursor.execute(_FORGET, [first_id(start), first_id(until)])
                forgotten += cursor.rowcount
            start = until
        if _start(day) + ONE_DAY <= before:
            _seal(day)
    return forgotten


def drop_events(*, until: datetime, batch: int) -> int:
    """Drop each day's table whose first moment is not after that instant; return how many events went with them.

    So no event outlives its time, and none goes more than a day before it. What has no day's table goes one by one.
    """
    gone = in_batches(_DELETE_REST, [until], batch=batch)
    for day, _ in _days():
        if _start(day) > until:
            continue
        with _if_free("an event day was not dropped"), transaction.atomic(), connection.cursor() as cursor:
            table = connection.ops.quote_name(day_table(day))
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name made of a date
            events = cursor.fetchone()[0]
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
            cursor.execute(f"ALTER TABLE offers_locationevent DETACH PARTITION {table}")
            cursor.execute(f"DROP TABLE {table}")
            gone += events
    return gone


def _seal(day: date) -> None:
    with _if_free("an event day was not sealed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
        cursor.execute(_SEAL.format(connection.ops.quote_name(day_table(day))))


def _days() -> list[tuple[date, bool]]:
    """Return the days that have a table, the oldest first, and whether each is sealed."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS)
        return list(cursor.fetchall())


@contextmanager
def _if_free(said: str) -> Iterator[None]:
    """Let a lock that is not to be had be: the job comes again."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "55P03":  # lock_not_available
            raise
        _log.warning("event_day_is_busy", what=said)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
