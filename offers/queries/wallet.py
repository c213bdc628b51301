"""What one customer holds and what was decided about them: their own rows, and nobody else's."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from offers.models import Coupon, CouponState, Decision, Offer
from offers.rules.coupon_codes import normalise


def list_coupons(*, customer_id: int, state: str | None, now: datetime) -> QuerySet[Coupon]:
    """Return the customer's coupons, newest first by id; an issued one whose time has passed counts as expired."""
    coupons = Coupon.objects.filter(customer_id=customer_id).select_related("offer", "store", "aisle")
    over = Q(state=CouponState.ISSUED, valid_until__lte=now)
    if state == CouponState.EXPIRED:
        coupons = coupons.filter(over | Q(state=CouponState.EXPIRED))
    elif state:
        coupons = coupons.filter(state=state).exclude(over)
    return coupons.order_by("-id")


def get_coupon(*, customer_id: int, code: str) -> Coupon | None:
    """Return the customer's coupon with the code as it was typed; None also where it is another's."""
    symbols = normalise(code)
    if symbols is None:
        return None
    coupons = Coupon.objects.filter(customer_id=customer_id, code=symbols)
    return coupons.select_related("offer", "store", "aisle").first()


def state_of(coupon: Coupon, *, now: datetime) -> str:
    """Return the state a customer is shown."""
    if coupon.state == CouponState.ISSUED and coupon.valid_until <= now:
        return CouponState.EXPIRED.value
    return coupon.state


def list_decisions(*, customer_id: int) -> QuerySet[Decision]:
    """Return what was decided about the customer, newest first by id, with places, offer and coupon."""
    decisions = Decision.objects.filter(customer_id=customer_id)
    return decisions.select_related("store", "aisle", "offer", "coupon").order_by("-id")


def titles_of(refs: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the titles ({"fr", "en"}) of the offers with these refs."""
    return dict(Offer.objects.filter(ref__in=refs).values_list("ref", "title"))
