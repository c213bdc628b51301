"""Which tables hold the events of the last days; docs/decisions/0014-events-by-day.md.

A statement on the parent of all days locks every one of them each time it runs, however few it reads. The hot path's
statements name the two or three days that they need.
"""

from datetime import UTC, date, datetime, timedelta

from offers.cursors import hot_cursor

PARENT = "offers_locationevent"
REST = "offers_locationevent_rest"  # what no day's table was made for
CLOCKS_DIFFER_BY = timedelta(hours=1)  # of server processes, at the very most
ONE_DAY = timedelta(days=1)

MOST_DAYS = 16

# Days known to have a table, which they keep for months; forgotten all at once, so that none is believed in for ever.
_made: set[date] = set()


def day_table(day: date) -> str:
    """Return the name of a day's table, made or not."""
    return f"{PARENT}_{day:%Y%m%d}"


def table_of_today(now: datetime) -> str:
    """Return the table that takes an event received now: the day's own, which spares finding it for each row."""
    day = now.astimezone(UTC).date()
    return day_table(day) if _are_made([day]) else PARENT


def recent_events(now: datetime, *, back: timedelta) -> str:
    """Return a SELECT, in parentheses, of all events received in the time before now, as it may stand in a FROM."""
    first, last = (now - back).astimezone(UTC).date(), (now + CLOCKS_DIFFER_BY).astimezone(UTC).date()
    days = [first + number * ONE_DAY for number in range((last - first).days + 1)]
    if _are_made(days):
        tables = [day_table(day) for day in days]
    else:
        tables = [*(day_table(day) for day in days if day in _made), REST]
    return f"({' UNION ALL '.join(f'SELECT * FROM {table}' for table in tables)})"  # noqa: S608 - names made of dates


def _are_made(days: list[date]) -> bool:
    """Return whether each of the days has its table; asks the database only about those that had none when last asked."""
    if len(_made) > MOST_DAYS:
        _made.clear()
    asked = [day for day in days if day not in _made]
    if asked:
        with hot_cursor() as cursor:
            cursor.execute(
                "SELECT day FROM unnest(%s::date[], %s::text[]) AS t(day, name) WHERE to_regclass(name) IS NOT NULL",
                [asked, [day_table(day) for day in asked]],
            )
            _made.update(day for (day,) in cursor.fetchall())
    return _made.issuperset(days)
