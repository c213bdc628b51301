"""Every lock of `customers`, and the order in which a transaction takes them.

1. a push address's advisory lock: one registration of it at a time;
2. customers_receiptclaim, by store and receipt: the insert itself is the lock (customers.operations.purchases);
3. customers_purchase, by id: receipts that are corrected;
4. customers_customer, by id: all else that is written about one customer;
5. the usual rhythms' advisory lock: one making of them at a time.

A transaction takes them in this order, each once. Locks are NO KEY UPDATE: rows that refer to the locked
ones can still be written.
"""

from collections.abc import Collection, Iterable

from django.db import connection

from customers.models import Customer


def lock_customers(*, customer_ids: Iterable[int]) -> set[int]:
    """Return which of these customers exist and are not erased, locked until the transaction ends. One statement."""
    living = Customer.objects.filter(id__in=sorted(set(customer_ids)), erased_at__isnull=True)
    return set(living.order_by("id").select_for_update(no_key=True).values_list("id", flat=True))


def lock_customer(*, customer_id: int) -> Customer | None:
    """Return the customer, locked until the transaction ends; None where there is none, or an erased one."""
    living = Customer.objects.filter(id=customer_id, erased_at__isnull=True)
    return living.select_for_update(no_key=True).first()


def lock_customers_by_ref(*, refs: Collection[str]) -> dict[str, Customer]:
    """Return the living customers of these refs, by their own ref, locked until the transaction ends."""
    living = Customer.objects.filter(refs__ref__in=refs, erased_at__isnull=True)
    locked = living.order_by("id").select_for_update(no_key=True, of=("self",))
    return {customer.ref: customer for customer in locked}


def lock_push_address(*, digest: bytes) -> None:
    """Wait until no other transaction registers this push address; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)])


def lock_usual_rhythms() -> None:
    """Wait until no other transaction makes the usual rhythms anew; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('customers_usualrhythm'), 0)")
