"""Whether a store is open, from its OpenStreetMap opening hours."""

from datetime import UTC, datetime
from functools import lru_cache

# ParserError is there, but not in the library's own stub
from opening_hours import OpeningHours, ParserError, State  # type: ignore[attr-defined]

from customers.rules.zones import zone_named

HOLIDAY_COUNTRY = "FR"
MAX_LENGTH = 1_000


class BadOpeningHours(ValueError):
    """An expression that is not opening hours in OpenStreetMap's syntax."""


@lru_cache(maxsize=8192)
def _compiled(expression: str, time_zone: str) -> OpeningHours:
    zone = zone_named(time_zone)
    try:
        return OpeningHours(
            expression, timezone=zone, country=HOLIDAY_COUNTRY, auto_country=False, auto_timezone=False
        )
    except ParserError as error:
        raise BadOpeningHours("The opening hours are not in OpenStreetMap's syntax.") from error


def is_open(expression: str, *, time_zone: str, at: datetime) -> bool | None:
    """Return whether a store is open at an aware instant, on its own wall clock; None if that is not known.

    Not known: no hours given, or hours that say so ("Mo-Fr unknown", hours by appointment). "PH" are the
    public holidays of France. Raises UnknownTimeZone, BadOpeningHours.
    """
    zone = zone_named(time_zone)
    if not expression.strip():
        return None
    state, _comment = _compiled(expression, time_zone).state(at.astimezone(UTC).astimezone(zone))
    if state == State.UNKNOWN:
        return None
    return bool(state == State.OPEN)


def validate(expression: str) -> str | None:
    """Return what is wrong with an expression, in one sentence for the person who typed it, or None."""
    if not expression.strip():
        return "The opening hours are empty."
    if len(expression) > MAX_LENGTH:
        return f"The opening hours are longer than {MAX_LENGTH} characters."
    try:
        OpeningHours(expression, auto_country=False, auto_timezone=False)
    except ParserError as error:
        return _sentence(str(error))
    return None


def _sentence(message: str) -> str:
    """Return the position out of the parser's drawing (" --> line:column")."""
    _, found, place = message.partition("--> ")
    column = place.partition(":")[2].split("\n", 1)[0].strip() if found else ""
    where = f" from character {column} on" if column.isdigit() else ""
    return f'Not understood{where}; write opening hours like "Mo-Sa 08:30-20:30; Su 09:00-13:00; PH off".'
