"""The JSON of one FCM message, small enough for FCM.

Source: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages; docs/decisions/0005-fcm-gateway.md.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import json

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
        # The token comes first; it does not count.
        return b'{"message":{"token":' + json.encode(message.token) + b"," + payload[1:] + b"}"
    except UnicodeEncodeError as error:
        raise CannotBuild("PAYLOAD_NOT_UNICODE") from error


def payload_bytes(payload: Mapping[str, Any]) -> int:
    """Return the size in bytes that counts against the limit, of a message without its token."""
    return len(encoded(payload))


def _fitted(message: PushMessage, *, now: datetime) -> bytes:
    """Return the message without its token."""

    def built(title: str, body: str) -> bytes:
        return encoded(_payload(message, title=title, body=body, now=now))

    whole = built(*shown_texts(message))
    if len(whole) <= MAX_PAYLOAD_BYTES:
        return whole
    return built(
        *fitted_texts(
            *shown_texts(message), fits=lambda title, body: len(built(title, body)) <= MAX_PAYLOAD_BYTES
        )
    )


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
            "priority": "high" if message.is_urgent else "normal",
            "ttl": f"{ttl_s}s",
            "notification": {"tag": message.collapse_id},
        },
    }
    if message.data:
        payload["data"] = dict(message.data)
    return payload


def encoded(value: Mapping[str, Any]) -> bytes:
    """Return compact JSON in UTF-8; raises UnicodeEncodeError for lone surrogates."""
    return json.encode(value)
