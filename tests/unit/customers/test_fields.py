"""Strict fields: nothing is coerced."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ErrorDetail, ValidationError

from customers.api import fields
from customers.api.instants import parse_instant
from customers.api.paging import Cursor, parse_cursor
from customers.api.problems import flatten_errors
from customers.api.serializers import StrictSerializer
from customers.rules.affinity import brand_key


class Point(StrictSerializer):
    lat = fields.LatField()
    lon = fields.LonField()


class Points(StrictSerializer):
    points = Point(many=True)


@pytest.mark.parametrize(
    ("field", "given", "value"),
    [
        (fields.LatField(), -90, -90.0),
        (fields.LonField(), 180.0, 180.0),
        (fields.WholeNumberField(), 3.0, 3),
        (fields.TextField(), "  a ", "a"),
        (fields.RefField(), "Épicerie n° 4", "Épicerie n° 4"),
        (fields.GtinField(), "4006381333931", "4006381333931"),
        (fields.GtinField(), "96385074", "96385074"),
        (fields.GtinField(), "036000291452", "036000291452"),
        (fields.MoneyMinorField(), 0, 0),
        (fields.QuantityField(), 0.455, Decimal("0.455")),
        (fields.QuantityField(), -2, Decimal(-2)),
        (fields.QuantityField(), 1e-3, Decimal("0.001")),
        (fields.TextListField(), ["a", "b", "a"], ["a", "b"]),
        (fields.InstantField(), "2026-06-17T10:00:00+02:00", datetime(2026, 6, 17, 8, tzinfo=UTC)),
    ],
)
def test_what_is_right_is_taken_as_it_is(field: Any, given: Any, value: Any) -> None:
    assert field.run_validation(given) == value


BAD = [
    (fields.LatField, [True, "48.8", 90.0001, -91, None, [], float("inf"), float("nan"), 10**400]),
    (fields.LonField, [180.5, -181, False, "2"]),
    (fields.WholeNumberField, [True, "3", 3.5, 2**53, -(2**53), float("inf"), 10**400]),
    (fields.MoneyMinorField, [-1, 1.5, "100", True]),
    (fields.StrictBooleanField, [0, 1, "true", "yes", None, []]),
    (fields.TextField, [5, 1.5, True, ["a"], {"a": 1}, "a\0b", ""]),
    (fields.RefField, ["a/b", "a\nb", "x" * 129, "a\u2028b", ".", "..", "bulk", 7]),
    (
        fields.GtinField,
        ["4006381333932", "400638133393", "4006-381333931", "４００６３８１３３３９３１", "", 4006381333931],
    ),
    (fields.QuantityField, [0, 0.0, 1.0005, "1", True, 1e7, float("inf"), float("nan"), 10**400]),
    (fields.CurrencyField, ["eur", "EURO", "E1R", 978]),
    (fields.LocalTimeField, ["24:00", "8:00", "08:00:00", "08:60", 800]),
    (fields.TimeZoneField, ["Paris", "UTC+1", "/etc/passwd", "../UTC", 1]),
    (
        fields.StrictUuidField,
        [5, "0190d3a2", "{0190d3a2-0000-7000-8000-000000000000}", "0190d3a2000070008000000000000000"],
    ),
    (
        fields.InstantField,
        [
            "2026-06-17T10:00:00",
            "2026-06-17",
            "2026-06-17T10:00:60Z",
            "2026-02-30T10:00:00Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2026-06-17T10:00:00+0200",
            "٢٠٢٦-06-17T10:00:00Z",
            1_781_690_400,
        ],
    ),
]


@pytest.mark.parametrize(("kind", "given"), [(kind, given) for kind, all_given in BAD for given in all_given])
def test_what_is_wrong_is_refused_and_not_bent(kind: Any, given: Any) -> None:
    with pytest.raises(ValidationError):
        kind().run_validation(given)


def test_errors_are_told_by_path() -> None:
    serializer = Points(
        data={"points": [{"lat": 1, "lon": 2}, {"lat": 95, "lon": True, "alt": 3}], "extra": 1}
    )

    assert not serializer.is_valid()
    told = {(error["field"], error["code"]) for error in flatten_errors(serializer.errors)}
    assert told == {
        ("points.1.lat", "max_value"),
        ("points.1.lon", "invalid"),
        ("points.1.alt", "unknown_field"),
        ("extra", "unknown_field"),
    }


def test_errors_of_the_whole_have_its_path() -> None:
    wrong = {"basket": {"non_field_errors": [ErrorDetail("Too many.", code="max")]}}

    assert list(flatten_errors(wrong)) == [{"field": "basket", "code": "max", "message": "Too many."}]


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_an_instant_is_the_same_whatever_offset_it_is_told_in(naive: datetime, minutes: int) -> None:
    instant = naive.replace(tzinfo=UTC)
    told = instant.astimezone(timezone(timedelta(minutes=minutes))).isoformat()

    assert parse_instant(told) == instant
    assert parse_instant(fields.rfc3339(instant)) == instant


@given(st.text())
def test_no_text_breaks_the_fields(text: str) -> None:
    for kind in (
        fields.RefField,
        fields.GtinField,
        fields.InstantField,
        fields.TimeZoneField,
        fields.LocalTimeField,
    ):
        try:
            value = kind().run_validation(text)
        except ValidationError as error:
            json.dumps(error.detail)
        else:
            assert value is not None


@given(st.booleans(), st.integers(0, 2**63 - 1))
def test_a_cursor_survives_its_text(backwards: bool, after_id: int) -> None:
    cursor = Cursor(backwards=backwards, after_id=after_id)

    assert parse_cursor(cursor.text()) == cursor


@given(st.text())
def test_a_text_is_a_cursor_or_a_value_error(text: str) -> None:
    try:
        parse_cursor(text)
    except ValueError as error:
        assert str(error) == "not a cursor"


@given(st.text())
def test_a_brands_key_is_its_own_key_and_ignores_case(name: str) -> None:
    key = brand_key(name)

    assert brand_key(key) == key
    assert len(key) <= 128
    assert key == brand_key(f"  {name}! ")
