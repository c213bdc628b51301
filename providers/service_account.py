"""Google's side of a service account: the key file it hands out, and the tokens it gives for signed assertions.

Source: developers.google.com/identity/protocols/oauth2/service-account (JWT-bearer grant, RFC 7523).
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = frozenset(
    {
        "https://www.googleapis.com/auth/firebase.messaging",
        "https://www.googleapis.com/auth/cloud-platform",
    }
)
MAX_ASSERTION_S = 3600
CLOCK_SKEW_S = 60
CREDENTIALS_NAME = "service-account.json"


def write_service_account(directory: Path, *, base_url: str, project: str) -> dict[str, str]:
    """Return the service account kept in `directory`, made if it is not there, its token_uri set to `base_url`.

    Writes service-account.json, readable by its owner alone; an existing private key is kept.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / CREDENTIALS_NAME
    account = json.loads(path.read_text()) if path.exists() else _new_account(project)
    account["token_uri"] = f"{base_url}/token"
    partial = path.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(account, indent=2) + "\n")
    partial.replace(path)
    return account


def _new_account(project: str) -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode(),
        "client_email": f"push@{project}.iam.gserviceaccount.com",
        "client_id": str(secrets.randbelow(10**21)),
    }


@dataclass(eq=False)
class TokenRefusal(Exception):
    """An answer of the token endpoint that is not a token (RFC 6749, section 5.2)."""

    error: str
    description: str
    status: int = 400


@dataclass(slots=True)
class TokenIssuer:
    """Checks assertions against the account's public key and keeps the access tokens it gave."""

    account: Mapping[str, str]
    expires_in_s: int = 3599
    clock: Callable[[], float] = time.time
    issued: int = 0
    _alive: dict[str, float] = field(default_factory=dict)  # access token -> Unix time at which it dies

    def grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return the token answer for a JWT-bearer request; raises TokenRefusal."""
        if form.get("grant_type") != GRANT_TYPE:
            raise TokenRefusal("unsupported_grant_type", "Invalid grant_type.")
        claims = self._claims(form.get("assertion", ""))
        scopes = str(claims.get("scope", "")).split()
        if not scopes or not SCOPES.issuperset(scopes):
            raise TokenRefusal("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self._alive[token] = self.clock() + self.expires_in_s
        self.issued += 1
        return {
            "access_token": token,
            "expires_in": self.expires_in_s,
            "token_type": "Bearer",
        }

    def accepts(self, authorization: str) -> bool:
        """Return whether an Authorization header carries a token that is alive."""
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and self._alive.get(token, 0.0) > self.clock()

    def expire_all(self) -> None:
        """Make every access token given so far useless."""
        self._alive.clear()

    def _claims(self, assertion: str) -> dict[str, Any]:
        key = serialization.load_pem_private_key(self.account["private_key"].encode(), password=None)
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                key.public_key(),  # type: ignore[arg-type]
                algorithms=["RS256"],
                audience=self.account["token_uri"],
                issuer=self.account["client_email"],
                leeway=CLOCK_SKEW_S,
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
        except jwt.InvalidSignatureError as error:
            raise TokenRefusal("invalid_grant", "Invalid JWT Signature.") from error
        except jwt.InvalidTokenError as error:
            raise TokenRefusal("invalid_grant", f"Invalid JWT: {error}") from error
        if claims["exp"] - claims["iat"] > MAX_ASSERTION_S:
            raise TokenRefusal(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes).",
            )
        return claims
