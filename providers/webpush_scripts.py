"""Scripted answers of the local push service: the catalogue, and what a hostile server would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from .phones import SHARED_KEYS, Answer, BadScript, listed_answers, shared_fields
from .webpush_errors import CATALOGUE, CODE_FOR_STATUS, PushRefusal, other_refusal, push_refusal

ACCEPTED = frozenset({200, 201, 202})
Flood = Literal["huge", "drip"]
_KEYS = SHARED_KEYS | {"error_code", "location", "body", "ttl"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAnswer(Answer[PushRefusal]):
    """One scripted answer; the default is an acceptance."""

    status: int = 201  # of an acceptance
    ttl: int | None = None  # what the service lowers the TTL to
    location: str | None = None  # where a redirect leads
    body: Flood | None = None  # 200 MB, or a byte at a time without an end


ACCEPT = PushAnswer()


def parse_push_answers(raw: object) -> list[PushAnswer]:
    """Return the answers a script asks for, in order; raises BadScript with what is wrong."""
    return listed_answers(raw, keys=_KEYS, parse=_answer)


def _answer(item: Mapping[str, Any]) -> PushAnswer:
    body = item.get("body")
    if body is not None and body not in get_args(Flood):
        raise BadScript(f"body must be one of {get_args(Flood)}")
    status, refusal = _outcome(item.get("status"), item.get("error_code"))
    return PushAnswer(
        refusal=refusal,
        status=status,
        ttl=None if item.get("ttl") is None else int(item["ttl"]),
        location=None if item.get("location") is None else str(item["location"]),
        body=body,
        **shared_fields(item),
    )


def _outcome(status: int | None, code: str | None) -> tuple[int, PushRefusal | None]:
    if code is None and (status is None or status in ACCEPTED):
        return status or ACCEPT.status, None
    if code is None and status is not None:
        code = CODE_FOR_STATUS.get(status)
        if code is None:
            return status, other_refusal(status)
    if code not in CATALOGUE:
        raise BadScript(f"error_code must be one of {sorted(CATALOGUE)}")
    refusal = push_refusal(code, status=status)
    return refusal.status, refusal
