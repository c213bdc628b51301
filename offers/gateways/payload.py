"""The JSON of one FCM message, small enough for FCM.

Source: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages; docs/decisions/0005-fcm-gateway.md.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .fitting import CannotBuild, fitted_texts
from .lock_screen import shown_texts
from .port import PushMessage

MAX_PAYLOAD_BYTES = 4096
MAX_TTL_S = 2_419_200  # four weeks: FCM refuses more


def fcm_request(message: PushMessage, *, now: datetime) -> bytes:
    """Return the body of a messages:send request, in UTF-8.

    Body, then title, are cut between graphemes, ending in an ellipsis, until everything but the token takes at
    most 4096 bytes as JSON. The time to live is whole seconds until expires_at, rounded down.

    Raises CannotBuild: PAYLOAD_TOO_LARGE when data and image alone are too much, PAYLOAD_NOT_UNICODE for texts
    with lone surrogates. The caller has made sure that expires_at > now.
    """
    try:
        payload = _fitted(message, now=now)
        return encoded({"message": {"token": message.token, **payload}})
    except UnicodeEncodeError as error:
        raise CannotBuild("PAYLOAD_NOT_UNICODE") from error


def payload_bytes(payload: Mapping[str, Any]) -> int:
    """Return the size in bytes that counts against the limit, of a message without its token."""
    return len(encoded(payload))


def _fitted(message: PushMessage, *, now: datetime) -> dict[str, Any]:
    def fits(title: str, body: str) -> bool:
        return payload_bytes(_payload(message, title=title, body=body, now=now)) <= MAX_PAYLOAD_BYTES

    title, body = fitted_texts(*shown_texts(message), fits=fits)
    return _payload(message, title=title, body=body, now=now)


def _payload(message: PushMessage, *, title: str, body: str, now: datetime) -> dict[str, Any]:
    notification = {"title": title}
    if body:
        notification["body"] = body
    if message.image_url and not message.is_sensitive:
        notification["image"] = message.image_url
    ttl_s = min((message.expires_at - now) // timedelta(seconds=1), MAX_TTL_S)
    payload: dict[str, Any] = {
        "notification": notification,
        "android": {
            "priority": "high",
            "ttl": f"{ttl_s}s",
            "notification": {"tag": message.collapse_id},
        },
    }
    if message.data:
        payload["data"] = dict(message.data)
    return payload


def encoded(value: Mapping[str, Any]) -> bytes:
    """Return compact JSON in UTF-8; raises UnicodeEncodeError for lone surrogates."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
