"""Who opens a socket: the subprotocol, and the token, which is never in the address."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from customers.api.credentials import (
    MAX_CREDENTIAL_CHARS,
    CustomerCredential,
    InvalidCredentials,
    authenticate_bearer,
    authenticate_token,
    token_digest,
)

SUBPROTOCOL = "rayon.v1"
BEARER = "bearer."


class WrongProtocol(Exception):
    """The client does not offer rayon.v1."""


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def check_protocol(scope: Mapping[str, Any]) -> None:
    """Raise WrongProtocol where the client does not offer rayon.v1."""
    if SUBPROTOCOL not in scope.get("subprotocols", ()):
        raise WrongProtocol


def authenticate(scope: Mapping[str, Any], *, now: datetime) -> tuple[CustomerCredential, bytes]:
    """Return whose phone it is, by its Authorization header, else by its second subprotocol, and the token's digest.

    One query. The digest is what to look for later: a new token takes over the row of the device's old one.

    Raises InvalidCredentials, also for an address with a query: a token there would end up in logs.
    """
    if scope.get("query_string"):
        raise InvalidCredentials
    authorization = headers_of(scope).get("authorization")
    if authorization is not None:
        return authenticate_bearer(authorization, now=now), token_digest(authorization.split()[1])
    token = _token(scope.get("subprotocols", ())) or ""
    return authenticate_token(token, now=now), token_digest(token)


def _token(subprotocols: Sequence[str]) -> str | None:
    tokens = [name.removeprefix(BEARER) for name in subprotocols if name.startswith(BEARER)]
    if len(tokens) != 1 or len(tokens[0]) > MAX_CREDENTIAL_CHARS:
        return None
    return tokens[0] if tokens[0].isascii() and tokens[0].isprintable() else None
