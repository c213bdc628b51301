"""What a log line may carry: routes instead of paths, errors without the rows they were about."""

import logging
import traceback
from collections.abc import Iterator
from typing import Any

import structlog
from django.db import Error as DatabaseError
from structlog.typing import EventDict, Processor


class RouteInsteadOfPath(logging.Filter):
    """Replaces the path in Django's own request records, since a path can hold a coupon's code or a customer's ref."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None:
            match = getattr(request, "resolver_match", None)
            record.msg = "%s %s"
            record.args = (getattr(record, "status_code", ""), match.route if match else "no such route")
        return True


def shared_processors() -> list[Processor]:
    """Return what every line passes through, ours and the libraries'."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        exceptions_without_rows,
    ]


def exceptions_without_rows(logger: Any, method: str, event: EventDict) -> EventDict:
    """Write the traceback into "exception"; of a database's error only its class, as its text quotes the row."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    error = given if isinstance(given, BaseException) else _current(given)
    if error is not None:
        event["exception"] = "".join(_lines(error))
    return event


def _current(given: Any) -> BaseException | None:
    import sys

    found = given[1] if isinstance(given, tuple) else sys.exc_info()[1]
    return found if isinstance(found, BaseException) else None


def _lines(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _lines(cause)
        yield "\nwhich led to:\n"
    yield from traceback.format_tb(error.__traceback__)
    name = type(error).__qualname__
    yield name if _quotes_rows(error) else f"{name}: {error}"


def _quotes_rows(error: BaseException) -> bool:
    return isinstance(error, DatabaseError) or type(error).__module__.partition(".")[0] == "psycopg"
