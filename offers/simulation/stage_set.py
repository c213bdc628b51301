"""The scene before a walk: who walks, with nothing under way, and the offers that are live for once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from customers.models import Customer, Device
from offers import locks
from offers.models import Coupon, CouponState, Exposure, Offer, OfferState, Presence
from offers.operations.outcomes import Refused
from offers.operations.promotions import OfferIn, put_offers
from offers.operations.publishing import publish_offer, resume_offer
from offers.simulation.values import DraftRefused, UnknownSimulated

LOCK_TIMEOUT_MS = 2_000
STATEMENT_TIMEOUT_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    customer_id: int
    ref: str
    language: str
    device_id: str  # the phone last seen; empty: none


def limit_waiting() -> None:
    """Let this transaction wait less than others would for it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}")


def find_walkers(refs: Sequence[str]) -> list[Walker]:
    """Return who walks, in the order given. Raises UnknownSimulated."""
    rows = {
        customer.ref: customer for customer in Customer.objects.filter(ref__in=refs, erased_at__isnull=True)
    }
    phones: dict[int, str] = {}
    devices = Device.objects.filter(customer__in=rows.values(), active=True).order_by("last_seen_at", "id")
    for customer_id, device_id in devices.values_list("customer_id", "device_id"):
        phones[customer_id] = device_id
    for index, ref in enumerate(refs):
        if ref not in rows:
            field = "customer" if len(refs) == 1 else f"customers.{index}"
            raise UnknownSimulated(field=field, code="unknown_customer")
    return [
        Walker(
            customer_id=rows[ref].pk,
            ref=ref,
            language=rows[ref].language,
            device_id=phones.get(rows[ref].pk, ""),
        )
        for ref in refs
    ]


def clear_scene(walkers: Sequence[Walker], *, now: datetime) -> None:
    """Lock the walkers and let them begin outside of every place; what was sent to them after `now` has not been yet.

    Takes their presences in the order of their ids, as every batch does.
    """
    ids = [walker.customer_id for walker in walkers]
    locks.make_presences(customer_ids=ids)
    locks.lock_presences(customer_ids=ids)
    nothing = {"state": "", "fix": None, "fix_event_id": None, "due_at": None, "last_event_at": None}
    Presence.objects.filter(customer_id__in=ids).update(**nothing)
    Coupon.objects.filter(customer_id__in=ids, issued_at__gt=now).update(state=CouponState.REVOKED)
    Exposure.objects.filter(customer_id__in=ids, exposed_at__gt=now).update(voided_at=now)


def make_live(offers: Sequence[OfferIn | str], *, now: datetime, only_stores: Sequence[str]) -> None:
    """Write and publish these offers. Raises DraftRefused, with what the operation says, or UnknownSimulated."""
    for index, given in enumerate(offers):
        if isinstance(given, OfferIn):
            [outcome] = put_offers(offers=[given], now=now, only_stores=only_stores)
            if isinstance(outcome, Refused):
                raise DraftRefused(index=index, refused=outcome)
        ref = given if isinstance(given, str) else given.ref
        _start(ref, index=index, now=now, only_stores=only_stores)


def _start(ref: str, *, index: int, now: datetime, only_stores: Sequence[str]) -> None:
    state = Offer.objects.filter(ref=ref, removed_at__isnull=True).values_list("state", flat=True).first()
    if state is None:
        raise UnknownSimulated(field=f"offers.{index}.ref", code="unknown_offer")
    if state == OfferState.LIVE:
        return
    step = resume_offer if state == OfferState.PAUSED else publish_offer
    outcome = step(ref=ref, now=now, only_stores=only_stores)
    if isinstance(outcome, Refused):
        raise DraftRefused(index=index, refused=outcome)
