"""A cursor for the statements of the hot path: bound and planned by the server, once for each connection.

Columns of values travel in PostgreSQL's own binary form, made here in one pass: the driver would look at each value
twice to learn its type.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper
from psycopg.adapt import Dumper
from psycopg.pq import Format

Pack = Callable[[Any], bytes]

_NULL = struct.pack(">i", -1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's
_MICROSECOND = timedelta(microseconds=1)
_LENGTH = struct.Struct(">i")
_HEADER = struct.Struct(
    ">iIIii"
)  # dimensions, whether NULLs are in it, the elements' type, length, first index


class Column(bytes):
    """An array as PostgreSQL takes it in binary form; a subclass a type."""

    __slots__ = ()
    array_oid = 0


class _ColumnDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return bytes(obj)


def _column_type(
    name: str, *, oid: int, array_oid: int, pack: Pack, dtype: str = ""
) -> Callable[[Iterable[Any]], Column]:
    kind = type(name, (Column,), {"__slots__": (), "array_oid": array_oid})
    psycopg.adapters.register_dumper(kind, type(f"{name}Dumper", (_ColumnDumper,), {"oid": array_oid}))

    def column(values: Iterable[Any]) -> Column:
        if dtype and isinstance(values, np.ndarray) and len(values):
            return kind(_HEADER.pack(1, 0, oid, len(values), 1) + _packed_array(values, dtype))
        packed = [_NULL if value is None else pack(value) for value in values]
        header = _HEADER.pack(1, 1, oid, len(packed), 1) if packed else _HEADER.pack(0, 0, oid, 0, 0)[:12]
        made: Column = kind(header + b"".join(packed))
        return made

    return column


def _packed_array(values: np.ndarray, dtype: str) -> bytes:
    """Return the elements of an array of numbers, made in one pass."""
    elements = np.empty(len(values), dtype=[("size", ">i4"), ("value", dtype)])
    elements["size"] = elements.dtype["value"].itemsize
    elements["value"] = values
    return elements.tobytes()


def _packed_text(value: str) -> bytes:
    encoded = value.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def _packed_bytes(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _packed_uuid(value: str) -> bytes:
    return b"\0\0\0\x10" + bytes.fromhex(value.replace("-", ""))


_INSTANT = struct.Struct(">iq")


def _packed_instant(value: datetime) -> bytes:
    return _INSTANT.pack(8, (value - _EPOCH) // _MICROSECOND)


def _fixed(form: str) -> Pack:
    packer = struct.Struct(">i" + form)
    size, pack = packer.size - 4, packer.pack

    def packed(value: Any) -> bytes:
        return pack(size, value)

    return packed


bigints = _column_type("Bigints", oid=20, array_oid=1016, pack=_fixed("q"), dtype=">i8")
ints = _column_type("Ints", oid=23, array_oid=1007, pack=_fixed("i"), dtype=">i4")
smallints = _column_type("Smallints", oid=21, array_oid=1005, pack=_fixed("h"))
floats = _column_type("Floats", oid=701, array_oid=1022, pack=_fixed("d"), dtype=">f8")
booleans = _column_type("Booleans", oid=16, array_oid=1000, pack=_fixed("?"))
texts = _column_type("Texts", oid=25, array_oid=1009, pack=_packed_text)
uuids = _column_type("Uuids", oid=2950, array_oid=2951, pack=_packed_uuid)  # of their canonical text
blobs = _column_type("Blobs", oid=17, array_oid=1001, pack=_packed_bytes)
instants = _column_type("Instants", oid=1184, array_oid=1185, pack=_packed_instant)  # of aware datetimes


class _Prepared(psycopg.Cursor[Any]):
    """Prepares every statement at its first run, and takes rows in PostgreSQL's own form, which is read in C."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, **{"prepare": True, "binary": True, **options})


@contextmanager
def hot_cursor() -> Iterator[CursorWrapper]:
    """Yield a cursor on Django's connection and in its transaction; for statements whose text never changes.

    Values are typed by casts in the statement. Planning is most of the cost of a short statement with many joins.
    """
    connection = connections[
        DEFAULT_DB_ALIAS
    ]  # once: each look through django.db.connection costs a microsecond
    connection.ensure_connection()
    raw: Any = _Prepared(connection.connection)
    # Django's wrapper around each call is for whoever watches; errors are translated all the same.
    with raw, connection.wrap_database_errors:
        if connection.queries_logged:
            yield connection.make_debug_cursor(raw)
        else:
            yield connection.make_cursor(raw) if connection.execute_wrappers else raw
