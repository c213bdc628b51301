"""What customers say of a coupon."""

from datetime import datetime

from django.db import transaction

from offers.models import Coupon, Feedback, FeedbackKind, OutboxMessage

_TIMES = {FeedbackKind.DELIVERED: "delivered_at", FeedbackKind.OPENED: "opened_at"}  # of the message


def give_feedback(*, coupon: Coupon, kind: FeedbackKind, note: str, now: datetime) -> Feedback:
    """Keep the customer's word; the first `opened` marks the coupon as opened, and each first one its message."""
    with transaction.atomic():
        # the message first, as whoever drops it does
        if kind in _TIMES:
            unheard = OutboxMessage.objects.filter(coupon=coupon, **{f"{_TIMES[kind]}__isnull": True})
            unheard.update(**{_TIMES[kind]: now})
        if kind == FeedbackKind.OPENED:
            Coupon.objects.filter(pk=coupon.pk, opened_at__isnull=True).update(opened_at=now)
        return Feedback.objects.create(
            customer_id=coupon.customer_id, coupon=coupon, kind=kind, note=note, given_at=now
        )
