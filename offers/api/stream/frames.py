"""The frames of rayon.v1: what a phone may say, and how we answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from customers.api.parsers import MalformedJson, parse_json
from customers.api.problems import Problem, invalid_problem
from offers.api.events.parsing import events_of
from offers.api.events.wire import WireEvent, well_formed_frame

MAX_FRAME_BYTES = 64 * 1024
MAX_SEQ = 2**53 - 1  # what every client's numbers hold
MAX_CODES = 100
MAX_CODE_CHARS = 64

FIELDS: Mapping[str, frozenset[str]] = {
    "events": frozenset({"type", "seq", "events"}),
    "ack": frozenset({"type", "codes"}),
    "ping": frozenset({"type"}),
}


class FrameTooLarge(Exception):
    """The frame is longer than 64 KiB; it was not looked at."""


@dataclass(frozen=True, slots=True)
class Ping:
    """The phone asks whether we are there."""


@dataclass(frozen=True, slots=True)
class Events:
    seq: int
    raw: Sequence[WireEvent] | Sequence[Any]  # 1 to 500, each judged alone later


@dataclass(frozen=True, slots=True)
class Ack:
    codes: Sequence[str]  # as typed


Frame = Ping | Events | Ack


def read_frame(message: Mapping[str, Any]) -> Frame:
    """Return what a websocket.receive message holds. Raises FrameTooLarge, or the problem to answer with."""
    raw = _raw(message)
    frame = well_formed_frame(raw)
    if frame is not None:
        return Events(seq=frame.seq, raw=frame.events)
    body = parse_json(raw, max_bytes=MAX_FRAME_BYTES)
    if not isinstance(body, dict):
        raise Problem(status=400, detail="A frame is an object.")
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        raise invalid_problem(
            field="type",
            code="required" if "type" not in body else "invalid_choice",
            message="One of events, ack, ping.",
        )
    try:
        return _frame(kind, body)
    except Problem as problem:
        raise with_seq(problem, seq_of(body)) from None


def with_seq(problem: Problem, seq: int | None) -> Problem:
    """Return the problem, telling which frame it answers where that is known."""
    if seq is not None:
        problem.body["seq"] = seq
    return problem


def seq_of(body: Mapping[str, Any]) -> int | None:
    seq = body.get("seq")
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq <= MAX_SEQ else None


def results_frame(seq: int, results: Sequence[Mapping[str, Any]]) -> str:
    return _text({"type": "results", "seq": seq, "results": results})


def offer_frame(coupon: Mapping[str, Any]) -> str:
    return _text({"type": "offer", "coupon": coupon})


def error_frame(problem: Problem) -> str:
    return _text({"type": "error", "problem": problem.body})


def trigger_frame(fields: Mapping[str, Any]) -> str:
    return _text({"type": "trigger", **fields})


PONG = '{"type":"pong"}'


def _text(body: Mapping[str, Any]) -> str:
    return msgspec.json.encode(body).decode()


def _raw(message: Mapping[str, Any]) -> bytes:
    text = message.get("text")
    if text is None:
        if len(message.get("bytes") or b"") > MAX_FRAME_BYTES:
            raise FrameTooLarge
        raise Problem(status=415, detail="Send text frames.")
    if len(text) > MAX_FRAME_BYTES:
        raise FrameTooLarge
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise MalformedJson("Not UTF-8.") from None
    if len(raw) > MAX_FRAME_BYTES:
        raise FrameTooLarge
    return raw


def _frame(kind: str, body: dict[str, Any]) -> Frame:
    unknown = sorted(set(body) - FIELDS[kind])
    if unknown:
        raise invalid_problem(field=unknown[0][:64], code="unknown_field", message="There is no such field.")
    if kind == "events":
        seq = seq_of(body)
        if seq is None:
            code = "required" if "seq" not in body else "invalid"
            raise invalid_problem(field="seq", code=code, message="A whole number from 0 to 2^53 - 1.")
        return Events(seq=seq, raw=events_of({name: body[name] for name in ("events",) if name in body}))
    return Ack(codes=_codes(body)) if kind == "ack" else Ping()


def _codes(body: Mapping[str, Any]) -> list[str]:
    codes = body.get("codes")
    if (
        not isinstance(codes, list)
        or not 1 <= len(codes) <= MAX_CODES
        or not all(isinstance(code, str) and len(code) <= MAX_CODE_CHARS for code in codes)
    ):
        code = "required" if "codes" not in body else "invalid"
        raise invalid_problem(field="codes", code=code, message="A list of 1 to 100 coupon codes.")
    return codes
