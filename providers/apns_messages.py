"""What APNs takes as a notification: method, path, headers, payload.

Source: developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns and
/generating-a-remote-notification.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from .apns_errors import refusal

MAX_PAYLOAD_BYTES = 4096
MAX_COLLAPSE_ID_BYTES = 64
PATH = "/3/device/"
PUSH_TYPES = frozenset(
    [
        "alert",
        "background",
        "complication",
        "controls",
        "fileprovider",
        "liveactivity",
        "location",
        "mdm",
        "pushtotalk",
        "voip",
        "widgets",
    ]
)
INTERRUPTION_LEVELS = ("passive", "active", "time-sensitive", "critical")

_TOKEN = re.compile(r"[0-9a-fA-F]{64,200}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_TEXTS = ("category", "thread-id", "target-content-id", "interruption-level")


def check_address(method: str, path: str) -> str:
    """Return the device token of a request; raises Refusal. Its form is check_token's business."""
    if not path.startswith(PATH):
        raise refusal("BadPath")
    if method != "POST":
        raise refusal("MethodNotAllowed")
    token = path[len(PATH) :]
    if not token:
        raise refusal("MissingDeviceToken")
    if "/" in token or "?" in token:
        raise refusal("BadPath")
    return token


def check_headers(headers: Mapping[str, str], *, topic: str) -> None:
    """Return for headers that APNs takes; raises Refusal."""
    if "apns-topic" not in headers:
        raise refusal("MissingTopic")
    given = headers["apns-topic"]
    if not given or len(given) > 255 or not re.fullmatch(r"[A-Za-z0-9.\-]+", given):
        raise refusal("BadTopic")
    if given != topic:
        raise refusal("TopicDisallowed")
    if not _UUID.fullmatch(headers.get("apns-id", "00000000-0000-0000-0000-000000000000")):
        raise refusal("BadMessageId")
    if headers.get("apns-push-type") not in PUSH_TYPES:
        raise refusal("InvalidPushType")
    if headers.get("apns-priority", "10") not in ("1", "5", "10"):
        raise refusal("BadPriority")
    if not _SECONDS.fullmatch(headers.get("apns-expiration", "0")):
        raise refusal("BadExpirationDate")
    collapse_id = headers.get("apns-collapse-id")
    if collapse_id is not None and not 1 <= len(collapse_id) <= MAX_COLLAPSE_ID_BYTES:
        raise refusal("BadCollapseId")


def check_payload(body: bytes, *, push_type: str) -> dict[str, Any]:
    """Return the payload; raises Refusal.

    APNs has no word of its own for a payload of the wrong shape; here it is PayloadEmpty.
    """
    if not body:
        raise refusal("PayloadEmpty", "no body")
    if len(body) > MAX_PAYLOAD_BYTES:
        raise refusal("PayloadTooLarge", f"{len(body)} bytes")
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refusal("PayloadEmpty", "not JSON") from error
    aps = payload.get("aps") if isinstance(payload, dict) else None
    if not isinstance(aps, dict) or not aps:
        raise refusal("PayloadEmpty", "no aps")
    wrong = _wrong(aps, push_type=push_type)
    if wrong:
        raise refusal("PayloadEmpty", wrong)
    return dict(payload)


def check_token(token: str) -> None:
    """Return for a token that could be a device's; raises Refusal."""
    if not _TOKEN.fullmatch(token) or len(token) % 2:
        raise refusal("BadDeviceToken")


def _wrong(aps: Mapping[str, Any], *, push_type: str) -> str:
    """Return what a phone could not make anything of, or an empty text."""
    alert = aps.get("alert")
    if push_type == "alert" and not any(key in aps for key in ("alert", "badge", "sound")):
        return "an alert shows nothing"
    if isinstance(alert, dict):
        if not all(isinstance(alert.get(key, ""), str) for key in ("title", "subtitle", "body")):
            return "aps.alert"
    elif alert is not None and not isinstance(alert, str):
        return "aps.alert"
    if "badge" in aps and (type(aps["badge"]) is not int or aps["badge"] < 0):
        return "aps.badge"
    for key in ("mutable-content", "content-available"):
        if aps.get(key, 1) != 1:
            return f"aps.{key}"
    for key in _TEXTS:
        if not isinstance(aps.get(key, ""), str):
            return f"aps.{key}"
    if aps.get("interruption-level", "active") not in INTERRUPTION_LEVELS:
        return "aps.interruption-level"
    return ""
