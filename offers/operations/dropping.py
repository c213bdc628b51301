"""A message that will not be sent: its coupon is revoked, and what it used up is given back."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from offers import locks

# A coupon that was opened, reserved or redeemed stays: somebody holds it. One that expired gave its unit back then
# (offers.operations.retention). The state in each WHERE makes twice once.
_DROP = """
    WITH dropped AS (
        UPDATE offers_outboxmessage
           SET state = 'dropped', reason = %(reason)s, finished_at = %(now)s, lease_until = NULL
         WHERE id = ANY(%(messages)s) AND state IN ('queued', 'sending')
        RETURNING coupon_id
    ), held AS (
        SELECT c.id, c.offer_id, c.state = 'issued' AS has_unit
          FROM dropped d JOIN offers_coupon c ON c.id = d.coupon_id
         WHERE c.state IN ('issued', 'expired') AND c.opened_at IS NULL
         ORDER BY c.id
           FOR NO KEY UPDATE OF c
    ), revoked AS (
        UPDATE offers_coupon c SET state = 'revoked', revoked_reason = left(%(reason)s, 32)
          FROM held h
         WHERE c.id = h.id
    ), voided AS (
        UPDATE offers_exposure e SET voided_at = %(now)s
          FROM held h
         WHERE e.coupon_id = h.id AND e.voided_at IS NULL
    )
    SELECT CASE WHEN h.has_unit THEN h.offer_id END FROM dropped d LEFT JOIN held h ON h.id = d.coupon_id
"""


def drop_messages(message_ids: Sequence[int], *, reason: str, now: datetime) -> int:
    """Drop the queued or leased messages with these primary keys; return how many were dropped by this call.

    A message's coupon is revoked unless it was opened, reserved or redeemed; with a revoked coupon its unit of
    capacity is given back and its exposure no longer counts against the caps. Messages that were sent, dropped or
    given up before are left alone, so that dropping twice gives back once.
    Effects: locks the messages, then the coupons, then the capacities, each in the order of their ids.
    """
    if not message_ids:
        return 0
    with transaction.atomic():
        locks.lock_messages(message_ids)
        with connection.cursor() as cursor:
            cursor.execute(_DROP, {"messages": list(message_ids), "reason": reason[:48], "now": now})
            offers = [offer_id for (offer_id,) in cursor.fetchall()]
        locks.return_units(Counter(offer_id for offer_id in offers if offer_id is not None))
    return len(offers)
