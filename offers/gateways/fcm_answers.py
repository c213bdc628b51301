"""What an answer of FCM HTTP v1 means for the message, the device and the lane.

Source: firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode and /docs/cloud-messaging/error-codes; the rows are
in docs/decisions/0005-fcm-gateway.md.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from .port import Outcome

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
INVALID_TOKEN_PHRASE = "not a valid FCM registration token"

QUOTA_WAIT = timedelta(seconds=60)
FAILURE_WAIT = timedelta(seconds=10)
THIRD_PARTY_WAIT = timedelta(
    minutes=10
)  # someone has to repair the project's APNs or Web Push credentials first
MAX_RETRY_AFTER = timedelta(hours=24)

_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one answer means; `retry_in` is set if and only if the outcome is TRY_LATER."""

    outcome: Outcome
    code: str | None = None
    status: int | None = None
    retry_in: timedelta | None = None
    provider_message_id: str | None = None
    slows_lane: bool = False  # nothing more goes out on the lane before retry_in
    refuses_credentials: bool = False  # a fresh access token may be tried once


def later(code: str, *, status: int | None = None, retry_in: timedelta = FAILURE_WAIT) -> Verdict:
    """Return the verdict for a send that failed for reasons that pass."""
    return Verdict(outcome=Outcome.TRY_LATER, code=code, status=status, retry_in=retry_in)


def lane_stopped(code: str, *, status: int | None = None) -> Verdict:
    """Return the verdict for trouble that every message of the lane would meet."""
    return Verdict(outcome=Outcome.LANE_STOPPED, code=code, status=status)


def verdict_for(*, status: int, body: bytes, retry_after: str | None, now: datetime) -> Verdict:
    """Return what an answer to messages:send means.

    `body` may be anything; `retry_after` is the header's value (seconds or an HTTP date), `now` aware UTC.
    """
    answer = _parsed(body)
    if status == 200:
        name = answer.get("name")
        if not isinstance(name, str) or not name:
            return later("MALFORMED_ANSWER", status=status)
        return Verdict(outcome=Outcome.ACCEPTED, status=status, provider_message_id=name[:255])
    error = answer.get("error")
    error = error if isinstance(error, dict) else {}
    code = _error_code(error)
    wait = retry_wait(retry_after, now=now)
    if code in ("UNREGISTERED", "SENDER_ID_MISMATCH"):
        return Verdict(outcome=Outcome.DEAD_TOKEN, code=code, status=status)
    if code == "THIRD_PARTY_AUTH_ERROR":
        return later(code, status=status, retry_in=wait or THIRD_PARTY_WAIT)
    if status == 400:
        outcome = Outcome.DEAD_TOKEN if _is_about_token(error) else Outcome.OUR_FAULT
        return Verdict(outcome=outcome, code=code or "HTTP_400", status=status)
    if status in (401, 403):
        name = _rpc_status(error) or f"HTTP_{status}"
        return Verdict(outcome=Outcome.LANE_STOPPED, code=name, status=status, refuses_credentials=True)
    if status == 429:
        retry_in = QUOTA_WAIT if wait is None else wait
        return Verdict(
            outcome=Outcome.TRY_LATER,
            code=code or "QUOTA_EXCEEDED",
            status=status,
            retry_in=retry_in,
            slows_lane=True,
        )
    if status >= 500 or status == 408:
        return later(code or f"HTTP_{status}", status=status, retry_in=FAILURE_WAIT if wait is None else wait)
    if 300 <= status < 400 or status == 404:
        # Redirects are not followed, and a 404 that is not FCM's own is an address that is not FCM's.
        return lane_stopped(f"HTTP_{status}", status=status)
    return Verdict(outcome=Outcome.OUR_FAULT, code=f"HTTP_{status}", status=status)


def retry_wait(retry_after: str | None, *, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header asks to wait, at most 24 h; None without one that can be read."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        return _wait_until(retry_after, now=now)
    if not math.isfinite(seconds) or seconds < 0:
        return None
    return timedelta(seconds=min(seconds, MAX_RETRY_AFTER.total_seconds()))


def _wait_until(date: str, *, now: datetime) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), MAX_RETRY_AFTER)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    details = error.get("details")
    return [item for item in details if isinstance(item, dict)] if isinstance(details, list) else []


def _error_code(error: dict[str, Any]) -> str | None:
    for detail in _details(error):
        code = detail.get("errorCode")
        if detail.get("@type") == FCM_ERROR and isinstance(code, str) and _CODE.fullmatch(code):
            return code
    return None


def _rpc_status(error: dict[str, Any]) -> str | None:
    status = error.get("status")
    return status if isinstance(status, str) and _CODE.fullmatch(status) else None


def _is_about_token(error: dict[str, Any]) -> bool:
    # BadRequest details mean the payload, whatever the text says: one bad text must never cost a device.
    if any(detail.get("@type") == BAD_REQUEST for detail in _details(error)):
        return False
    return _error_code(error) == "INVALID_ARGUMENT" and INVALID_TOKEN_PHRASE in str(error.get("message", ""))
