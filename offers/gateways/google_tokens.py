"""Access tokens of a Google service account, fetched when needed and shared.

Source: developers.google.com/identity/protocols/oauth2/service-account (JWT-bearer grant, RFC 7523).
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from google.auth import crypt, jwt

from .credentials import BadCredentialsFile
from .http import NoAnswer, post

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_S = 3600
EARLY_S = 300  # a token is replaced this long before it dies

_ERROR_NAME = re.compile(r"[a-z][a-z_]{1,63}")


class NoToken(Exception):
    """No access token could be had; `code` names why, `refused` tells a refusal from a failure that passes."""

    def __init__(
        self, code: str, *, refused: bool, status: int | None = None, retry_after: str | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.refused = refused
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who we are at Google."""

    project_id: str
    client_email: str
    token_uri: str
    signer: crypt.Signer

    @classmethod
    def from_file(cls, path: Path) -> "ServiceAccount":
        """Return the account kept in a service account file; raises BadCredentialsFile."""
        try:
            info = json.loads(path.read_text())
            return cls(
                project_id=info["project_id"],
                client_email=info["client_email"],
                token_uri=info["token_uri"],
                signer=crypt.RSASigner.from_service_account_info(info),
            )
        except OSError as error:
            raise BadCredentialsFile(f"{path}: {error.strerror}") from error
        except (KeyError, TypeError, ValueError):
            # The cause is cut off: it may quote the key.
            raise BadCredentialsFile(f"{path} is not a Google service account file") from None


@dataclass(slots=True)
class AccessTokens:
    """The account's current access token; however many wait for a new one, one request fetches it."""

    account: ServiceAccount
    client: httpx.AsyncClient
    timeout_s: float
    clock: Callable[[], float]  # Unix time, seconds
    _token: str | None = None
    _renew_at: float = 0.0
    _fetching: "asyncio.Task[str] | None" = None

    async def current(self, *, refused: str | None = None) -> str:
        """Return a token that is not `refused`, the one the provider just turned down; raises NoToken."""
        token = self._token
        if token is not None and token != refused and self.clock() < self._renew_at:
            return token
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        # Shielded: one waiter that gives up does not take the token from the others.
        return await asyncio.shield(self._fetching)

    def _fetched(self, task: "asyncio.Task[str]") -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()

    async def _fetch(self) -> str:
        form = {"grant_type": GRANT_TYPE, "assertion": self._assertion()}
        try:
            answer = await post(self.client, self.account.token_uri, timeout_s=self.timeout_s, data=form)
        except NoAnswer as error:
            raise NoToken(f"OAUTH_{error.code}", refused=False) from error
        body = _parsed(answer.body)
        if answer.status != 200:
            # 429 and 5xx pass by themselves; anything else says that the account is not what it should be.
            passing = answer.status in (408, 429) or answer.status >= 500
            code = f"OAUTH_{_error_name(body) or answer.status}"
            raise NoToken(code, refused=not passing, status=answer.status, retry_after=answer.retry_after)
        token, lifetime = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not isinstance(lifetime, int):
            raise NoToken("OAUTH_MALFORMED_ANSWER", refused=False, status=answer.status)
        self._token = token
        self._renew_at = self.clock() + max(lifetime - EARLY_S, lifetime / 2)
        return token

    def _assertion(self) -> str:
        issued_at = int(self.clock())
        claims = {
            "iss": self.account.client_email,
            "scope": SCOPE,
            "aud": self.account.token_uri,
            "iat": issued_at,
            "exp": issued_at + ASSERTION_S,
        }
        assertion: bytes = jwt.encode(self.account.signer, claims)
        return assertion.decode()


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _error_name(body: dict[str, Any]) -> str | None:
    name = body.get("error")
    return name.upper() if isinstance(name, str) and _ERROR_NAME.fullmatch(name) else None
