"""Another try for messages that were given up."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from offers.models import CouponState, MessageState, OutboxMessage
from offers.operations.sending import OUTBOX_CHANNEL


def resend_messages(message_ids: Sequence[int], *, now: datetime) -> int:
    """Queue dead letters again, due now; return how many.

    Only those that are still worth their arrival: not expired, with a coupon that is issued and good. The tries so far
    go on counting, and everything is looked at again before it is sent.
    """
    with transaction.atomic():
        worth_it = OutboxMessage.objects.filter(
            id__in=message_ids,
            state=MessageState.DEAD,
            expires_at__gt=now,
            coupon__state=CouponState.ISSUED,
            coupon__valid_until__gt=now,
        )
        chosen = list(worth_it.order_by("id").values_list("id", flat=True))
        # the state stands in the statement again: of two people who press at once, one queues
        count = OutboxMessage.objects.filter(
            id__in=chosen, state=MessageState.DEAD, expires_at__gt=now
        ).update(state=MessageState.QUEUED, reason="", due_at=now, finished_at=None, lease_until=None)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [OUTBOX_CHANNEL])
    return count
