"""Columns in PostgreSQL's binary form come back as they went."""

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from offers import cursors
from offers.cursors import hot_cursor

pytestmark = pytest.mark.django_db

ID = "0190d3a2-7c1e-7000-8000-00000000000a"


@pytest.mark.parametrize(
    ("column", "kind", "values"),
    [
        (cursors.bigints, "bigint[]", [0, -1, 2**63 - 1, -(2**63), None]),
        (cursors.ints, "integer[]", [0, 65_535, -(2**31), None]),
        (cursors.smallints, "smallint[]", [-128, 20, None]),
        (cursors.floats, "double precision[]", [0.0, -90.0, 1e-300, math.inf, None]),
        (cursors.booleans, "boolean[]", [True, False, None]),
        (cursors.texts, "text[]", ["", "NULL", 'a"b{},\\', "é🥛", None]),
        (cursors.blobs, "bytea[]", [b"", b"\0\xff", None]),
        (
            cursors.instants,
            "timestamp with time zone[]",
            [
                datetime(1970, 1, 1, tzinfo=UTC),
                datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC),
                datetime(9999, 12, 31, tzinfo=UTC),
                datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))),
                None,
            ],
        ),
    ],
)
def test_a_column_comes_back_as_it_went(column, kind, values):
    for some in (values, [], [None]):
        with hot_cursor() as cursor:
            cursor.execute("SELECT %s, pg_typeof(%s)::text", [column(some), column(some)])
            assert cursor.fetchone() == (some, kind)


@pytest.mark.parametrize(
    ("column", "kind", "values"),
    [
        (cursors.bigints, "bigint[]", [0, -1, 2**63 - 1, -(2**63)]),
        (cursors.ints, "integer[]", [0, 65_535, -(2**31)]),
        (cursors.floats, "double precision[]", [0.0, -90.0, 1e-300, math.inf]),
    ],
)
def test_an_array_of_numbers_is_the_column_of_its_values(column, kind, values):
    for some in (values, values[:1], []):
        with hot_cursor() as cursor:
            sent = np.array(some, dtype=np.array(values).dtype)
            cursor.execute("SELECT %s, pg_typeof(%s)::text", [column(sent), column(sent)])
            assert cursor.fetchone() == (some, kind)


def test_ids_are_told_by_their_text():
    with hot_cursor() as cursor:
        cursor.execute("SELECT %s::text[]", [cursors.uuids([ID, None])])
        assert cursor.fetchone() == ([ID, None],)
