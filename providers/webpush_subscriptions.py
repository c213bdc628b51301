"""The browsers of the local push service: their keys, and the messages that wait for them.

Source: RFC 8030 (sections 4, 5.2 and 5.4), RFC 8291.
"""

import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .webpush_errors import push_refusal

MAX_TTL_S = 2_419_200  # four weeks; longer ones are lowered
P256_POINT_BYTES = 65


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that the browser has not fetched yet."""

    name: str
    topic: str | None
    urgency: str
    text: str
    expires_at: float  # Unix time


@dataclass(slots=True)
class Browser:
    """One subscription, with the keys that only the browser has."""

    private_key: ec.EllipticCurvePrivateKey
    auth: bytes
    server_key: str | None  # the only application server that may send, base64url; None: any
    is_gone: bool = False
    waiting: list[Waiting] = field(default_factory=list)

    def read(self, body: bytes) -> str:
        """Return the clear text of a message; raises PushRefusal (UNDECRYPTABLE)."""
        try:
            text: bytes = http_ece.decrypt(
                body, private_key=self.private_key, auth_secret=self.auth, version="aes128gcm"
            )
            return text.decode()
        # The library raises whatever its parts raise; what is not a message is not one, however it is broken.
        except Exception as error:
            raise push_refusal("UNDECRYPTABLE") from error


@dataclass(slots=True)
class Browsers:
    """Every subscription made here, by the secret part of its endpoint."""

    clock: Callable[[], float] = time.time
    _known: dict[str, Browser] = field(default_factory=dict)

    def subscribe(self, *, server_key: str | None) -> tuple[str, dict[str, str]]:
        """Make a subscription; return its id and its keys as a browser gives them away."""
        key = ec.generate_private_key(ec.SECP256R1())
        browser = Browser(private_key=key, auth=secrets.token_bytes(16), server_key=server_key)
        name = secrets.token_urlsafe(24)
        self._known[name] = browser
        point = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return name, {"p256dh": encode(point), "auth": encode(browser.auth)}

    def at(self, name: str) -> Browser:
        """Return the browser; raises PushRefusal: NOT_FOUND, or GONE once it has unsubscribed."""
        browser = self._known.get(name)
        if browser is None:
            raise push_refusal("NOT_FOUND")
        if browser.is_gone:
            raise push_refusal("GONE")
        return browser

    def keep(self, browser: Browser, message: Waiting) -> None:
        """Let a message wait; one with the same topic that waits already is replaced."""
        if message.expires_at <= self.clock():
            return
        browser.waiting = [
            other for other in self.waiting(browser) if message.topic is None or other.topic != message.topic
        ]
        browser.waiting.append(message)

    def waiting(self, browser: Browser) -> list[Waiting]:
        """Return what the browser would fetch now, oldest first."""
        now = self.clock()
        return [message for message in browser.waiting if message.expires_at > now]


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: Any) -> bytes:
    """Return the bytes of base64url; raises ValueError."""
    text = str(text).rstrip("=")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def public_key(text: Any) -> ec.EllipticCurvePublicKey:
    """Return the P-256 public key in base64url; raises ValueError."""
    raw = decode(text)
    if len(raw) != P256_POINT_BYTES:
        raise ValueError("not an uncompressed point")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
