"""Bulk writes: NDJSON in, one result per line out, as it goes; a broken line never stops its neighbours."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError
from django.http import StreamingHttpResponse
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from customers.api.parsers import MIB, MalformedJson, TooLarge, parse_json
from customers.api.problems import flatten_errors, problem_of
from customers.api.serializers import StrictSerializer
from offers.api.answers import refusal_errors
from offers.operations.outcomes import Refused, Written

log = logging.getLogger(__name__)

MAX_LINE_BYTES = 128 * 1024
MAX_BULK_BYTES = 512 * MIB
CHUNK_LINES = 200  # written together, in one transaction
NDJSON = "application/x-ndjson"

Outcome = Written[Any] | Refused


class NdjsonParser(BaseParser):
    """Hands the body on unread."""

    media_type = NDJSON

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> IO[bytes]:
        request = (parser_context or {})["request"]
        declared = request.META.get("CONTENT_LENGTH") or ""
        if declared.isdigit() and int(declared) > MAX_BULK_BYTES:
            raise TooLarge(max_bytes=MAX_BULK_BYTES)
        return stream


class PlainNdjsonParser(NdjsonParser):
    media_type = "application/ndjson"


class JsonLinesParser(NdjsonParser):
    media_type = "application/jsonl"


NDJSON_PARSERS = (NdjsonParser, PlainNdjsonParser, JsonLinesParser)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """What one subject does with lines: `name` is the member that holds the key, `write` takes values of `read`.

    `write` answers one outcome per value, in order; no key comes twice in one call. `is_allowed` hides keys that the
    caller may not touch.
    """

    name: str
    serializer: type[StrictSerializer]
    read: Callable[[str, dict[str, Any]], Any]
    write: Callable[[Sequence[Any]], Sequence[Outcome]]
    is_allowed: Callable[[str], bool] = lambda key: True


@dataclass(slots=True, kw_only=True)
class _Line:
    number: int  # from 1
    key: str | None = None
    value: Any = None
    error: str | None = None
    errors: Sequence[Mapping[str, str]] = ()
    is_new: bool = False

    def answer(self, name: str) -> bytes:
        status = "rejected" if self.error else "created" if self.is_new else "updated"
        body = {
            "line": self.number,
            name: self.key,
            "status": status,
            "error": self.error,
            "errors": self.errors,
        }
        return bytes(JSONRenderer().render(body)) + b"\n"


def bulk_answer(request: Request, bulk: Bulk) -> StreamingHttpResponse:
    """Answer 200 with a line for each line of the body, in order, while the body is being read."""
    body: Any = (
        request.data
    )  # asks the parser, so that a wrong media type is a 415 before anything is answered
    lines: Iterator[bytes] = iter(()) if isinstance(body, Mapping) else _answers(body, bulk)
    is_asgi = isinstance(request._request, ASGIRequest)
    return StreamingHttpResponse(_in_threads(lines) if is_asgi else lines, content_type=NDJSON)


async def _in_threads(lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    advance = sync_to_async(next)
    while (line := await advance(lines, None)) is not None:
        yield line


def _answers(stream: IO[bytes], bulk: Bulk) -> Iterator[bytes]:
    chunk: list[_Line] = []
    keys: set[str] = set()
    for line in _lines(stream, bulk):
        if len(chunk) == CHUNK_LINES or line.key in keys:
            yield _written(chunk, bulk)
            chunk, keys = [], set()
        chunk.append(line)
        if line.key is not None:
            keys.add(line.key)
    if chunk:
        yield _written(chunk, bulk)


def _written(chunk: Sequence[_Line], bulk: Bulk) -> bytes:
    good = [line for line in chunk if line.error is None]
    _write(good, bulk)
    return b"".join(line.answer(bulk.name) for line in chunk)


def _write(lines: Sequence[_Line], bulk: Bulk) -> None:
    """Write the lines and keep each one's outcome; if the database refuses them together, each alone."""
    if not lines:
        return
    try:
        outcomes = bulk.write([line.value for line in lines])
    except DatabaseError as error:
        if len(lines) > 1:
            for line in lines:
                _write([line], bulk)
            return
        problem = problem_of(error)
        if problem is None:
            log.exception("a line of a bulk write failed")
        lines[0].error = problem.code if problem is not None else "internal"
        return
    for line, outcome in zip(lines, outcomes, strict=True):
        if isinstance(outcome, Refused):
            line.error, line.errors = outcome.code, refusal_errors(outcome)
        else:
            line.is_new = outcome.is_new


def _lines(stream: IO[bytes], bulk: Bulk) -> Iterator[_Line]:
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
            _skip_rest(stream)
            yield _Line(number=number, error="too_large")
        elif raw.strip():
            yield _read(raw, number=number, bulk=bulk)


def _skip_rest(stream: IO[bytes]) -> None:
    while (raw := stream.readline(MAX_LINE_BYTES)) and not raw.endswith(b"\n"):
        pass


def _read(raw: bytes, *, number: int, bulk: Bulk) -> _Line:
    try:
        data = parse_json(raw.strip(), max_bytes=MAX_LINE_BYTES + 1)
    except MalformedJson as error:
        return _Line(number=number, error=error.code)
    line = _Line(number=number, key=_key(data, bulk.name))
    serializer = bulk.serializer(data=data)
    try:
        serializer.is_valid(raise_exception=True)
    except ValidationError as error:
        line.error, line.errors = "invalid", list(flatten_errors(error.detail))
        return line
    values = dict(serializer.validated_data)
    key = values.pop(bulk.name)
    if not bulk.is_allowed(key):
        line.error = "not_found"
        return line
    line.value = bulk.read(key, values)
    return line


def _key(data: Any, name: str) -> str | None:
    key = data.get(name) if isinstance(data, dict) else None
    return key if isinstance(key, str) else None
