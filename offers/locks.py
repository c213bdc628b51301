"""Every lock of the house, and the order in which a transaction takes them.

1. offers_presence, by customer id: all work on one customer's events, visits and decisions;
2. offers_capacity, by offer id: units and budget.

A transaction that needs both takes them in this order, each once. What is claimed with SKIP LOCKED waits for
nobody, so it may come first. Locks are NO KEY UPDATE: rows that refer to the locked ones can still be written.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection


# --- customers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPresence:
    customer_id: int
    state: dict[str, Any]  # as offers.stages.visits wrote it; empty: nothing is known
    last_event_at: datetime | None  # how far the fold has come
    due_at: datetime | None  # when the worker must act


def lock_presences(*, customer_ids: Sequence[int]) -> dict[int, LockedPresence]:
    """Return each customer's presence, locked until the transaction ends; missing rows are made.

    A customer that does not exist or is erased is absent from the result. Two statements, whatever the number of
    customers; both take them by rising id, so that two batches cannot wait for each other in a circle.
    """
    ids = sorted(set(customer_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO offers_presence (customer_id, state)
            SELECT c.id, '{}'::jsonb FROM customers_customer c
            WHERE c.id = ANY(%s) AND c.erased_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM offers_presence p WHERE p.customer_id = c.id)
            ORDER BY c.id
            ON CONFLICT (customer_id) DO NOTHING
            """,
            [ids],
        )
        cursor.execute(
            """
            SELECT p.customer_id, p.state::text, p.last_event_at, p.due_at FROM offers_presence p
            WHERE p.customer_id = ANY(%s)
            ORDER BY p.customer_id
            FOR NO KEY UPDATE
            """,
            [ids],
        )
        return _presences(cursor.fetchall())


def claim_due_presences(*, now: datetime, limit: int) -> dict[int, LockedPresence]:
    """Return the presences whose deadline has passed, longest due first, locked until the transaction ends.

    Those that another transaction holds are left to it: it will look at their deadlines itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT customer_id, state::text, last_event_at, due_at FROM offers_presence
            WHERE due_at <= %s
            ORDER BY due_at, customer_id
            LIMIT %s
            FOR NO KEY UPDATE SKIP LOCKED
            """,
            [now, limit],
        )
        return _presences(cursor.fetchall())


def _presences(rows: Sequence[tuple[Any, ...]]) -> dict[int, LockedPresence]:
    return {
        row[0]: LockedPresence(
            customer_id=row[0], state=json.loads(row[1]), last_event_at=row[2], due_at=row[3]
        )
        for row in rows
    }


# --- capacity ----------------------------------------------------------------------------------------------
