"""What a script may ask of the local APNs for a device's next sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .apns_errors import CATALOGUE, REASON_FOR_STATUS, Refusal
from .phones import SHARED_KEYS, Answer, BadScript, listed_answers, scripted_end, shared_fields

_KEYS = SHARED_KEYS | {"reason", "timestamp_ms", "reset", "goaway"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApnsAnswer(Answer[Refusal]):
    """One scripted answer; the default is an acceptance. "before" and "after" are meant of the processing."""

    reset: Literal["before", "after"] | None = None  # reset the stream; before: as refused, not processed
    goaway: str | None = None  # the reason of a GOAWAY: this stream and later ones are not processed


ACCEPT = ApnsAnswer()


def parse_apns_answers(raw: object) -> list[ApnsAnswer]:
    """Return the answers a script asks for, in order; raises BadScript with what is wrong."""
    return listed_answers(raw, keys=_KEYS, parse=_answer)


def _answer(item: Mapping[str, Any]) -> ApnsAnswer:
    goaway = item.get("goaway")
    if goaway is not None and goaway not in CATALOGUE:
        raise BadScript(f"goaway must be one of {sorted(CATALOGUE)}")
    return ApnsAnswer(
        refusal=_refusal(item), reset=scripted_end("reset", item), goaway=goaway, **shared_fields(item)
    )


def _refusal(item: Mapping[str, Any]) -> Refusal | None:
    """Return the refusal; a status alone has APNs' usual reason for it, or comes from a proxy in between."""
    status, reason = item.get("status"), item.get("reason")
    if reason is None:
        if status in (None, 200):
            return None
        reason = REASON_FOR_STATUS.get(status, "")
    if reason and reason not in CATALOGUE:
        raise BadScript(f"reason must be one of {sorted(CATALOGUE)}")
    timestamp_ms = item.get("timestamp_ms")
    return Refusal(
        reason=reason,
        status=int(status or CATALOGUE[reason]),
        timestamp_ms=None if timestamp_ms is None else int(timestamp_ms),
    )
