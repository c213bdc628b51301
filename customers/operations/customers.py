"""Customers by the retailer's key."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from customers.locks import lock_customers_by_ref
from customers.models import Customer

WRITABLE = (
    "name",
    "email",
    "phone",
    "birth_year",
    "loyalty_card",
    "language",
    "time_zone",
)
ADDRESSES = {"email": "email_dead_at", "phone": "phone_dead_at"}  # another one may be alive


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerUpsert:
    ref: str
    changes: Mapping[str, Any]  # names of WRITABLE; what is absent keeps its value


@transaction.atomic
def upsert_customers(*, upserts: Sequence[CustomerUpsert], now: datetime) -> list[tuple[Customer, bool]]:
    """Create or update customers; return (customer, whether it is new), one per upsert, same order.

    Four statements, whatever the number. A ref given twice is applied in the order given. Raises KeyError for a field
    that is not writable.
    """
    claimed, known = _claimed_and_known(refs={upsert.ref for upsert in upserts})
    fresh = {
        ref: Customer(id=customer_id, ref=ref, created_at=now, updated_at=now)
        for ref, customer_id in claimed.items()
    }
    everyone = {**known, **fresh}
    results: list[tuple[Customer, bool]] = []
    seen: set[str] = set()
    for upsert in upserts:
        customer = everyone[upsert.ref]
        for name, value in upsert.changes.items():
            if name not in WRITABLE:
                raise KeyError(name)
            if name in ADDRESSES and value != getattr(customer, name):
                setattr(customer, ADDRESSES[name], None)
            setattr(customer, name, value)
        customer.updated_at = now
        results.append((customer, upsert.ref in fresh and upsert.ref not in seen))
        seen.add(upsert.ref)
    Customer.objects.bulk_create(list(fresh.values()))
    if known:
        Customer.objects.bulk_update(list(known.values()), [*WRITABLE, *ADDRESSES.values(), "updated_at"])
    return results


def _claimed_and_known(*, refs: set[str]) -> tuple[dict[str, int], dict[str, Customer]]:
    claimed: dict[str, int] = {}
    known: dict[str, Customer] = {}
    missing = refs
    while missing:  # a second round only where somebody was erased between the two statements
        claimed |= _claim(refs=missing)
        known |= lock_customers_by_ref(refs=missing - claimed.keys())
        missing = missing - claimed.keys() - known.keys()
    return claimed, known


def _claim(*, refs: Collection[str]) -> dict[str, int]:
    """Claim the refs that nobody has, for customers to come; return their ids.

    The foreign key is checked at commit, so the claim can stand before its customer.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_customerref (ref, customer_id)
            SELECT ref, nextval(pg_get_serial_sequence('customers_customer', 'id'))
            FROM (SELECT DISTINCT ref FROM unnest(%s::text[]) AS given(ref) ORDER BY ref) AS given
            ON CONFLICT (ref) DO NOTHING
            RETURNING ref, customer_id
            """,
            [list(refs)],
        )
        return dict(cursor.fetchall())
