"""Taking coupons back: what is unused no longer counts, and its unit can be given to somebody else."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from offers import locks
from offers.models import OutboxMessage

# A message that was sent has disturbed the customer: its exposure goes on counting against their caps.
_REVOKE = """
    WITH revoked AS (
        UPDATE offers_coupon SET state = 'revoked', revoked_reason = %(reason)s
         WHERE id = ANY(%(coupons)s) AND state IN ('issued', 'reserved')
        RETURNING id, offer_id
    ), dropped AS (
        UPDATE offers_outboxmessage m
           SET state = 'dropped', reason = %(reason)s, finished_at = %(now)s, lease_until = NULL
          FROM revoked r
         WHERE m.coupon_id = r.id AND m.state IN ('queued', 'sending')
        RETURNING m.coupon_id
    ), voided AS (
        UPDATE offers_exposure e SET voided_at = %(now)s
          FROM dropped d
         WHERE e.coupon_id = d.coupon_id AND e.voided_at IS NULL
    )
    SELECT offer_id FROM revoked
"""


def revoke_coupons(coupon_ids: Sequence[int], *, reason: str, now: datetime) -> int:
    """Revoke the coupons that are issued or reserved; return how many this call revoked.

    Their units are given back, and their messages that still wait are dropped. Redeemed, expired and revoked coupons
    are left alone, so that revoking twice gives back once.
    Effects: locks the coupons' messages, then the coupons, then the capacities, in the order of their ids.
    """
    if not coupon_ids:
        return 0
    with transaction.atomic():
        # each coupon has its message: who holds the messages meets nobody at the coupons
        messages = OutboxMessage.objects.filter(coupon_id__in=coupon_ids).order_by("id")
        locks.lock_messages(list(messages.values_list("id", flat=True)))
        with connection.cursor() as cursor:
            cursor.execute(_REVOKE, {"coupons": list(coupon_ids), "reason": reason[:32], "now": now})
            offers = [offer_id for (offer_id,) in cursor.fetchall()]
        locks.return_units(Counter(offers))
    return len(offers)
