"""What a browser's service worker gets of a message: docs/delivery/webpush.md has the fields."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from .fitting import CannotBuild, fitted_texts
from .lock_screen import language_of, shown_texts
from .payload import MAX_TTL_S, encoded
from .port import PushMessage
from .webpush_crypto import MAX_TEXT_BYTES, base64url

# What the buttons under a notification say; the service worker reports which one was pressed.
ACTIONS = {
    "fr": {"open": "Voir l’offre", "not_interested": "Pas pour moi", "pause": "Faire une pause"},
    "en": {"open": "See the offer", "not_interested": "Not for me", "pause": "Take a break"},
}
LINK = "link"  # the key of a message's data that says where a click leads


def webpush_text(message: PushMessage) -> bytes:
    """Return the clear text of a message: JSON in UTF-8, small enough to be encrypted.

    Body, then title, are cut between graphemes; data, image and link never are. A sensitive message carries neutral
    texts and no image.
    Raises CannotBuild: PAYLOAD_TOO_LARGE when the rest alone is too much, PAYLOAD_NOT_UNICODE for lone surrogates.
    """

    def fits(title: str, body: str) -> bool:
        return len(encoded(_payload(message, title=title, body=body))) <= MAX_TEXT_BYTES

    try:
        title, body = fitted_texts(*shown_texts(message), fits=fits)
        return encoded(_payload(message, title=title, body=body))
    except UnicodeEncodeError as error:
        raise CannotBuild("PAYLOAD_NOT_UNICODE") from error


def webpush_headers(message: PushMessage, *, now: datetime) -> dict[str, str]:
    """Return how long, how urgently and in place of what a push service keeps the message (RFC 8030, section 5).

    The caller has made sure that expires_at > now: TTL is whole seconds until then, at least 1, since 0 would mean
    that a browser which is away just now never gets it.
    """
    ttl_s = min(max((message.expires_at - now) // timedelta(seconds=1), 1), MAX_TTL_S)
    return {
        "ttl": str(ttl_s),
        "urgency": "high" if message.is_urgent else "normal",
        "topic": topic_of(message),
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
    }


def topic_of(message: PushMessage) -> str:
    """Return the message's id in the 32 url-safe characters that a Topic may have: 16 bytes as base64url."""
    return base64url(UUID(message.collapse_id).bytes)


def _payload(message: PushMessage, *, title: str, body: str) -> dict[str, Any]:
    language = language_of(message)
    payload: dict[str, Any] = {"title": title, "body": body, "tag": message.collapse_id, "lang": language}
    if message.image_url and not message.is_sensitive:
        payload["image"] = message.image_url
    if message.badge is not None:
        payload["badge"] = message.badge
    payload["actions"] = [{"action": action, "title": label} for action, label in ACTIONS[language].items()]
    data = dict(message.data)
    if LINK in data:
        payload[LINK] = data.pop(LINK)
    if data:
        payload["data"] = data
    return payload
