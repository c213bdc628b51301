"""One notification for APNs: its headers and its JSON, small enough for APNs.

Source: developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns and
/generating-a-remote-notification; docs/delivery/apns.md names the keys for those who write the app.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hpack import HeaderTuple, NeverIndexedHeaderTuple
from msgspec import json

from .fitting import CannotBuild, fitted_texts
from .lock_screen import shown_texts
from .port import PushMessage

MAX_PAYLOAD_BYTES = 4096
MAX_COLLAPSE_ID_BYTES = 64
CATEGORY = "offer"  # the app gives it the actions open, not_interested and pause

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,254}")
_HOST = re.compile(rb"[A-Za-z0-9.\-:]{1,253}")
_COLLAPSE_ID = re.compile(rf"[\x21-\x7e]{{1,{MAX_COLLAPSE_ID_BYTES}}}")


def is_topic(text: str) -> bool:
    """Whether the text can be an app's bundle id."""
    return _TOPIC.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """Whether the text can be a host's name or address."""
    try:
        return _HOST.fullmatch(text.encode("idna")) is not None
    except UnicodeError:
        return False


@dataclass(slots=True)
class Headers:
    """Makes the headers. What differs from message to message stays out of the table that both ends keep.

    APNs' own advice; and neither a device's token nor ours is to be guessed from how well a header packs.
    """

    host: str
    port: int
    topic: str
    _urgent: list[HeaderTuple] = field(init=False)
    _relaxed: list[HeaderTuple] = field(init=False)
    _before: list[HeaderTuple] = field(init=False)

    def __post_init__(self) -> None:
        host = self.host if self.port == 443 else f"{self.host}:{self.port}"
        self._before = [
            HeaderTuple(b":method", b"POST"),
            HeaderTuple(b":scheme", b"https"),
            HeaderTuple(b":authority", host.encode("idna")),
        ]
        after = [
            HeaderTuple(b"apns-topic", self.topic.encode()),
            HeaderTuple(b"apns-push-type", b"alert"),
        ]
        self._urgent = [*after, HeaderTuple(b"apns-priority", b"10")]
        self._relaxed = [*after, HeaderTuple(b"apns-priority", b"5")]

    def made(self, message: PushMessage, *, token: str) -> Sequence[HeaderTuple]:
        """Return the headers of a message, `token` being ours.

        Raises CannotBuild for an id that no header can hold, for APNs would end the connection over it.
        """
        message_id, collapse_id = message.message_id, message.collapse_id
        if not _UUID.fullmatch(message_id):
            raise CannotBuild("BAD_MESSAGE_ID")
        if not _COLLAPSE_ID.fullmatch(collapse_id):
            raise CannotBuild("BAD_COLLAPSE_ID")
        expiration = int(message.expires_at.timestamp())
        return [
            *self._before,
            NeverIndexedHeaderTuple(b":path", f"/3/device/{_quoted(message.token)}".encode()),
            NeverIndexedHeaderTuple(b"authorization", f"bearer {token}".encode()),
            *(self._urgent if message.is_urgent else self._relaxed),
            NeverIndexedHeaderTuple(b"apns-id", message_id.encode()),
            NeverIndexedHeaderTuple(b"apns-collapse-id", collapse_id.encode()),
            NeverIndexedHeaderTuple(b"apns-expiration", str(expiration).encode()),
        ]


def apns_payload(message: PushMessage) -> bytes:
    """Return the payload, in UTF-8: body, then title, cut between graphemes until it takes at most 4096 bytes.

    Raises CannotBuild: PAYLOAD_TOO_LARGE when data and image alone are too much, PAYLOAD_NOT_UNICODE for texts with
    lone surrogates.
    """

    def encoded(title: str, body: str) -> bytes:
        return json.encode(_payload(message, title=title, body=body))

    try:
        whole = encoded(*shown_texts(message))
        if len(whole) <= MAX_PAYLOAD_BYTES:
            return whole
        title, body = fitted_texts(
            *shown_texts(message), fits=lambda title, body: len(encoded(title, body)) <= MAX_PAYLOAD_BYTES
        )
    except UnicodeEncodeError as error:
        raise CannotBuild("PAYLOAD_NOT_UNICODE") from error
    return encoded(title, body)


def _payload(message: PushMessage, *, title: str, body: str) -> dict[str, Any]:
    alert = {"title": title}
    if body:
        alert["body"] = body
    aps: dict[str, Any] = {"alert": alert, "category": CATEGORY}
    if message.is_urgent:
        aps["sound"] = "default"
    if message.badge is not None:
        aps["badge"] = message.badge
    payload: dict[str, Any] = {"aps": aps}
    if message.image_url and not message.is_sensitive:
        aps["mutable-content"] = 1  # lets the app's extension fetch the image before it is shown
        payload["image_url"] = message.image_url
    if message.data:
        payload["data"] = dict(message.data)
    return payload


def _quoted(token: str) -> str:
    if token.isascii() and token.isalnum():
        return token
    try:
        return quote(token, safe="")
    except UnicodeEncodeError as error:
        raise CannotBuild("PAYLOAD_NOT_UNICODE") from error
