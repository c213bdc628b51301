"""One parse function for REST and sockets: what it refuses, and what it leaves to the fields."""

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.api.parsers import MalformedJson, TooLarge, parse_json

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), below, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": 1} {"b": 2}',
        b"NaN",
        b'{"lat": NaN}',
        b'{"lat": Infinity}',
        b'{"lat": -Infinity}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',  # a surrogate encoded as if it were a character
        b"\xef\xbb\xbf{}",  # a byte order mark
        "{}".encode("utf-16"),
        b'{"a": "\\ud800"}',
        b'{"a": ["x", {"b": "\\uDFFF"}]}',
        b'{"\\ud800": 1}',
        b'{"a": "\\udc00\\ud800"}',
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": "\x00"}',  # a raw control character
        b'{"a": "line\nbreak"}',
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"1" * 5_000,
        b"0x10",
        b"01",
        b"+1",
        b".5",
        b'"unterminated',
    ],
)
def test_what_is_not_json_is_refused_as_a_whole(raw: bytes) -> None:
    with pytest.raises(MalformedJson) as refused:
        parse_json(raw)

    assert refused.value.status_code == 400
    assert refused.value.body["code"] == "malformed_json"


def test_nesting_of_exactly_32_is_read() -> None:
    value = parse_json(b"[" * 32 + b"]" * 32)

    for _ in range(31):
        value = value[0]
    assert value == []


def test_brackets_within_text_do_not_nest() -> None:
    assert parse_json(b'{"a": "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\"{{{{{{{{{{{{{"}') == {
        "a": "[" * 40 + '"' + "{" * 13
    }


def test_many_neighbours_do_not_nest() -> None:
    assert parse_json(b"[" + b"[]," * 1000 + b"[]]") == [[]] * 1001


def test_a_surrogate_pair_is_one_character() -> None:
    assert parse_json(b'"\\ud83e\\udd63"') == "\N{BOWL WITH SPOON}"


def test_what_is_json_but_unfit_is_left_to_the_fields() -> None:
    assert parse_json(b'{"a": "\\u0000"}') == {"a": "\0"}
    assert parse_json(b"1e400") == math.inf
    assert parse_json(b"1" * 400) == int("1" * 400)


def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not() -> None:
    assert parse_json(b"[10]", max_bytes=4) == [10]
    with pytest.raises(TooLarge) as refused:
        parse_json(b"[100]", max_bytes=4)
    assert refused.value.body["code"] == "too_large"
    assert refused.value.status_code == 413


@given(JSON_VALUES)
def test_every_json_value_comes_back_as_it_was(value: object) -> None:
    for escaped in (True, False):
        assert parse_json(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with suppress(MalformedJson):
        parse_json(raw)
