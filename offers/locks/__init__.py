"""Every lock of the house, and the order in which a transaction takes them.

1. offers_presence, by customer id: all work on one customer's events, visits and decisions;
2. offers_outboxmessage, then offers_coupon, by id: messages that are dropped, coupons that run out;
3. offers_offer, one row: an offer that staff change; then its offers_dealstate, if it is a deal;
4. offers_capacity, by offer id: units and budget;
5. offers_lane, one row: what workers share of a provider; each statement of offers.stages.deliver.gate alone;
6. the targets' advisory lock: one transaction at a time rebuilds what counts towards offers;
7. the response models' advisory lock: one transaction at a time adds a version or chooses one.

Outside all transactions: the next baskets' advisory lock, which one run at a time holds from its start to its end.

A transaction that needs several takes them in this order, each once; docs/concurrency.md has the reasons. What is
claimed with SKIP LOCKED waits for nobody, so it may come first. Locks are NO KEY UPDATE: rows that refer to the
locked ones can still be written.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from offers.cursors import bigints, hot_cursor
from offers.locks.advisory import NEXT_BASKETS_LOCK as NEXT_BASKETS_LOCK
from offers.locks.advisory import lock_response_models as lock_response_models
from offers.locks.advisory import lock_targets as lock_targets
from offers.locks.advisory import only_teller_of_next_baskets as only_teller_of_next_baskets

# --- customers ---------------------------------------------------------------------------------------------


class LockedPresence(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    customer_id: int
    state: str  # JSON as offers.stages.visits wrote it; empty: nothing is known
    fix: tuple[int, str] | None  # row and id of the event that holds the last believed position


def lock_presences(*, customer_ids: Collection[int]) -> dict[int, LockedPresence]:
    """Return each customer's presence, locked until the transaction ends; who has none is absent.

    One statement, whatever the number of customers; it locks by rising id, so that two batches cannot wait for each
    other in a circle. From here on, this transaction's statements are planned by index wherever there is one: all of
    them look up by key, and of a day's table that is still empty the planner would think that reading it whole is best.
    """
    with hot_cursor() as cursor:
        cursor.execute(
            """
            WITH by_index AS MATERIALIZED (SELECT set_config('enable_seqscan', 'off', true))
            SELECT p.customer_id, p.state, p.fix_id, p.fix_event_id::text
            FROM offers_presence p CROSS JOIN by_index
            WHERE p.customer_id = ANY(%s)
            ORDER BY p.customer_id
            FOR NO KEY UPDATE OF p
            """,
            [bigints(sorted(set(customer_ids)))],
        )
        return _presences(cursor.fetchall())


def make_presences(*, customer_ids: Collection[int]) -> None:
    """Make the presences that are missing; a customer that does not exist or is erased gets none. One statement.

    To be called before lock_presences in a transaction: who makes rows while holding others' locks could meet
    somebody who does the reverse.
    """
    with hot_cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO offers_presence (customer_id, state)
            SELECT c.id, '' FROM customers_customer c
            WHERE c.id = ANY(%s) AND c.erased_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM offers_presence p WHERE p.customer_id = c.id)
            ORDER BY c.id
            ON CONFLICT (customer_id) DO NOTHING
            """,
            [bigints(sorted(set(customer_ids)))],
        )


def claim_due_presences(
    *, now: datetime, limit: int, only: Sequence[int] | None = None
) -> dict[int, LockedPresence]:
    """Return the presences whose deadline has passed, longest due first, locked until the transaction ends.

    Those that another transaction holds are left to it: it will look at their deadlines itself. only: the customers
    to look at; None: all.
    """
    ids = None if only is None else "{" + ",".join(map(str, only)) + "}"
    with hot_cursor() as cursor:
        cursor.execute(
            """
            WITH by_index AS MATERIALIZED (SELECT set_config('enable_seqscan', 'off', true))
            SELECT p.customer_id, p.state, p.fix_id, p.fix_event_id::text FROM offers_presence p CROSS JOIN by_index
            WHERE p.due_at <= %s AND (%s::bigint[] IS NULL OR p.customer_id = ANY(%s::bigint[]))
            ORDER BY p.due_at, p.customer_id
            LIMIT %s
            FOR NO KEY UPDATE OF p SKIP LOCKED
            """,
            [now, ids, ids, limit],
        )
        return _presences(cursor.fetchall())


def _presences(rows: Sequence[tuple[Any, ...]]) -> dict[int, LockedPresence]:
    return {
        row[0]: LockedPresence(customer_id=row[0], state=row[1], fix=(row[2], row[3]) if row[3] else None)
        for row in rows
    }


# --- capacity ----------------------------------------------------------------------------------------------

