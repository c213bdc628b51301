"""Customers' tokens: opaque, one per device, only their SHA-256 kept."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from customers.locks import lock_customer
from customers.models import BearerToken
from customers.operations.errors import UnknownCustomer

LIFETIME = timedelta(days=180)
PREFIX = "rayon_"  # lets scanners of leaked secrets know one
RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    token: str = field(repr=False)  # told once
    expires_at: datetime


@transaction.atomic
def issue_token(*, customer_id: int, device_id: str, now: datetime) -> IssuedToken:
    """Issue a new token for the customer's device; its old one dies with the same write.

    Raises UnknownCustomer.
    """
    if lock_customer(customer_id=customer_id) is None:
        raise UnknownCustomer
    token = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    expires_at = now + LIFETIME
    BearerToken.objects.bulk_create(
        [
            BearerToken(
                digest=hashlib.sha256(token.encode()).digest(),
                customer_id=customer_id,
                device_id=device_id,
                created_at=now,
                expires_at=expires_at,
            )
        ],
        update_conflicts=True,
        unique_fields=["customer", "device_id"],
        update_fields=["digest", "created_at", "expires_at"],
    )
    return IssuedToken(token=token, expires_at=expires_at)


def revoke_tokens(*, customer_id: int, device_id: str | None = None) -> int:
    """Revoke the device's token, or (None) every token of the customer; return how many there were."""
    tokens = BearerToken.objects.filter(customer_id=customer_id)
    if device_id is not None:
        tokens = tokens.filter(device_id=device_id)
    return tokens.delete()[0]
