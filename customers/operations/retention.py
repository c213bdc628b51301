"""What is held on customers, forgotten when its time is over; each function does one kind, in short transactions."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

BATCH = 1_000  # rows of one transaction
CUSTOMERS = 200  # whose history is looked at in one transaction

_IDEMPOTENCY = """
    DELETE FROM customers_idempotencyrecord
     WHERE id IN (SELECT id FROM customers_idempotencyrecord WHERE created_at <= %s ORDER BY created_at LIMIT %s)
"""

_ANONYMOUS = """
    WITH old AS (
        SELECT id FROM customers_purchase
         WHERE customer_id IS NULL AND purchased_at <= %s
         ORDER BY purchased_at LIMIT %s
    ), lines AS (
        DELETE FROM customers_purchaseline l USING old WHERE l.purchase_id = old.id
    ), claims AS (
        DELETE FROM customers_receiptclaim c USING old WHERE c.purchase_id = old.id
    )
    DELETE FROM customers_purchase p USING old WHERE p.id = old.id
"""

# Activity: a purchase, a phone that was heard of, a word about consent, or joining.
_IDLE = """
    SELECT c.id FROM customers_customer c
     WHERE c.id = ANY(%(customers)s) AND c.created_at <= %(cutoff)s
       AND EXISTS (SELECT FROM customers_purchase p WHERE p.customer_id = c.id)
       AND NOT EXISTS (SELECT FROM customers_purchase p
                        WHERE p.customer_id = c.id AND p.purchased_at > %(cutoff)s)
       AND NOT EXISTS (SELECT FROM customers_device d WHERE d.customer_id = c.id AND d.last_seen_at > %(cutoff)s)
       AND NOT EXISTS (SELECT FROM customers_consent n WHERE n.customer_id = c.id AND n.recorded_at > %(cutoff)s)
"""

_HISTORY = """
    WITH old AS (
        SELECT id FROM customers_purchase WHERE customer_id = ANY(%(customers)s)
    ), lines AS (
        DELETE FROM customers_purchaseline l USING old WHERE l.purchase_id = old.id
    ), claims AS (
        DELETE FROM customers_receiptclaim c USING old WHERE c.purchase_id = old.id
    ), affinities AS (
        DELETE FROM customers_affinity WHERE customer_id = ANY(%(customers)s)
    ), profiles AS (
        DELETE FROM customers_profile WHERE customer_id = ANY(%(customers)s)
    )
    DELETE FROM customers_purchase p USING old WHERE p.id = old.id
"""

# A withdrawal is the newest word of its purpose; with it go the words it ended.
_CONSENTS = """
    DELETE FROM customers_consent n USING customers_customer c
     WHERE n.customer_id = ANY(%(customers)s) AND c.id = n.customer_id
       AND (c.erased_at <= %(cutoff)s
            OR EXISTS (SELECT FROM (SELECT last.granted, last.recorded_at FROM customers_consent last
                                     WHERE last.customer_id = n.customer_id AND last.purpose = n.purpose
                                     ORDER BY last.id DESC LIMIT 1) AS newest
                        WHERE NOT newest.granted AND newest.recorded_at <= %(cutoff)s))
"""


def in_batches(statement: str, parameters: Sequence[Any], *, batch: int = BATCH) -> int:
    """Run a statement whose last parameter is its row limit until it finds less; return how many rows it changed."""
    changed = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [*parameters, batch])
            changed += cursor.rowcount
            if cursor.rowcount < batch:
                return changed


def forget_answers(*, cutoff: datetime, batch: int = BATCH) -> int:
    """Delete what idempotent requests were answered up to the cutoff; return how many."""
    return in_batches(_IDEMPOTENCY, [cutoff], batch=batch)


def forget_purchases(*, cutoff: datetime, batch: int = BATCH, customers: int = CUSTOMERS) -> int:
    """Delete all purchases, and the profile made of them, of customers without any activity after the cutoff.

    Receipts without a customer go by their own date. Returns how many purchases were deleted.
    """

    def forget(ids: list[int]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(_IDLE, {"customers": ids, "cutoff": cutoff})
            idle = [customer_id for (customer_id,) in cursor.fetchall()]
            if not idle:
                return 0
            cursor.execute(_HISTORY, {"customers": idle})
            return cursor.rowcount

    return in_batches(_ANONYMOUS, [cutoff], batch=batch) + _by_customers(forget, size=customers)


def forget_consents(*, cutoff: datetime, customers: int = CUSTOMERS) -> int:
    """Delete the words of consents that were withdrawn, and of customers who were erased, up to the cutoff.

    A consent that stands is kept with its history. Returns how many words were deleted.
    """

    def forget(ids: list[int]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(_CONSENTS, {"customers": ids, "cutoff": cutoff})
            return cursor.rowcount

    return _by_customers(forget, size=customers)


def _by_customers(forget: Callable[[list[int]], int], *, size: int) -> int:
    """Let `forget` see all customers' ids, rising, some at a time, each time in a transaction of its own."""
    changed, last = 0, 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM customers_customer WHERE id > %s ORDER BY id LIMIT %s", [last, size]
            )
            ids = [customer_id for (customer_id,) in cursor.fetchall()]
            if not ids:
                return changed
            changed += forget(ids)
            last = ids[-1]