_CLAIM = """
    WITH asked AS (
        SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS a(offer_id, wanted)
    ), locked AS (
        SELECT c.offer_id, LEAST(a.wanted, c.units - c.claimed, c.wave_left) AS granted
          FROM offers_capacity c JOIN asked a USING (offer_id)
         ORDER BY c.offer_id
           FOR NO KEY UPDATE OF c
    ), taken AS (
        UPDATE offers_capacity c SET claimed = c.claimed + l.granted, wave_left = c.wave_left - l.granted
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
    UPDATE offers_capacity c SET claimed = GREATEST(c.claimed - l.units, 0), wave_left = c.wave_left + l.units
      FROM locked l
     WHERE c.offer_id = l.offer_id
"""


def claim_units(wanted: Mapping[int, int]) -> dict[int, int]:
    """Take up to the wanted units of each offer and return how many were granted, 0 for an offer that is sold out.

    An offer without a capacity row has no limit; a deal gives no more than what is left of its wave. One statement: it
    locks the rows by the offers' ids, sees what others committed while it waited, and never takes more than is left; a
    check constraint stands behind. Must run inside a transaction, as its last lock. NO KEY UPDATE: `claimed` is no key.
    """
    if not wanted:
        return {}
    offers = sorted(wanted)
    with hot_cursor() as cursor:
        cursor.execute(_CLAIM, [bigints(offers), bigints([wanted[offer_id] for offer_id in offers])])
        return dict(cursor.fetchall())


def return_units(units: Mapping[int, int]) -> None:
    """Give units of these offers back, in the order of the offers' ids. Must run inside a transaction.

    A deal's wave gets them back, too: whom they were for has heard nothing.
    """
    if not units:
        return
    offers = sorted(units)
    with hot_cursor() as cursor:
        cursor.execute(_RETURN, [bigints(offers), bigints([units[offer_id] for offer_id in offers])])


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


# --- messages ----------------------------------------------------------------------------------


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
         WHERE lane = %(lane)s AND state = 'sending' AND lease_until <= %(now)s
         ORDER BY lease_until, id LIMIT %(limit)s
           FOR NO KEY UPDATE SKIP LOCKED
    ), waiting AS (
        SELECT id, due_at FROM offers_outboxmessage
         WHERE lane = %(lane)s AND state = 'queued' AND due_at <= %(now)s
         ORDER BY due_at, id LIMIT %(limit)s
           FOR NO KEY UPDATE SKIP LOCKED
    ), chosen AS (
        SELECT id FROM (SELECT * FROM abandoned UNION ALL SELECT * FROM waiting) AS due
         ORDER BY due_at, id LIMIT %(limit)s
    )
    UPDATE offers_outboxmessage m
       SET state = 'sending', attempts = LEAST(m.attempts + 1, 32767), lease_until = %(lease_until)s
      FROM chosen
     WHERE m.id = chosen.id
       AND NOT EXISTS (SELECT FROM offers_sendingswitch WHERE is_stopped)
       AND NOT EXISTS (SELECT FROM offers_lane WHERE name = %(lane)s AND stopped_at IS NOT NULL)
    RETURNING m.id, m.attempts
"""


def claim_due_messages(*, lane: str, now: datetime, lease_until: datetime, limit: int) -> dict[int, int]:
    """Lease the lane's due messages and those whose worker let its lease pass; return attempts, this one counted, by id.

    One statement; rows that another transaction holds are left to it. Nothing is claimed while all sending or this
    lane is stopped. The attempts tell a claim from later ones of the same message: results are written only by the
    last.
    """
    values: dict[str, Any] = {"lane": lane, "now": now, "lease_until": lease_until, "limit": limit}
    with hot_cursor() as cursor:
        cursor.execute(_CLAIM_MESSAGES, values)
        return dict(cursor.fetchall())


def lock_offer(ref: str) -> bool:
    """Lock the offer's row, and its deal's, while staff change it; False if there is none. Must run in a transaction.

    Taken before its capacity and the targets. NO KEY UPDATE: coupons may still be issued on it meanwhile.
    """
    with hot_cursor() as cursor:
        cursor.execute("SELECT id FROM offers_offer WHERE ref = %s FOR NO KEY UPDATE", [ref])
        found = cursor.fetchone()
        if found is not None:
            # a review holds this one while it waits for the capacity, so it must not be waited for after that
            cursor.execute(
                "SELECT id FROM offers_dealstate WHERE offer_id = %s FOR NO KEY UPDATE", [found[0]]
            )
    return found is not None


_CLAIM_DEALS = """
    SELECT d.offer_id FROM offers_dealstate d JOIN offers_capacity c ON c.offer_id = d.offer_id
     WHERE d.is_open AND (d.due_at <= %s OR c.claimed <> d.claimed_seen)
     ORDER BY d.due_at, d.offer_id
     LIMIT %s
       FOR NO KEY UPDATE OF d SKIP LOCKED
"""


def claim_due_deals(*, now: datetime, limit: int) -> list[int]:
    """Return the offers whose deals are due or were changed by a claim, locked; what others hold is left to them."""
    with hot_cursor() as cursor:
        cursor.execute(_CLAIM_DEALS, [now, limit])
        return [offer_id for (offer_id,) in cursor.fetchall()]
