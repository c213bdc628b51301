"""Erasure of one person from the whole house, in one transaction."""

from collections import Counter
from datetime import datetime

from django.db import transaction

from customers.operations.erasure import erase_customer as erase_who_they_are
from offers import locks
from offers.models import (
    Coupon,
    CouponState,
    CustomerResponses,
    Decision,
    Feedback,
    LocationEvent,
    MessageState,
    NextBasket,
    OpenSocket,
    OutboxMessage,
    Presence,
    Receipt,
    Visit,
)
from offers.operations.dropping import drop_messages

REASON = "erased"


def erase_customer(*, customer_id: int, now: datetime) -> bool:
    """Erase the customer: tokens die at once, queued messages are dropped; False if there is none.

    Deleted: events, visits, presence, next basket, counts of responses, feedback, decisions and all that `customers` holds. Kept under the pseudonym that is
    left: coupons without their reason, exposures, and the bare decisions that these exposures came of.
    Open coupons are revoked and give their unit back.
    """
    with transaction.atomic():
        locks.make_presences(customer_ids=[customer_id])
        if not locks.lock_presences(customer_ids=[customer_id]):
            return False
        _cancel_messages(customer_id=customer_id, now=now)
        _revoke_coupons(customer_id=customer_id)
        _forget_where_they_were(customer_id=customer_id)
        return erase_who_they_are(customer_id=customer_id, now=now)


def _cancel_messages(*, customer_id: int, now: datetime) -> None:
    waiting = OutboxMessage.objects.filter(
        customer_id=customer_id, state__in=[MessageState.QUEUED, MessageState.SENDING]
    )
    drop_messages(list(waiting.order_by("id").values_list("id", flat=True)), reason=REASON, now=now)
    Receipt.objects.filter(customer_id=customer_id).update(provider_message_id="")


def _revoke_coupons(*, customer_id: int) -> None:
    coupons = Coupon.objects.filter(customer_id=customer_id)
    open_ones = coupons.filter(state__in=[CouponState.ISSUED, CouponState.RESERVED])
    units = Counter(open_ones.order_by("id").values_list("offer_id", flat=True))
    open_ones.update(state=CouponState.REVOKED, revoked_reason=REASON)
    coupons.update(reason="")
    locks.return_units(units)


def _forget_where_they_were(*, customer_id: int) -> None:
    OpenSocket.objects.filter(customer_id=customer_id).delete()
    Feedback.objects.filter(customer_id=customer_id).delete()
    decisions = Decision.objects.filter(customer_id=customer_id)
    decisions.filter(exposure__isnull=True).delete()
    decisions.update(event=None, event_uid=None, visit=None, candidates=[])
    Visit.objects.filter(customer_id=customer_id).delete()
    LocationEvent.objects.filter(customer_id=customer_id).delete()
    Presence.objects.filter(customer_id=customer_id).delete()
    NextBasket.objects.filter(customer_id=customer_id).delete()
    CustomerResponses.objects.filter(customer_id=customer_id).delete()
