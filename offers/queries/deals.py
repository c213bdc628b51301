"""What came of a deal's coupons so far."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from offers.models import Coupon, CouponState


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    held: int  # coupons that are out
    redeemed: int


def count_coupons(*, offer_id: int, now: datetime) -> Counts:
    """Return how many of an offer's coupons are out and how many were used; one query."""
    out = Q(state__in=(CouponState.ISSUED, CouponState.RESERVED), valid_until__gt=now)
    return Counts(
        **Coupon.objects.filter(offer_id=offer_id).aggregate(
            held=Count("id", filter=out), redeemed=Count("id", filter=Q(state=CouponState.REDEEMED))
        )
    )
