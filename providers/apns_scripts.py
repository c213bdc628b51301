"""What a script may ask of the local APNs for a device's next sends."""

from collections.abc import Mapping
from typing import Any

from .apns_errors import CATALOGUE, REASON_FOR_STATUS, Refusal
from .http2 import StreamAnswer
from .phones import SHARED_KEYS, BadScript, listed_answers, scripted_end, shared_fields

_KEYS = SHARED_KEYS | {"reason", "timestamp_ms", "reset", "goaway"}


ApnsAnswer = StreamAnswer[Refusal]
ACCEPT: ApnsAnswer = StreamAnswer()


def parse_apns_answers(raw: object) -> list[ApnsAnswer]:
    """Return the answers a script asks for, in order; raises BadScript with what is wrong."""
    return listed_answers(raw, keys=_KEYS, parse=_answer)


def _answer(item: Mapping[str, Any]) -> ApnsAnswer:
    goaway = item.get("goaway")
    if goaway is not None and goaway not in CATALOGUE:
        raise BadScript(f"goaway must be one of {sorted(CATALOGUE)}")
    return StreamAnswer(
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
