"""What the second look puts into a message: the address of every platform and channel, and what phones show of it."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from push_notifications.models import APNSDevice, WebPushDevice

from customers.models import Customer, Device
from offers.models import Brand, Category, Coupon, Decision, Exposure, Offer, OutboxMessage, Product, Visit
from offers.operations.feedback import give_feedback
from offers.operations.targets import refresh_targets
from offers.stages.deliver import Looked, look_again
from tests.integration.delivery.outbox import make_customer, make_shop, promise, promise_many

pytestmark = pytest.mark.django_db


def look(*messages: OutboxMessage, now: datetime, lane: str = "fcm") -> Looked:
    claimed = {message.pk: 1 for message in messages}
    return look_again(claimed, lane=lane, now=now, params=settings.RAYON)


@pytest.fixture
def message(now: datetime) -> OutboxMessage:
    [one] = promise_many(1, now=now)
    return one


def give_device(customer: Customer, *, now: datetime, **address: Any) -> Device:
    [platform] = address
    return Device.objects.create(
        customer=customer,
        device_id=platform,
        platform=platform,
        registered_at=now - timedelta(days=2),
        last_seen_at=now,
        **address,
    )


def test_an_iphone_is_reached_by_its_token(now: datetime) -> None:
    store, offer = make_shop(now=now)
    customer = make_customer(now=now, phones=())
    device = give_device(customer, now=now, apns=APNSDevice.objects.create(registration_id="ab" * 32))
    message = promise(customer, store=store, offer=offer, now=now)

    [parcel] = look(message, now=now, lane="apns").parcels

    assert (parcel.push.platform, parcel.push.token) == ("apns", "ab" * 32)
    assert (parcel.device_id, parcel.push.registered_at) == (device.pk, device.registered_at)


def test_a_browser_is_reached_by_its_subscription(now: datetime) -> None:
    store, offer = make_shop(now=now)
    customer = make_customer(now=now, phones=())
    row = WebPushDevice.objects.create(registration_id="https://push.example/x", p256dh="key", auth="secret")
    give_device(customer, now=now, webpush=row)
    message = promise(customer, store=store, offer=offer, now=now)

    [parcel] = look(message, now=now, lane="webpush").parcels

    assert json.loads(parcel.push.token) == {
        "endpoint": "https://push.example/x",
        "p256dh": "key",
        "auth": "secret",
    }


@pytest.mark.parametrize(("channel", "address"), [("email", "ada@example.org"), ("sms", "+33612345678")])
def test_a_letter_goes_to_the_customers_own_address_and_needs_no_device(
    now: datetime, channel: str, address: str
) -> None:
    store, offer = make_shop(now=now)
    field = {"email": "email", "sms": "phone"}[channel]
    customer = make_customer(now=now, phones=(), granted=[channel], channels=[channel], **{field: address})
    message = promise(customer, store=store, offer=offer, now=now, channel=channel)

    [parcel] = look(message, now=now, lane=channel).parcels

    assert (parcel.push.platform, parcel.push.token, parcel.device_id) == (channel, address, None)
    assert parcel.push.data["customer"] == str(customer.pk)
    Customer.objects.update(**{field: ""})
    assert look(message, now=now, lane=channel).dropped == {"no_address": [message.pk]}


def test_a_message_on_the_wrong_lane_is_moved_to_its_own(message: OutboxMessage, now: datetime) -> None:
    looked = look(message, now=now, lane="apns")

    assert looked.moved == {"fcm": {message.pk: 1}}
    assert (looked.parcels, looked.dropped, looked.held) == ([], {}, {})


def test_the_badge_counts_the_coupons_that_wait_to_be_opened(message: OutboxMessage, now: datetime) -> None:
    def another(**changed: Any) -> None:
        values = {"valid_until": now + timedelta(hours=1), "state": "issued", "opened_at": None, **changed}
        Coupon.objects.create(
            customer=message.customer,
            offer=message.coupon.offer,
            revision=1,
            code=str(Coupon.objects.count()),
            terms={},
            reason="",
            store=message.coupon.store,
            issued_at=now,
            valid_from=now - timedelta(days=1),
            **values,
        )

    another()
    another(opened_at=now)
    another(valid_until=now)
    another(state="redeemed")

    assert look(message, now=now).parcels[0].push.badge == 2


def test_the_language_is_the_customers(message: OutboxMessage, now: datetime) -> None:
    assert look(message, now=now).parcels[0].push.language == "fr"
    Customer.objects.update(language="en")
    assert look(message, now=now).parcels[0].push.language == "en"


def target_category(offer: Offer, category: Category) -> None:
    Offer.objects.filter(pk=offer.pk).update(target_brand="", target_category=category)


def target_product(offer: Offer, category: Category) -> None:
    Product.objects.create(gtin="96385074", name="x", category=category, updated_at=offer.updated_at)
    Offer.objects.filter(pk=offer.pk).update(target_brand="", target_gtins=["96385074"])


def target_brand(offer: Offer, category: Category) -> None:
    brand = Brand.objects.create(key="danone", name="Danone")
    Product.objects.create(
        gtin="96385074", name="x", brand=brand, category=category, updated_at=offer.updated_at
    )


@pytest.mark.parametrize("target", [target_category, target_product, target_brand])
def test_what_stands_under_a_sensitive_category_is_kept_off_lock_screens(
    message: OutboxMessage, now: datetime, target: Callable[[Offer, Category], None]
) -> None:
    health = Category.objects.create(ref="health", name="Health")
    below = Category.objects.create(ref="tests", name="Tests", parent=health)
    target(message.coupon.offer, below)
    refresh_targets([message.coupon.offer_id])
    assert look(message, now=now).parcels[0].push.is_sensitive is False

    Category.objects.filter(pk=health.pk).update(is_sensitive=True)
    assert look(message, now=now).parcels[0].push.is_sensitive is True

    Category.objects.filter(pk=health.pk).update(is_sensitive=False)
    Category.objects.create(ref="baby", name="Baby", is_sensitive=True)
    assert look(message, now=now).parcels[0].push.is_sensitive is False


def visit(message: OutboxMessage, *, now: datetime, exited_at: datetime | None) -> None:
    entered_at = now - timedelta(minutes=30)
    Visit.objects.create(
        customer=message.customer,
        store=message.coupon.store,
        entered_at=entered_at,
        last_seen_at=exited_at or now,
        exited_at=exited_at,
    )


def test_who_left_the_store_longer_ago_than_the_grace_gets_nothing_more(
    message: OutboxMessage, now: datetime
) -> None:
    Decision.objects.update(transition="enter")
    assert look(message, now=now).dropped == {"no_longer_near": [message.pk]}  # no visit is known

    visit(message, now=now, exited_at=None)
    [parcel] = look(message, now=now).parcels
    assert parcel.push.is_urgent

    grace = timedelta(seconds=settings.RAYON["near_grace_s"])
    Visit.objects.update(exited_at=now - grace + timedelta(microseconds=1))
    assert len(look(message, now=now).parcels) == 1
    Visit.objects.update(exited_at=now - grace)
    assert look(message, now=now).dropped == {"no_longer_near": [message.pk]}


def test_where_the_customer_is_does_not_matter_to_what_no_place_triggered(
    message: OutboxMessage, now: datetime
) -> None:
    visit(message, now=now, exited_at=now - timedelta(minutes=29))

    [parcel] = look(message, now=now).parcels

    assert not parcel.push.is_urgent


def test_of_two_messages_under_one_cap_the_earlier_goes_and_the_later_is_dropped(
    message: OutboxMessage, now: datetime
) -> None:
    coupon = message.coupon
    later = promise(message.customer, store=coupon.store, offer=coupon.offer, now=now)

    looked = look(message, later, now=now)
    assert [parcel.row_id for parcel in looked.parcels] == [message.pk]
    assert looked.dropped == {"frequency_cap": [later.pk]}

    # The later one has gone out meanwhile: then it is the earlier one that is too much.
    OutboxMessage.objects.filter(pk=later.pk).update(state="sent")
    assert look(message, now=now).dropped == {"frequency_cap": [message.pk]}
    Exposure.objects.filter(coupon=later.coupon).update(voided_at=now)
    assert len(look(message, now=now).parcels) == 1


@pytest.mark.parametrize(("state", "parcels"), [("dead", 1), ("sent", 0)])
def test_only_what_went_out_counts_against_the_caps(
    message: OutboxMessage, now: datetime, state: str, parcels: int
) -> None:
    coupon = message.coupon
    other = promise(message.customer, store=coupon.store, offer=coupon.offer, now=now)
    OutboxMessage.objects.filter(pk=other.pk).update(state=state)

    assert len(look(message, now=now).parcels) == parcels


def test_a_held_out_offer_counts_against_the_caps(message: OutboxMessage, now: datetime) -> None:
    exposure = Exposure.objects.get()
    decision = Decision.objects.create(
        customer=message.customer, outcome="none", reason="holdout", decided_at=now
    )
    Exposure.objects.create(
        customer=message.customer,
        offer=exposure.offer,
        revision=1,
        arm="holdout",
        decision=decision,
        store=exposure.store,
        store_visit_entered_at=now,
        exposed_at=now - timedelta(hours=5),
    )

    assert look(message, now=now).dropped == {"frequency_cap": [message.pk]}


def test_a_defect_in_one_message_is_a_dead_letter_beside_its_neighbours(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = promise_many(2, now=now)
    from offers.stages.deliver import look as module

    reason = module.drop_reason

    def raises_for_one(look: Any, *, now: datetime) -> Any:
        if look.time_zone == "bad":
            raise RuntimeError
        return reason(look, now=now)

    Customer.objects.filter(pk=bad.customer_id).update(time_zone="bad")
    monkeypatch.setattr(module, "drop_reason", raises_for_one)

    looked = look(bad, good, now=now)

    assert looked.malformed == {bad.pk: 1}
    assert [parcel.row_id for parcel in looked.parcels] == [good.pk]


def test_the_apps_word_stands_with_its_message_the_first_time(message: OutboxMessage, now: datetime) -> None:
    for hours, kind in enumerate(["delivered", "opened", "delivered", "opened", "useful"]):
        give_feedback(coupon=message.coupon, kind=kind, note="", now=now + timedelta(hours=hours))

    message.refresh_from_db()
    assert (message.delivered_at, message.opened_at) == (now, now + timedelta(hours=1))
    assert message.state == "queued"
