"""A browser's subscription, and a message only that browser can read.

Source: RFC 8291 (message encryption for Web Push), RFC 8188 (aes128gcm).
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec

from .fitting import CannotBuild

MAX_BODY_BYTES = 4096  # what every push service has to take (RFC 8030, section 7.2)
RECORD_BYTES = 4096
OVERHEAD_BYTES = 16 + 4 + 1 + 65 + 1 + 16  # salt, record size, length and public key; delimiter, tag
MAX_TEXT_BYTES = MAX_BODY_BYTES - OVERHEAD_BYTES
AUTH_BYTES = 16
POINT_BYTES = 65  # uncompressed: 0x04, x, y


class BadSubscription(CannotBuild):
    """The address of a message is not a subscription one can encrypt to; `code` names why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What PushSubscription.toJSON() gives, flattened."""

    endpoint: str = field(repr=False)
    p256dh: ec.EllipticCurvePublicKey = field(repr=False)
    auth: bytes = field(repr=False)

    @classmethod
    def from_token(cls, token: str) -> "Subscription":
        """Return the subscription in a message's token: `{"endpoint", "p256dh", "auth"}`; raises BadSubscription.

        Codes: SUBSCRIPTION_MALFORMED, and SUBSCRIPTION_KEYS_INVALID for a point that is not on the curve or keys of
        another length.
        """
        try:
            raw = json.loads(token)
        except (ValueError, RecursionError):
            raise BadSubscription("SUBSCRIPTION_MALFORMED") from None
        raw = raw if isinstance(raw, dict) else {}
        endpoint, p256dh, auth = raw.get("endpoint"), raw.get("p256dh"), raw.get("auth")
        if not isinstance(endpoint, str) or not isinstance(p256dh, str) or not isinstance(auth, str):
            raise BadSubscription("SUBSCRIPTION_MALFORMED")
        try:
            return cls(endpoint=endpoint, p256dh=_point(p256dh), auth=_bytes(auth, size=AUTH_BYTES))
        except ValueError:
            raise BadSubscription("SUBSCRIPTION_KEYS_INVALID") from None


def encrypted(text: bytes, *, to: Subscription, **fixed: Any) -> bytes:
    """Return the body of a push request: aes128gcm, one record, sealed with keys made for this message alone.

    `text` is at most MAX_TEXT_BYTES long. `fixed` (salt, private_key) replaces what is otherwise drawn, for the
    RFC's own example.
    """
    keys = {"private_key": ec.generate_private_key(ec.SECP256R1()), **fixed}
    body: bytes = http_ece.encrypt(
        text, dh=to.p256dh, auth_secret=to.auth, rs=RECORD_BYTES, version="aes128gcm", **keys
    )
    return body


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str, *, size: int) -> bytes:
    text = text.rstrip("=")
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if len(raw) != size:
        raise ValueError
    return raw


def _point(text: str) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(text, size=POINT_BYTES))
