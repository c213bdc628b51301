"""What FCM HTTP v1 takes as a message: known fields, types, size.

Source: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .fcm_errors import bad_request, refusal

MAX_PAYLOAD_BYTES = 4096
MAX_TTL_S = 2_419_200  # four weeks

_TOKEN = re.compile(r"[A-Za-z0-9_:.\-]{1,4096}")
_DURATION = re.compile(r"(\d{1,12})(\.\d{1,9})?s")
_RESERVED_DATA = re.compile(r"(from|message_type)|(google|gcm).*", re.DOTALL)

_MESSAGE = frozenset(
    [
        "name",
        "data",
        "notification",
        "android",
        "webpush",
        "apns",
        "fcm_options",
        "token",
        "topic",
        "condition",
    ]
)
_NOTIFICATION = frozenset(["title", "body", "image"])
_ANDROID = frozenset(
    [
        "collapse_key",
        "priority",
        "ttl",
        "restricted_package_name",
        "data",
        "notification",
        "fcm_options",
        "direct_boot_ok",
        "bandwidth_constrained_ok",
        "restricted_satellite_ok",
    ]
)
_ANDROID_NOTIFICATION = frozenset(
    [
        "title",
        "body",
        "icon",
        "color",
        "sound",
        "tag",
        "click_action",
        "body_loc_key",
        "body_loc_args",
        "title_loc_key",
        "title_loc_args",
        "channel_id",
        "ticker",
        "sticky",
        "event_time",
        "local_only",
        "notification_priority",
        "default_sound",
        "default_vibrate_timings",
        "default_light_settings",
        "vibrate_timings",
        "visibility",
        "notification_count",
        "light_settings",
        "image",
        "bypass_proxy_notification",
        "proxy",
    ]
)
_APNS = frozenset(["headers", "payload", "fcm_options", "live_activity_token"])
_WEBPUSH = frozenset(["headers", "data", "notification", "fcm_options"])
_ANDROID_TEXTS = ["collapse_key", "priority", "ttl", "restricted_package_name"]
_ANDROID_NOTIFICATION_TEXTS = [
    "title",
    "body",
    "icon",
    "color",
    "sound",
    "tag",
    "click_action",
    "channel_id",
    "ticker",
    "image",
]


def check_message(body: object) -> dict[str, Any]:
    """Return the message of a send request, its token known to be a plausible one.

    Raises Refusal (INVALID_ARGUMENT with field violations, or INVALID_TOKEN) for what FCM would not take.
    """
    request = _object(body, "")
    _known(request, {"message", "validate_only", "validateOnly"}, "")
    message = _object(request.get("message"), "message")
    _known(message, _MESSAGE, "message")
    if sum(key in message for key in ("token", "topic", "condition")) != 1 or "token" not in message:
        raise bad_request("message", "Recipient of the message is not set.")
    _check_data(message.get("data"), "message.data")
    notification = _part(message, "notification", _NOTIFICATION, "message")
    _texts(notification, _NOTIFICATION, "message.notification")
    _check_android(_part(message, "android", _ANDROID, "message"))
    _check_headers(_part(message, "apns", _APNS, "message"), "message.apns")
    webpush = _part(message, "webpush", _WEBPUSH, "message")
    _check_headers(webpush, "message.webpush")
    _check_data(webpush.get("data"), "message.webpush.data")
    if payload_bytes(message) > MAX_PAYLOAD_BYTES:
        raise bad_request("message", "Android message is too big")
    token = message["token"]
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise refusal("INVALID_TOKEN")
    return dict(message)


def payload_bytes(message: Mapping[str, Any]) -> int:
    """Return the size of everything but the recipient, as compact JSON in UTF-8."""
    payload = {key: value for key, value in message.items() if key != "token"}
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))


def _check_android(android: Mapping[str, Any]) -> None:
    path = "message.android"
    _texts(android, _ANDROID_TEXTS, path)
    _check_data(android.get("data"), f"{path}.data")
    if str(android.get("priority", "normal")).lower() not in ("normal", "high"):
        raise bad_request(f"{path}.priority", f"Invalid value at '{path}.priority'")
    if "ttl" in android:
        match = _DURATION.fullmatch(android["ttl"])
        if match is None or int(match[1]) > MAX_TTL_S:
            raise bad_request(f"{path}.ttl", f"Invalid value at '{path}.ttl' (Duration)")
    notification = _part(android, "notification", _ANDROID_NOTIFICATION, path)
    _texts(notification, _ANDROID_NOTIFICATION_TEXTS, f"{path}.notification")


def _check_headers(part: Mapping[str, Any], path: str) -> None:
    headers = _object(part.get("headers", {}), f"{path}.headers")
    _texts(headers, headers, f"{path}.headers")


def _check_data(data: object, path: str) -> None:
    if data is None:
        return
    pairs = _object(data, path)
    _texts(pairs, pairs, path)
    for key in pairs:
        if _RESERVED_DATA.fullmatch(key):
            raise bad_request(path, f"Invalid data payload key: {key}")


def _part(parent: Mapping[str, Any], key: str, known: Iterable[str], path: str) -> dict[str, Any]:
    part = _object(parent.get(key, {}), f"{path}.{key}")
    _known(part, known, f"{path}.{key}")
    return part


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad_request(path, f"Invalid value at '{path}': an object is wanted.")
    return value


def _known(value: Mapping[str, Any], known: Iterable[str], path: str) -> None:
    for key in value:
        if key not in known:
            where = f"Unknown name \"{key}\" at '{path}': Cannot find field."
            raise bad_request(path, f"Invalid JSON payload received. {where}")


def _texts(value: Mapping[str, Any], keys: Iterable[str], path: str) -> None:
    for key in keys:
        if key in value and not isinstance(value[key], str):
            raise bad_request(f"{path}.{key}", f"Invalid value at '{path}.{key}' (TYPE_STRING)")
