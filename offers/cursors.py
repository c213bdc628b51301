"""A cursor for the statements of the hot path: bound and planned by the server, once for each connection."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


class _Prepared(psycopg.Cursor[Any]):
    """Prepares every statement at its first run, and takes rows in PostgreSQL's own form, which is read in C."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, **{"prepare": True, "binary": True, **options})


def array(values: Iterable[int | UUID | None]) -> str:
    """Return an array as PostgreSQL writes it, to be cast in the statement: the driver would look at each value twice."""
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"


@contextmanager
def hot_cursor() -> Iterator[CursorWrapper]:
    """Yield a cursor on Django's connection and in its transaction; for statements whose text never changes.

    Values are typed by casts in the statement. Planning is most of the cost of a short statement with many joins.
    """
    connection.ensure_connection()
    raw: Any = _Prepared(connection.connection)
    with raw:
        yield connection.make_debug_cursor(raw) if connection.queries_logged else connection.make_cursor(raw)
