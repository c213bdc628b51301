"""Every lock of the house, and the order in which a transaction takes them.

1. offers_presence, by customer id: all work on one customer's events, visits and decisions;
2. offers_outboxmessage, then offers_coupon, by id: messages that are dropped, coupons that run out;
3. offers_offer, one row: an offer that staff change;
4. offers_capacity, by offer id: units and budget;
5. the targets' advisory lock: one transaction at a time rebuilds what counts towards offers;
6. the response models' advisory lock: one transaction at a time adds a version or chooses one.

A transaction that needs several takes them in this order, each once; docs/concurrency.md has the reasons. What is
claimed with SKIP LOCKED waits for nobody, so it may come first. Locks are NO KEY UPDATE: rows that refer to the
locked ones can still be written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offers.cursors import array, hot_cursor

# --- customers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPresence:
    customer_id: int
    state: str  # JSON as offers.stages.visits wrote it; {}: nothing is known
    fix_id: int | None  # row of the event that holds the last believed position


def lock_presences(*, customer_ids: Sequence[int]) -> dict[int, LockedPresence]:
    """Return each customer's presence, locked until the transaction ends; missing rows are made.

    A customer that does not exist or is erased is absent from the result. Two statements, whatever the number of
    customers; both take them by rising id, so that two batches cannot wait for each other in a circle.
    """
    ids = array(sorted(set(customer_ids)))
    with hot_cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO offers_presence (customer_id, state)
            SELECT c.id, '{}'::jsonb FROM customers_customer c
            WHERE c.id = ANY(%s::bigint[]) AND c.erased_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM offers_presence p WHERE p.customer_id = c.id)
            ORDER BY c.id
            ON CONFLICT (customer_id) DO NOTHING
            """,
            [ids],
        )
        cursor.execute(
            """
            SELECT p.customer_id, p.state::text, (p.state->>'fix')::bigint
            FROM offers_presence p
            WHERE p.customer_id = ANY(%s::bigint[])
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
    with hot_cursor() as cursor:
        cursor.execute(
            """
            SELECT customer_id, state::text, (state->>'fix')::bigint FROM offers_presence
            WHERE due_at <= %s
            ORDER BY due_at, customer_id
            LIMIT %s
            FOR NO KEY UPDATE SKIP LOCKED
            """,
            [now, limit],
        )
        return _presences(cursor.fetchall())


def _presences(rows: Sequence[tuple[Any, ...]]) -> dict[int, LockedPresence]:
    return {row[0]: LockedPresence(customer_id=row[0], state=row[1], fix_id=row[2]) for row in rows}


# --- capacity ----------------------------------------------------------------------------------------------

_CLAIM = """
    WITH asked AS (
        SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS a(offer_id, wanted)
    ), locked AS (
        SELECT c.offer_id, LEAST(a.wanted, COALESCE(c.units - c.claimed, a.wanted)) AS granted
          FROM offers_capacity c JOIN asked a USING (offer_id)
         ORDER BY c.offer_id
           FOR NO KEY UPDATE OF c
    ), taken AS (
        UPDATE offers_capacity c SET claimed = c.claimed + l.granted
          FROM locked l
         WHERE c.offer_id = l.offer_id AND l.granted > 0 AND (c.units IS NULL OR c.claimed + l.granted <= c.units)
        RETURNING c.offer_id, l.granted
    )
    SELECT a.offer_id, CASE WHEN l.offer_id IS NULL THEN a.wanted ELSE COALESCE(t.granted, 0) END
      FROM asked a LEFT JOIN locked l USING (offer_id) LEFT JOIN taken t USING (offer_id)
"""

_RETURN = """
    WITH given AS (
        SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS g(offer_id, units)
    ), locked AS (
        SELECT c.offer_id, g.units
          FROM offers_capacity c JOIN given g USING (offer_id)
         ORDER BY c.offer_id
           FOR NO KEY UPDATE OF c
    )
    UPDATE offers_capacity c SET claimed = GREATEST(c.claimed - l.units, 0)
      FROM locked l
     WHERE c.offer_id = l.offer_id
"""


def claim_units(wanted: Mapping[int, int]) -> dict[int, int]:
    """Take up to the wanted units of each offer and return how many were granted, 0 for an offer that is sold out.

    An offer without a capacity row has no limit. One statement: it locks the rows in the order of the offers' ids,
    sees what others committed while it waited, and never takes more than is left; a check constraint stands behind.
    Must run inside a transaction, as its last lock: the rows stay locked until it ends. Strength: NO KEY UPDATE,
    because `claimed` is no key and readers of the offer must not wait.
    """
    if not wanted:
        return {}
    offers = sorted(wanted)
    with hot_cursor() as cursor:
        cursor.execute(_CLAIM, [offers, [wanted[offer_id] for offer_id in offers]])
        return dict(cursor.fetchall())


def return_units(units: Mapping[int, int]) -> None:
    """Give units of these offers back, in the order of the offers' ids. Must run inside a transaction."""
    if not units:
        return
    offers = sorted(units)
    with hot_cursor() as cursor:
        cursor.execute(_RETURN, [offers, [units[offer_id] for offer_id in offers]])


_EXPIRE = """
    WITH over AS (
        SELECT id FROM offers_coupon
         WHERE state = 'issued' AND valid_until <= %s
         ORDER BY valid_until LIMIT %s
           FOR NO KEY UPDATE SKIP LOCKED
    ), expired AS (
        UPDATE offers_coupon c SET state = 'expired' FROM over WHERE c.id = over.id
        RETURNING c.offer_id
    ), given AS (
        SELECT offer_id, count(*) AS units FROM expired GROUP BY offer_id
    ), locked AS (
        SELECT c.offer_id, g.units
          FROM offers_capacity c JOIN given g USING (offer_id)
         ORDER BY c.offer_id
           FOR NO KEY UPDATE OF c
    ), returned AS (
        UPDATE offers_capacity c SET claimed = GREATEST(c.claimed - l.units, 0)
          FROM locked l
         WHERE c.offer_id = l.offer_id
    )
    SELECT count(*) FROM expired
"""


def expire_coupons(*, now: datetime, limit: int) -> int:
    """Mark up to `limit` issued coupons whose time is over as expired, give their units back; return how many.

    One statement; coupons in another transaction's hands (at a till, being revoked) are left to the next call.
    """
    with hot_cursor() as cursor:
        cursor.execute(_EXPIRE, [now, limit])
        return int(cursor.fetchone()[0])


# --- messages and targets ----------------------------------------------------------------------------------

TARGETS_LOCK = 7_210_001  # any number that no other advisory lock of the project uses
RESPONSE_MODELS_LOCK = 7_210_002


def lock_messages(message_ids: Sequence[int]) -> None:
    """Lock these rows of the outbox in the order of their ids. Must run inside a transaction.

    NO KEY UPDATE: receipts may still be written to a message that is being dropped.
    """
    with hot_cursor() as cursor:
        cursor.execute(
            "SELECT id FROM offers_outboxmessage WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [list(message_ids)],
        )


_CLAIM_MESSAGES = """
    WITH abandoned AS (
        SELECT id, due_at FROM offers_outboxmessage
         WHERE state = 'sending' AND lease_until <= %(now)s
         ORDER BY lease_until, id LIMIT %(limit)s
           FOR NO KEY UPDATE SKIP LOCKED
    ), waiting AS (
        SELECT id, due_at FROM offers_outboxmessage
         WHERE state = 'queued' AND due_at <= %(now)s
         ORDER BY due_at, id LIMIT %(limit)s
           FOR NO KEY UPDATE SKIP LOCKED
    ), chosen AS (
        SELECT id FROM (SELECT * FROM abandoned UNION ALL SELECT * FROM waiting) AS due
         ORDER BY due_at, id LIMIT %(limit)s
    )
    UPDATE offers_outboxmessage m
       SET state = 'sending', attempts = LEAST(m.attempts + 1, 32767), lease_until = %(lease_until)s
      FROM chosen
     WHERE m.id = chosen.id AND NOT EXISTS (SELECT FROM offers_sendingswitch WHERE is_stopped)
    RETURNING m.id, m.attempts
"""


def claim_due_messages(*, now: datetime, lease_until: datetime, limit: int) -> dict[int, int]:
    """Lease due messages and those whose worker let its lease pass; return attempts, this one counted, by id.

    One statement; rows that another transaction holds are left to it. Nothing is claimed while sending is stopped.
    The attempts tell a claim from later ones of the same message: results are written only by the last.
    """
    values: dict[str, Any] = {"now": now, "lease_until": lease_until, "limit": limit}
    with hot_cursor() as cursor:
        cursor.execute(_CLAIM_MESSAGES, values)
        return dict(cursor.fetchall())


def lock_targets() -> None:
    """Let one transaction at a time rebuild offers' targets, so that the last one to do it has seen every change."""
    with hot_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TARGETS_LOCK])


def lock_response_models() -> None:
    """Let one transaction at a time add a version of the response model, or choose which one is used."""
    with hot_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RESPONSE_MODELS_LOCK])


def lock_offer(ref: str) -> bool:
    """Lock the offer's row while staff change it; False if there is none. Must run inside a transaction.

    Taken before its capacity and the targets. NO KEY UPDATE: coupons may still be issued on it meanwhile.
    """
    with hot_cursor() as cursor:
        cursor.execute("SELECT id FROM offers_offer WHERE ref = %s FOR NO KEY UPDATE", [ref])
        return cursor.fetchone() is not None
