"""What an answer of FCM HTTP v1 means for the message, the device and the lane.

Source: firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode and /docs/cloud-messaging/error-codes; the rows are
in docs/decisions/0005-fcm-gateway.md.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import msgspec

from .port import Outcome
from .verdicts import FAILURE_WAIT, QUOTA_WAIT, Verdict, lane_stopped, later, retry_wait

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
INVALID_TOKEN_PHRASE = "not a valid FCM registration token"

THIRD_PARTY_WAIT = timedelta(
    minutes=10
)  # someone has to repair the project's APNs or Web Push credentials first

_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")


def verdict_for(*, status: int, body: bytes, retry_after: str | None, now: datetime) -> Verdict:
    """Return what an answer to messages:send means.

    `body` may be anything; `retry_after` is the header's value (seconds or an HTTP date), `now` aware UTC.
    """
    if status == 200:
        name = _name(body)
        if not name:
            return later("MALFORMED_ANSWER", status=status)
        return Verdict(outcome=Outcome.ACCEPTED, status=status, provider_message_id=name[:255])
    error = _parsed(body).get("error")
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


class _Accepted(msgspec.Struct):
    name: str


_accepted = msgspec.json.Decoder(_Accepted)


def _name(body: bytes) -> str:
    """Return the name that FCM gave an accepted message; empty if the answer has none."""
    try:
        return _accepted.decode(body).name
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""


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
