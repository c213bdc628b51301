"""What customers say of a coupon."""

from datetime import datetime

from django.db import transaction

from offers.models import Coupon, Feedback, FeedbackKind


def give_feedback(*, coupon: Coupon, kind: FeedbackKind, note: str, now: datetime) -> Feedback:
    """Keep the customer's word; the first `opened` marks the coupon as opened."""
    with transaction.atomic():
        if kind == FeedbackKind.OPENED:
            Coupon.objects.filter(pk=coupon.pk, opened_at__isnull=True).update(opened_at=now)
        return Feedback.objects.create(
            customer_id=coupon.customer_id, coupon=coupon, kind=kind, note=note, given_at=now
        )
