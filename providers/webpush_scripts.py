"""Scripted answers of the local push service: the catalogue, and what a hostile server would do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from .phones import ANSWER_KEYS, Answer, BadScript, answer_of, parse_answers
from .webpush_errors import CATALOGUE, CODE_FOR_STATUS, PushRefusal, other_refusal, push_refusal

ACCEPTED = frozenset({200, 201, 202})
Flood = Literal["huge", "drip"]
KEYS = ANSWER_KEYS | {"location", "body", "ttl"}


@dataclass(frozen=True, slots=True)
class PushAnswer(Answer):
    """One scripted answer; the default is an acceptance."""

    status: int = 201  # of an acceptance
    ttl: int | None = None  # what the service lowers the TTL to
    location: str | None = None  # where a redirect leads
    body: Flood | None = None  # 200 MB, or a byte at a time without an end

    @property
    def refused(self) -> PushRefusal | None:
        return self.refusal if isinstance(self.refusal, PushRefusal) else None


ACCEPT = PushAnswer()


def parse_push_answers(raw: object) -> list[Answer]:
    """Return the answers a script asks for, in order; raises BadScript with what is wrong."""
    return parse_answers(raw, read=_answer, keys=KEYS)


def _answer(item: Mapping[str, Any]) -> Answer:
    body = item.get("body")
    if body is not None and body not in get_args(Flood):
        raise BadScript(f"body must be one of {get_args(Flood)}")
    status, refusal = _outcome(item.get("status"), item.get("error_code"))
    common = answer_of(item, refusal=refusal)
    return replace(
        ACCEPT,
        refusal=refusal,
        retry_after=common.retry_after,
        delay_s=common.delay_s,
        drop=common.drop,
        status=status,
        ttl=None if item.get("ttl") is None else int(item["ttl"]),
        location=None if item.get("location") is None else str(item["location"]),
        body=body,
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
