"""The terms that customers set for themselves; they win over every campaign."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.locks import lock_customer
from customers.models import Customer
from customers.operations.errors import UnknownCustomer

WRITABLE = frozenset(
    {
        "language",
        "time_zone",
        "topics",
        "keywords",
        "muted_brands",
        "muted_categories",
        "max_pushes_per_day",
        "max_pushes_per_week",
        "channels",
        "paused_until",
    }
)


@transaction.atomic
def update_preferences(*, customer_id: int, changes: Mapping[str, Any], now: datetime) -> Customer:
    """Set the given preferences and keep the others.

    `changes` has names of WRITABLE, and `quiet_hours`: (from, until) local times, or None for no quiet hours at all.
    Raises UnknownCustomer; KeyError for a name that is neither.
    """
    customer = lock_customer(customer_id=customer_id)
    if customer is None:
        raise UnknownCustomer
    written = {"updated_at"}
    for name, value in changes.items():
        if name == "quiet_hours":
            customer.has_own_quiet_hours = True
            customer.quiet_from, customer.quiet_until = value or (None, None)
            written |= {"has_own_quiet_hours", "quiet_from", "quiet_until"}
        elif name in WRITABLE:
            setattr(customer, name, value)
            written.add(name)
        else:
            raise KeyError(name)
    customer.updated_at = now
    customer.save(update_fields=sorted(written))
    return customer
