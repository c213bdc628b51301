"""What an answer of APNs means for the message, the device and the lane.

Source: developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns; the rows are in
docs/decisions/0012-apns-gateway.md.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from .port import Outcome, PushMessage
from .verdicts import FAILURE_WAIT, Verdict, lane_stopped, later, retry_wait

# Apple asks to come back with what a 5xx refused after a quarter of an hour.
SERVER_WAIT = timedelta(minutes=15)
DEVICE_WAIT = timedelta(seconds=60)
TOKEN_UPDATES_WAIT = timedelta(minutes=20)  # the least time between two tokens of ours
STALE_WORD_WAIT = timedelta(minutes=10)

DEAD = frozenset(["BadDeviceToken", "DeviceTokenNotForTopic"])
GONE = frozenset(["ExpiredToken", "Unregistered"])
# Every message of the lane would hear the same: the key, the team, or the topic are not what APNs knows.
OF_THE_LANE = frozenset(
    [
        "BadCertificate",
        "BadCertificateEnvironment",
        "BadEnvironmentKeyIdInToken",
        "BadTopic",
        "ExpiredProviderToken",
        "Forbidden",
        "InvalidProviderToken",
        "MissingProviderToken",
        "MissingTopic",
        "TopicDisallowed",
        "UnrelatedKeyIdInToken",
    ]
)
# About the connection, not the message: another connection takes it.
OF_THE_CONNECTION = frozenset(["IdleTimeout", "Shutdown"])

_REASON = re.compile(r"[A-Z][A-Za-z]{1,63}")


def verdict_for(
    message: PushMessage, *, status: int, body: bytes, retry_after: str | None, now: datetime
) -> Verdict:
    """Return what an answer to a notification means.

    `body` may be anything; `retry_after` is the header's value (seconds or an HTTP date), `now` aware UTC.
    """
    if status == 200:
        return Verdict(outcome=Outcome.ACCEPTED, status=status, provider_message_id=message.message_id)
    answer = _parsed(body)
    reason = _reason(answer)
    code = reason or f"HTTP_{status}"
    wait = retry_wait(retry_after, now=now)
    if status == 400 and reason in DEAD:
        return Verdict(outcome=Outcome.DEAD_TOKEN, code=code, status=status)
    if status == 410 and reason in GONE:
        if _was_confirmed_since(answer, registered_at=message.registered_at):
            return later(code, status=status, retry_in=wait or STALE_WORD_WAIT)
        return Verdict(outcome=Outcome.DEAD_TOKEN, code=code, status=status)
    if reason in OF_THE_CONNECTION:
        return later(code, status=status, retry_in=FAILURE_WAIT if wait is None else wait)
    if status in (401, 403) or reason in OF_THE_LANE:
        return Verdict(
            outcome=Outcome.LANE_STOPPED,
            code=code,
            status=status,
            refuses_credentials=reason == "ExpiredProviderToken",
        )
    if status == 429:
        return _too_many(code, status=status, wait=wait)
    if status >= 500 or status == 408:
        return later(code, status=status, retry_in=SERVER_WAIT if wait is None else wait)
    if reason is None and (300 <= status < 400 or status in (404, 405, 410)):
        # Not APNs' own words: redirects are not followed, and the address is not APNs'.
        return lane_stopped(code, status=status)
    return Verdict(outcome=Outcome.OUR_FAULT, code=code, status=status)


def _too_many(code: str, *, status: int, wait: timedelta | None) -> Verdict:
    """TooManyRequests is one device's; too many tokens of ours are everybody's."""
    is_ours = code == "TooManyProviderTokenUpdates"
    usual = TOKEN_UPDATES_WAIT if is_ours else DEVICE_WAIT
    return Verdict(
        outcome=Outcome.TRY_LATER,
        code=code,
        status=status,
        retry_in=usual if wait is None else wait,
        slows_lane=is_ours,
    )


def _was_confirmed_since(answer: dict[str, Any], *, registered_at: datetime) -> bool:
    """Whether the app confirmed the token after APNs last found it gone; no if APNs does not say when that was."""
    timestamp_ms = answer.get("timestamp")
    if type(timestamp_ms) is not int:
        return False
    try:
        gone_at = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return gone_at <= registered_at


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _reason(answer: dict[str, Any]) -> str | None:
    reason = answer.get("reason")
    return reason if isinstance(reason, str) and _REASON.fullmatch(reason) else None
