"""What a script may ask of the local APNs for a device's next sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .apns_errors import CATALOGUE, REASON_FOR_STATUS, Refusal
from .phones import BadScript, listed_answers, scripted_delay

_KEYS = {"status", "reason", "timestamp_ms", "retry_after", "delay_s", "drop", "reset", "goaway", "times"}


@dataclass(frozen=True, slots=True)
class ApnsAnswer:
    """One scripted answer; the default is an acceptance. "before" and "after" are meant of the processing."""

    refusal: Refusal | None = None
    retry_after: str | None = None  # the header's value, as sent
    delay_s: float = 0.0  # seconds between processing and answering
    drop: Literal["before", "after"] | None = None  # cut the connection
    reset: Literal["before", "after"] | None = None  # reset the stream; before: as refused, not processed
    goaway: str | None = None  # the reason of a GOAWAY: this stream and later ones are not processed


ACCEPT = ApnsAnswer()


def parse_apns_answers(raw: object) -> list[ApnsAnswer]:
    """Return the answers a script asks for, in order; raises BadScript with what is wrong."""
    return listed_answers(raw, keys=_KEYS, parse=_answer)


def _answer(item: Mapping[str, Any]) -> ApnsAnswer:
    for key in ("drop", "reset"):
        if item.get(key) not in (None, "before", "after"):
            raise BadScript(f"{key} must be before or after")
    goaway = item.get("goaway")
    if goaway is not None and goaway not in CATALOGUE:
        raise BadScript(f"goaway must be one of {sorted(CATALOGUE)}")
    retry_after = item.get("retry_after")
    return ApnsAnswer(
        refusal=_refusal(item),
        retry_after=None if retry_after is None else str(retry_after),
        delay_s=scripted_delay(item),
        drop=item.get("drop"),
        reset=item.get("reset"),
        goaway=goaway,
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
