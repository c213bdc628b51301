"""Promises to deliver, and the worker's steps as a test calls them."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F
from push_notifications.models import GCMDevice

from customers.models import Customer, Device, PushTokenClaim
from offers.delivery import deliver_due
from offers.gateways.settings import GOOGLE_BASE_URL, FcmSettings, ProviderSettings
from offers.models import Capacity, Coupon, CouponCode, Decision, Exposure, Offer, OutboxMessage, Store
from offers.rules.coupon_codes import new_code
from offers.rules.lanes import LANES
from offers.stages.deliver import Lanes
from tests.integration.decisions import shop
from tests.integration.decisions.shop import make_offer, make_store


def make_shop(*, now: datetime, units: int = 1000) -> tuple[Store, Offer]:
    return make_store(now=now), make_offer(now=now, units=units)


def make_customer(
    *, now: datetime, ref: str = "C1", phones: Sequence[str] = ("phone",), **changed: Any
) -> Customer:
    """Make a customer whose phones, the one last seen first, have addresses that FCM takes for such."""
    customer = shop.make_customer(now=now, ref=ref, phones=(), **changed)
    for age, device_id in enumerate(phones):
        make_phone(customer, device_id=device_id, seen_at=now - timedelta(hours=age), now=now)
    return customer


def make_phone(customer: Customer, *, device_id: str, seen_at: datetime, now: datetime) -> Device:
    device = shop.make_phone(customer=customer, device_id=device_id, seen_at=seen_at, now=now)
    GCMDevice.objects.filter(id=device.fcm_id).update(
        registration_id=f"{customer.ref}-{device_id}:{secrets.token_urlsafe(96)}"
    )
    device.refresh_from_db()
    return device


def promise(
    customer: Customer,
    *,
    store: Store,
    offer: Offer,
    now: datetime,
    device: Device | None = None,
    **changed: Any,
) -> OutboxMessage:
    """Write what issuing one coupon writes; `changed` sets fields of the message."""
    code = new_code(secrets.token_bytes)
    coupon = Coupon.objects.create(
        customer=customer,
        offer=offer,
        revision=1,
        code=code,
        terms={
            "title": "20 % sur Danone",
            "body": "Au rayon frais",
            "image_url": None,
            "benefit": {},
            "target": {},
        },
        reason="Vous aimez Danone.",
        store=store,
        issued_at=now,
        valid_from=now,
        valid_until=now + timedelta(hours=1),
    )
    CouponCode.objects.create(code=code, customer=customer, coupon=coupon)
    decision = Decision.objects.create(
        customer=customer, outcome="issued", reason="issued", offer=offer, coupon=coupon, decided_at=now
    )
    Exposure.objects.create(
        customer=customer,
        offer=offer,
        revision=1,
        arm="treated",
        decision=decision,
        coupon=coupon,
        store=store,
        store_visit_entered_at=now,
        exposed_at=now,
    )
    Capacity.objects.filter(offer=offer).update(claimed=F("claimed") + 1)
    values = {
        "device": device or customer.devices.order_by("-last_seen_at", "-id").first(),
        "created_at": now,
        "due_at": now,
        "expires_at": now + timedelta(hours=1),
        **changed,
    }
    return OutboxMessage.objects.create(customer=customer, coupon=coupon, **values)


def promise_many(count: int, *, now: datetime) -> list[OutboxMessage]:
    """Promise one message each to that many customers with a phone."""
    store, offer = make_shop(now=now)
    return [
        promise(make_customer(now=now, ref=f"C{number}"), store=store, offer=offer, now=now)
        for number in range(count)
    ]


def address_of(device: Device) -> str:
    assert device.fcm is not None
    return str(device.fcm.registration_id)


def claim_address(device: Device) -> None:
    PushTokenClaim.objects.create(digest=secrets.token_bytes(32), customer=device.customer, device=device)


@contextmanager
def open_lanes(
    *,
    base_url: str = GOOGLE_BASE_URL,
    credentials_file: Path | None = None,
    providers: dict[str, Any] | None = None,
    **more: Any,
) -> Iterator[Lanes]:
    fcm = FcmSettings(base_url=base_url, credentials_file=credentials_file)
    lanes = Lanes(providers=ProviderSettings(**{"fcm": fcm, "concurrency": 16, **(providers or {})}), **more)
    try:
        yield lanes
    finally:
        lanes.close()


def deliver(
    lanes: Lanes, *, now: datetime, limit: int = 200, chance: float = 0.0, names: Sequence[str] = LANES
) -> int:
    """Deliver one batch of each lane; return how many messages were taken on."""
    one = partial(
        deliver_due,
        lanes=lanes,
        clock=lambda: now,
        limit=limit,
        params=settings.RAYON,
        chance=lambda: chance,
    )
    return sum(one(lane=name) for name in names)


def state_of(message: OutboxMessage) -> tuple[str, str]:
    message.refresh_from_db()
    return message.state, message.reason


def is_given_back(message: OutboxMessage) -> bool:
    """Return whether the coupon is revoked, its unit free, and its exposure voided; all or nothing."""
    coupon = message.coupon
    coupon.refresh_from_db()
    exposure = Exposure.objects.get(coupon=coupon)
    claimed = Capacity.objects.get(offer=coupon.offer).claimed
    found = {coupon.state == "revoked", exposure.voided_at is not None, claimed == 0}
    assert len(found) == 1, (coupon.state, exposure.voided_at, claimed)
    return found.pop()
