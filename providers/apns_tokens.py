"""APNs' side of provider tokens: who signed it, for which team, how old it is, and how often it changes.

Source: developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from .apns_errors import refusal

MAX_AGE_S = 3600
MIN_CHANGE_S = 1200
CLOCK_SKEW_S = 60
MAX_KNOWN = 1000


@dataclass(slots=True)
class LastToken:
    """The token that a connection last used."""

    token: str = ""
    since: float = 0.0  # Unix time


@dataclass(slots=True)
class TokenChecks:
    """What the server knows of its one team, and how strict it is about new tokens."""

    key: ec.EllipticCurvePublicKey
    key_id: str
    team_id: str
    clock: Callable[[], float] = time.time
    counts_updates: bool = True
    verified: int = 0  # tokens whose signature was found good, each counted once
    _issued_at: dict[str, int] = field(default_factory=dict)  # by token whose signature was verified

    def check(self, authorization: str | None, last: LastToken) -> None:
        """Return for a request that may pass, and remember its token in `last`; raises Refusal."""
        if authorization is None:
            raise refusal("MissingProviderToken")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise refusal("InvalidProviderToken", "the scheme is not bearer")
        issued_at = self._issued_at.get(token)
        if issued_at is None:
            issued_at = self._verified(token)
        now = self.clock()
        if issued_at > now + CLOCK_SKEW_S:
            raise refusal("InvalidProviderToken", "iat lies ahead")
        if issued_at < now - MAX_AGE_S:
            raise refusal("ExpiredProviderToken")
        if token != last.token:
            if self.counts_updates and last.token and now - last.since < MIN_CHANGE_S:
                raise refusal("TooManyProviderTokenUpdates")
            last.token, last.since = token, now

    def _verified(self, token: str) -> int:
        """Return when the token was issued."""
        try:
            if jwt.get_unverified_header(token).get("kid") != self.key_id:
                raise refusal("InvalidProviderToken", "kid is not ours")
            claims = jwt.decode(
                token,
                self.key,
                algorithms=["ES256"],
                options={"require": ["iss", "iat"], "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise refusal("InvalidProviderToken", type(error).__name__) from error
        if claims["iss"] != self.team_id:
            raise refusal("InvalidProviderToken", "iss is not ours")
        if type(claims["iat"]) is not int:
            raise refusal("InvalidProviderToken", "iat is not a whole number")
        if len(self._issued_at) >= MAX_KNOWN:
            self._issued_at.clear()
        self.verified += 1
        self._issued_at[token] = claims["iat"]
        return claims["iat"]
