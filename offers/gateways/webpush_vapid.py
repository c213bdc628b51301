"""Who we are to push services: the VAPID key, and the short-lived word that it signs for each of them.

Source: RFC 8292 (voluntary application server identification).
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import jwt

from .credentials import BadCredentialsFile
from .webpush_crypto import base64url

LIFETIME_S = 12 * 3600  # push services refuse more than 24 h
EARLY_S = 3600  # a word is replaced this long before it dies
FRESH_S = 60  # refused younger than this, a new one would be refused as well
MAX_ORIGINS = 256  # a wildcard in the list of hosts makes their number a stranger's choice

_SUBJECT = re.compile(r"mailto:[^@\s<>]+@[^@\s<>]+|https://[^\s/]+(/\S*)?")


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 private key in a PEM file; raises BadCredentialsFile."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise BadCredentialsFile(f"{path}: {error.strerror}") from error
    except (TypeError, ValueError):
        # The cause is cut off: it may quote the key.
        raise BadCredentialsFile(f"{path} is not a private key in PEM without a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadCredentialsFile(f"{path} is not a P-256 key: make_vapid_key makes one")
    return key


def public_key_text(key: ec.EllipticCurvePrivateKey) -> str:
    """Return the public key as a browser's applicationServerKey: an uncompressed point, base64url."""
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return base64url(point)


def is_subject(text: str) -> bool:
    """Whether a push service can complain to it: a mailto: or https: address."""
    return _SUBJECT.fullmatch(text) is not None


@dataclass(slots=True)
class Vapid:
    """Signs one word per push service and keeps it; the least recently needed are forgotten."""

    key: ec.EllipticCurvePrivateKey
    subject: str  # mailto: or https:
    clock: Callable[[], float]  # Unix time, seconds
    _words: OrderedDict[str, tuple[str, float]] = field(
        default_factory=OrderedDict
    )  # header, when it was signed

    def header(self, origin: str) -> str:
        """Return the Authorization header for a push service."""
        now = self.clock()
        header, signed_at = self._words.get(origin, ("", 0.0))
        if not header or not 0 <= now - signed_at < LIFETIME_S - EARLY_S:
            header = self._signed(origin, now=now)
            self._words[origin] = (header, now)
        self._words.move_to_end(origin)
        while len(self._words) > MAX_ORIGINS:
            self._words.popitem(last=False)
        return header

    def renew(self, origin: str, *, refused: str) -> bool:
        """Forget a header that was refused; return whether another may fare better, since that one was old."""
        header, signed_at = self._words.get(origin, ("", 0.0))
        if header != refused:
            return bool(header)
        if 0 <= self.clock() - signed_at < FRESH_S:
            return False
        del self._words[origin]
        return True

    def _signed(self, origin: str, *, now: float) -> str:
        claims = {"aud": origin, "exp": int(now) + LIFETIME_S, "sub": self.subject}
        return f"vapid t={jwt.sign(claims, self.key)},k={public_key_text(self.key)}"
