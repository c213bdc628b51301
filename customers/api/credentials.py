"""Who is calling: a phone with a customer's token, or a till or back office with an API key."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from customers.api.problems import Problem, not_found_problem
from customers.models import ApiKey, BearerToken

CHALLENGE = 'Bearer realm="rayon", Api-Key realm="rayon"'
MAX_CREDENTIAL_CHARS = 512


class InvalidCredentials(Problem):
    """No credentials, or none that hold: unknown, expired and revoked look the same."""

    def __init__(self) -> None:
        super().__init__(status=401, headers={"WWW-Authenticate": CHALLENGE})


class MissingScope(Problem):
    """Who is calling is known, and may not do this."""

    def __init__(self, *, detail: str) -> None:
        super().__init__(status=403, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCredential:
    customer_id: int
    device_id: str
    token_id: int
    is_authenticated: ClassVar[bool] = True

    @property
    def key(self) -> str:
        """Return the name under which this caller's idempotency keys and calls are counted."""
        return f"token:{self.token_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCredential:
    prefix: str
    scopes: frozenset[str]
    store_refs: frozenset[str]  # empty: every store
    is_authenticated: ClassVar[bool] = True

    @property
    def key(self) -> str:
        """Return the name under which this caller's idempotency keys and calls are counted."""
        return f"key:{self.prefix}"


Credential = CustomerCredential | KeyCredential


def token_digest(token: str) -> bytes:
    """Return what is kept of a customer's token: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()


def authenticate_bearer(header: str | None, *, now: datetime) -> CustomerCredential:
    """Return who the value of an Authorization header speaks for. One query. Raises InvalidCredentials."""
    return authenticate_token(_after_keyword(header, keyword="bearer"), now=now)


def authenticate_token(token: str | None, *, now: datetime) -> CustomerCredential:
    """Return who a bare token speaks for (a socket's subprotocol carries it so). Raises InvalidCredentials."""
    if not token:
        raise InvalidCredentials
    found = (
        BearerToken.objects.filter(
            digest=token_digest(token), expires_at__gt=now, customer__erased_at__isnull=True
        )
        .values_list("id", "customer_id", "device_id")
        .first()
    )
    if found is None:
        raise InvalidCredentials
    return CustomerCredential(token_id=found[0], customer_id=found[1], device_id=found[2])


def bearer_digest(header: str | None) -> bytes:
    """Return the digest of the token in an Authorization header. Raises InvalidCredentials where there is none."""
    token = _after_keyword(header, keyword="bearer")
    if not token:
        raise InvalidCredentials
    return token_digest(token)


def authenticate_key(header: str | None, *, now: datetime) -> KeyCredential:
    """Return which API key the value of an Authorization header is. One query. Raises InvalidCredentials."""
    given = _after_keyword(header, keyword="api-key")
    if not given:
        raise InvalidCredentials
    try:
        found = cast(ApiKey, ApiKey.objects.get_from_key(given))
    except ApiKey.DoesNotExist:
        raise InvalidCredentials from None
    if found.expiry_date is not None and found.expiry_date <= now:
        raise InvalidCredentials
    return KeyCredential(
        prefix=found.prefix, scopes=frozenset(found.scopes), store_refs=frozenset(found.store_refs)
    )


def _after_keyword(header: str | None, *, keyword: str) -> str | None:
    """Return the credential that follows the keyword; None where the header is another's or is not plain ASCII."""
    parts = (header or "").split()
    if len(parts) != 2 or parts[0].lower() != keyword or len(parts[1]) > MAX_CREDENTIAL_CHARS:
        return None
    return parts[1] if parts[1].isascii() and parts[1].isprintable() else None


class _HeaderAuthentication(BaseAuthentication):
    keyword: str
    authenticate_header_value: Callable[..., Credential]

    def authenticate(self, request: Request) -> tuple[Any, Credential] | None:
        header = get_authorization_header(request).decode("latin-1")
        if header.split(" ", 1)[0].lower() != self.keyword:
            return None
        found = type(self).authenticate_header_value(header, now=timezone.now())
        return found, found

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class BearerAuthentication(_HeaderAuthentication):
    """`Authorization: Bearer <token>`; request.auth is a CustomerCredential."""

    keyword = "bearer"
    authenticate_header_value = staticmethod(authenticate_bearer)


class ApiKeyAuthentication(_HeaderAuthentication):
    """`Authorization: Api-Key <key>`; request.auth is a KeyCredential."""

    keyword = "api-key"
    authenticate_header_value = staticmethod(authenticate_key)


class CustomerOnly(BasePermission):
    """Phones only. A valid API key gets 403: it is known, and this is not for it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, CustomerCredential):
            return True
        if isinstance(request.auth, KeyCredential):
            raise MissingScope(detail="This call needs a customer's token.")
        raise InvalidCredentials


class HasScope(BasePermission):
    """API keys with this scope; `permission_classes = (HasScope("stores:write"),)`.

    `read_with` names scopes that suffice for GET. A valid customer's token gets 403, like a key without the scope.
    """

    def __init__(self, scope: str, *, read_with: tuple[str, ...] = ()) -> None:
        self.scope = scope
        self.read_with = read_with

    def __call__(self) -> "HasScope":
        return self  # DRF instantiates what it finds in permission_classes

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.auth is None:
            raise InvalidCredentials
        scopes = request.auth.scopes if isinstance(request.auth, KeyCredential) else frozenset()
        enough = {self.scope, *(self.read_with if request.method in SAFE_METHODS else ())}
        if scopes.isdisjoint(enough):
            raise MissingScope(detail=f"This call needs the scope {self.scope}.")
        return True


def store_allowed(credential: Any, store_ref: str) -> bool:
    """Whether a key may touch this store: it is not limited to stores, or this one is among them."""
    return isinstance(credential, KeyCredential) and (
        not credential.store_refs or store_ref in credential.store_refs
    )


def check_store(credential: Any, store_ref: str) -> None:
    """Raise the 404 of a store that is not there, where a key is limited to others."""
    if not store_allowed(credential, store_ref):
        raise not_found_problem()
