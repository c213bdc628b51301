"""The one way JSON comes into the house, from REST bodies and socket frames."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.parsers import BaseParser

from customers.api.problems import Problem

MIB = 1024 * 1024
MAX_BODY_BYTES = MIB  # of an ordinary call; a view may set its own
MAX_NESTING = 32

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


class MalformedJson(Problem):
    """The bytes are not JSON as the contract means it; nothing in them was looked at."""

    def __init__(self, detail: str) -> None:
        super().__init__(status=400, code="malformed_json", detail=detail)


class TooLarge(Problem):
    """The body or frame is longer than this call takes."""

    def __init__(self, *, max_bytes: int) -> None:
        super().__init__(status=413, detail=f"At most {max_bytes} bytes.")


def parse_json(raw: bytes, *, max_bytes: int = MAX_BODY_BYTES) -> Any:
    """Return the JSON value that `raw` holds.

    Refused beyond the grammar: bad UTF-8, a byte order mark, NaN and Infinity, lone surrogates, keys given twice, nesting
    over 32, integers of thousands of digits. A number too large for a float comes back as infinite, and an
    escaped NUL as itself: both are JSON, and judged field by field.
    Raises MalformedJson, TooLarge.
    """
    if len(raw) > max_bytes:
        raise TooLarge(max_bytes=max_bytes)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedJson("Not UTF-8.") from None
    _check_nesting(text)
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise MalformedJson("Not JSON.") from None
    if _SURROGATE_ESCAPE.search(text):
        _check_surrogates(value)
    return value


def _check_nesting(text: str) -> None:
    outside = _STRING.sub("", text)
    if outside.count("[") + outside.count("{") <= MAX_NESTING:
        return
    depth = 0
    for bracket in _BRACKET.finditer(outside):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > MAX_NESTING:
            raise MalformedJson(f"Nested deeper than {MAX_NESTING}.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedJson("A key is given twice.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson("NaN and Infinity are not JSON.")


def _check_surrogates(value: Any) -> None:
    if isinstance(value, str):
        if _LONE_SURROGATE.search(value):
            raise MalformedJson("A lone surrogate is not text.")
    elif isinstance(value, list):
        for item in value:
            _check_surrogates(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_surrogates(key)
            _check_surrogates(item)


def read_limited(stream: IO[bytes], *, declared: str | None, max_bytes: int) -> bytes:
    """Return the whole stream, without ever holding more than the limit. Raises TooLarge."""
    if declared and declared.isdigit() and int(declared) > max_bytes:
        raise TooLarge(max_bytes=max_bytes)
    raw = stream.read(max_bytes + 1)
    if len(raw) > max_bytes:
        raise TooLarge(max_bytes=max_bytes)
    return raw


class StrictJsonParser(BaseParser):
    """DRF's door to parse_json; the view's `max_body_bytes` is the limit."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = parser_context or {}
        limit = getattr(context.get("view"), "max_body_bytes", MAX_BODY_BYTES)
        request = context.get("request")
        declared = request.META.get("CONTENT_LENGTH") if request is not None else None
        return parse_json(read_limited(stream, declared=declared, max_bytes=limit), max_bytes=limit)
