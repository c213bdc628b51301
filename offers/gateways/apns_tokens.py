"""Provider tokens: what a team signs to send through APNs.

Source: developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns (ES256; not
older than an hour, not renewed within twenty minutes).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .credentials import BadCredentialsFile

RENEW_AFTER_S = 2400  # between the least and the greatest age that APNs allows
MIN_AGE_S = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The team's key, as Apple gives it out."""

    key: ec.EllipticCurvePrivateKey
    key_id: str
    team_id: str

    @classmethod
    def from_file(cls, path: Path, *, key_id: str, team_id: str) -> "SigningKey":
        """Return the key kept in a .p8 file; raises BadCredentialsFile."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise BadCredentialsFile(f"{path}: {error.strerror}") from error
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # The cause is cut off: it may quote the key.
            raise BadCredentialsFile(f"{path} is not a .p8 key file") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise BadCredentialsFile(f"{path} is not a .p8 key file: its key is not on the curve P-256")
        return cls(key=key, key_id=key_id, team_id=team_id)

    def signed(self, *, issued_at: int) -> str:
        """Return a token issued at this Unix time."""
        claims = {"iss": self.team_id, "iat": issued_at}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.key_id})


@dataclass(slots=True, kw_only=True)
class ProviderTokens:
    """The current token. Signing takes no waiting, so that there is never more than one renewal under way."""

    key: SigningKey
    clock: Callable[[], float]  # Unix time, seconds
    _token: str = ""
    _issued_at: float = 0.0
    _may_force_at: float = 0.0  # APNs' word that a token is too old is believed again from then on

    def current(self) -> str:
        """Return the token to send with, renewed every forty minutes, or when the clock was set back."""
        now = self.clock()
        if not self._token or not 0 <= now - self._issued_at < RENEW_AFTER_S:
            self._renew(now)
        return self._token

    def instead_of(self, refused: str) -> str | None:
        """Return the token to try after `refused`, which APNs calls expired; None if another would not help.

        A fresh token that is called expired means that this machine's clock is wrong. One more is tried, since the clock
        may have been set right, and then none for twenty minutes: APNs refuses those who change theirs too often.
        """
        if refused != self._token:
            return self._token
        now = self.clock()
        if now - self._issued_at < MIN_AGE_S and now < self._may_force_at:
            return None
        self._may_force_at = now + MIN_AGE_S
        self._renew(now)
        return self._token

    def _renew(self, now: float) -> None:
        self._token = self.key.signed(issued_at=int(now))
        self._issued_at = now
