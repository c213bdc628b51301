"""What is forgotten when its time is over, and what is kept one moment before."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, transaction
from procrastinate.contrib.django import app

from customers.models import (
    Affinity,
    Consent,
    Customer,
    Device,
    IdempotencyRecord,
    Profile,
    Purchase,
    PurchaseLine,
    ReceiptClaim,
)
from offers import tasks
from offers.models import Capacity, Coupon, Decision, Exposure, LocationEvent, Store, Visit
from offers.operations.dropping import drop_messages
from offers.operations.event_days import drop_events, forget_positions, make_event_days
from offers.operations.retention import expire_coupons, purge
from offers.rules.event_ids import first_id
from tests.integration.decisions.shop import make_store
from tests.integration.delivery.outbox import make_customer, make_shop, promise, promise_many

pytestmark = pytest.mark.django_db

INSTANT = timedelta(microseconds=1)
YEAR = timedelta(days=365.2425)


def heard(customer: Customer, *, at: datetime) -> LocationEvent:
    return LocationEvent.objects.create(
        id=first_id(at) | secrets.randbits(20),
        customer=customer,
        event_id=uuid4(),
        digest=secrets.token_bytes(32),
        device_id="phone",
        type="fix",
        lat=48.85,
        lon=2.35,
        accuracy_m=12.0,
        occurred_at=at,
        received_at=at,
    )


def bought(customer: Customer | None, *, at: datetime) -> Purchase:
    receipt = secrets.token_hex(8)
    purchase = Purchase.objects.create(
        customer=customer,
        store_ref="S1",
        receipt=receipt,
        purchased_at=at,
        currency="EUR",
        digest=b"",
        received_at=at,
    )
    PurchaseLine.objects.create(
        purchase=purchase, customer=customer, position=0, gtin="96385074", quantity=1, unit_price_minor=100
    )
    ReceiptClaim.objects.create(store_ref="S1", receipt=receipt, purchase=purchase)
    return purchase


def said(customer: Customer, *, purpose: str, granted: bool, at: datetime) -> Consent:
    return Consent.objects.create(
        customer=customer, purpose=purpose, granted=granted, text_version="1", source="app", recorded_at=at
    )


@pytest.fixture
def forget(now: datetime) -> Callable[[], dict[str, int]]:
    """Purge in batches of two, and return what was done, without what was not."""

    def forget() -> dict[str, int]:
        done = purge(now=now, params=settings.RAYON, batch=2)
        return {kind: rows for kind, rows in done.items() if rows}

    return forget


def test_positions_are_forgotten_after_a_day_and_their_events_after_ninety(
    forget: Callable[[], dict[str, int]], now: datetime
) -> None:
    customer = make_customer(now=now)
    day, ninety = timedelta(hours=24), timedelta(days=90)
    young = heard(customer, at=now - day + INSTANT)
    grown = [heard(customer, at=now - day - timedelta(hours=n)) for n in range(1, 6)]
    old = [heard(customer, at=now - ninety - timedelta(hours=n)) for n in range(5)]

    assert forget() == {"events": 5, "positions": 5}  # of days for which no table was made

    young.refresh_from_db()
    assert (young.lat, young.lon, young.accuracy_m) == (48.85, 2.35, 12.0)
    kept = LocationEvent.objects.exclude(pk=young.pk).order_by("id")
    assert list(kept.values_list("id", "lat", "lon", "accuracy_m")) == [
        (event.pk, None, None, None) for event in reversed(grown)
    ]
    assert not LocationEvent.objects.filter(pk__in=[event.pk for event in old]).exists()
    assert forget() == {}


def test_days_are_made_ahead_forget_their_positions_once_and_are_dropped_whole(now: datetime) -> None:
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    assert make_event_days(now=begin, ahead=2) == 3
    assert make_event_days(now=begin + timedelta(days=1), ahead=2) == 1
    customer = make_customer(now=begin)
    first = [heard(customer, at=begin + timedelta(hours=hour)) for hour in (0, 12, 23)]
    second = heard(customer, at=begin + timedelta(hours=24))

    assert forget_positions(before=begin + timedelta(hours=13), batch=10) == 2
    assert forget_positions(before=begin + timedelta(hours=24), batch=10) == 1
    with pytest.raises(IntegrityError, match="positions_are_forgotten"), transaction.atomic():
        LocationEvent.objects.filter(pk=first[0].pk).update(lat=1.0)
    second.refresh_from_db()
    assert (second.lat, second.lon, second.accuracy_m) == (48.85, 2.35, 12.0)

    assert drop_events(until=begin - INSTANT, batch=10) == 0
    assert drop_events(until=begin, batch=10) == 3
    assert list(LocationEvent.objects.values_list("pk", flat=True)) == [second.pk]
    heard(customer, at=begin)  # nothing is lost for which there is no table
    assert make_event_days(now=begin, ahead=0) == 0
    assert drop_events(until=begin, batch=10) == 1


def test_a_customer_uses_an_id_once_a_day(now: datetime) -> None:
    event = heard(make_customer(now=now), at=now)
    with pytest.raises(IntegrityError, match="_once"), transaction.atomic():
        again = heard(event.customer, at=now)
        LocationEvent.objects.filter(pk=again.pk).update(event_id=event.event_id)


def test_decisions_go_after_ninety_days_with_their_exposures_and_leave_coupons(
    forget: Callable[[], dict[str, int]], now: datetime
) -> None:
    old, young = promise_many(2, now=now)
    limit = now - timedelta(days=90)
    Decision.objects.filter(coupon=old.coupon).update(decided_at=limit)
    Decision.objects.filter(coupon=young.coupon).update(decided_at=limit + INSTANT)

    assert forget() == {"decisions": 1}

    assert [exposure.coupon for exposure in Exposure.objects.all()] == [young.coupon]
    assert Coupon.objects.count() == 2


def test_visits_go_ninety_days_after_they_were_last_heard_of(
    forget: Callable[[], dict[str, int]], now: datetime
) -> None:
    customer, store = make_customer(now=now), make_store(now=now)
    limit = now - timedelta(days=90)
    seen = [limit - timedelta(days=3), limit - timedelta(days=2), limit - timedelta(days=1), limit]
    for at in [*seen, limit + INSTANT]:
        Visit.objects.create(customer=customer, store=store, entered_at=at, last_seen_at=at)

    assert forget() == {"visits": 4}

    assert Visit.objects.get().last_seen_at == limit + INSTANT
    assert Store.objects.count() == 1


def test_a_customers_whole_history_goes_three_years_after_their_last_sign_of_life(
    forget: Callable[[], dict[str, int]], now: datetime
) -> None:
    limit = now - 3 * YEAR
    gone, buying, seen, saying, new = (
        make_customer(now=limit, ref=ref, phones=()) for ref in ("gone", "buying", "seen", "saying", "new")
    )
    for customer in (gone, buying, seen, saying, new):
        bought(customer, at=limit - YEAR)
        bought(customer, at=limit)
        Profile.objects.create(customer=customer)
        Affinity.objects.create(
            customer=customer, kind="brand", key="danone", weight=1, purchases=1, last_bought_at=limit
        )
    bought(buying, at=limit + INSTANT)
    Device.objects.create(
        customer=seen, device_id="phone", platform="fcm", registered_at=limit, last_seen_at=now
    )
    said(saying, purpose="push", granted=True, at=now)
    Customer.objects.filter(pk=new.pk).update(created_at=now)

    assert forget() == {"purchases": 2}

    assert not Purchase.objects.filter(customer=gone).exists()
    assert (Purchase.objects.count(), PurchaseLine.objects.count(), ReceiptClaim.objects.count()) == (9, 9, 9)
    assert not Profile.objects.filter(customer=gone).exists()
    assert (Profile.objects.count(), Affinity.objects.count()) == (4, 4)
    assert Customer.objects.filter(pk=gone.pk).exists()


def test_receipts_of_nobody_go_by_their_own_date(forget: Callable[[], dict[str, int]], now: datetime) -> None:
    for _ in range(3):
        bought(None, at=now - 3 * YEAR)
    kept = bought(None, at=now - 3 * YEAR + timedelta(seconds=1))

    assert forget() == {"purchases": 3}
    assert Purchase.objects.get() == kept


def test_consents_go_five_years_after_they_were_withdrawn_or_their_customer_erased(
    forget: Callable[[], dict[str, int]], now: datetime
) -> None:
    limit = now - 5 * YEAR
    standing, withdrawn, late, erased = (
        make_customer(now=now, ref=ref, phones=()) for ref in ("standing", "withdrawn", "late", "erased")
    )
    for customer in (standing, withdrawn, late, erased):
        said(customer, purpose="push", granted=False, at=limit - 2 * YEAR)
        said(customer, purpose="push", granted=True, at=limit - YEAR)
        said(customer, purpose="geolocation", granted=True, at=limit - YEAR)
    said(withdrawn, purpose="push", granted=False, at=limit)
    said(late, purpose="push", granted=False, at=limit + timedelta(seconds=1))
    Customer.objects.filter(pk=erased.pk).update(erased_at=limit)

    assert forget() == {"consents": 6}

    left = Consent.objects.order_by("id").values_list("customer__ref", "purpose")
    assert sorted(left) == sorted(
        [("standing", "push")] * 2
        + [("standing", "geolocation"), ("withdrawn", "geolocation"), ("late", "geolocation")]
        + [("late", "push")] * 3
    )


def test_answers_to_keyed_requests_live_three_days(
    forget: Callable[[], dict[str, int]], now: datetime
) -> None:
    for number, age in enumerate((72, 73, 100, 71)):
        IdempotencyRecord.objects.create(
            credential="key:x", key=str(number), digest=b"", created_at=now - timedelta(hours=age)
        )

    assert forget() == {"answers": 3}
    assert IdempotencyRecord.objects.get().key == "3"


def test_a_coupon_whose_time_is_over_gives_its_unit_back_once(now: datetime) -> None:
    messages = promise_many(5, now=now)
    over = now + timedelta(hours=1)
    Coupon.objects.filter(pk=messages[0].coupon_id).update(valid_until=over + INSTANT)
    Coupon.objects.filter(pk=messages[1].coupon_id).update(state="redeemed")

    assert expire_coupons(now=over, batch=2) == 3
    assert expire_coupons(now=over, batch=2) == 0

    states = Coupon.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["issued", "redeemed", "expired", "expired", "expired"]
    assert Capacity.objects.get().claimed == 2


def test_a_coupon_that_expired_before_its_message_was_dropped_gives_back_one_unit(now: datetime) -> None:
    store, offer = make_shop(now=now)
    messages = [
        promise(make_customer(now=now, ref=ref), store=store, offer=offer, now=now) for ref in ("A", "B")
    ]
    over = now + timedelta(hours=1)
    Coupon.objects.filter(pk=messages[0].coupon_id).update(valid_until=over + INSTANT)
    expire_coupons(now=over)

    assert drop_messages([messages[1].pk], reason="expired", now=over) == 1

    assert Capacity.objects.get().claimed == 1
    assert Exposure.objects.get(coupon=messages[1].coupon).voided_at == over


def test_the_command_says_how_much_of_each_kind_it_forgot(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("purge")

    assert capsys.readouterr().out.splitlines() == [
        f"{kind}: 0"
        for kind in (
            "coupons_expired",
            "events",
            "positions",
            "decisions",
            "visits",
            "answers",
            "purchases",
            "consents",
        )
    ]


def test_the_clock_runs_the_purge_daily_positions_hourly_and_coupons_each_minute() -> None:
    crons = {periodic.task.name: periodic.cron for periodic in app.periodic_registry.periodic_tasks.values()}

    assert {name: cron for name, cron in crons.items() if name.startswith("offers.")} == {
        "offers.count_responses": "41 0 * * *",
        "offers.expire_coupons": "* * * * *",
        "offers.null_positions": "5 * * * *",
        "offers.make_event_days": "23 * * * *",
        "offers.review_deals": "* * * * *",
        "offers.purge": "17 3 * * *",
        "offers.remove_old_jobs": "47 3 * * *",
        "offers.refresh_legal": "7 4 * * *",
        "offers.refresh_next_baskets": "23 1 * * *",
        "offers.train_response": "11 1 * * 1",
    }
    tasks.purge(timestamp=0)
    tasks.null_positions(timestamp=0)
    tasks.make_event_days(timestamp=0)
    tasks.expire_coupons(timestamp=0)
