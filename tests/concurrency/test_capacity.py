"""Thirty threads want ten units: first the race without the guard, then the claim that closes it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from offers import locks
from offers.models import Capacity, Coupon, CouponCode, Decision, Exposure, Offer, OutboxMessage
from tests.integration.decisions.shop import make_buyer, make_offer, make_store, run, trigger_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

THREADS = 30
UNITS = 10
NOW = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)


def in_threads(work: Callable[[int], str]) -> Counter[str]:
    """Return what came of the work of thirty threads, started at one instant, each on a connection of its own."""
    start = threading.Barrier(THREADS)

    def one(number: int) -> str:
        try:
            connection.ensure_connection()
            start.wait(timeout=20)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return Counter(pool.map(one, range(THREADS)))


def test_control_a_claim_that_reads_and_then_writes_oversells() -> None:
    offer = make_offer(now=NOW, units=UNITS)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE offers_capacity DROP CONSTRAINT capacity_never_oversold")

    def naive(_: int) -> str:
        with transaction.atomic():
            row = Capacity.objects.get(offer=offer)
            time.sleep(0.2)  # the others read meanwhile
            if row.claimed >= UNITS:
                return "sold_out"
            Capacity.objects.filter(offer=offer).update(claimed=row.claimed + 1)
            return "issued"

    try:
        outcomes = in_threads(naive)
    finally:
        Capacity.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE offers_capacity ADD CONSTRAINT capacity_never_oversold"
                " CHECK (units IS NULL OR claimed <= units)"
            )
    assert outcomes["issued"] > UNITS


def test_thirty_threads_issue_exactly_ten_coupons_of_ten() -> None:
    store = make_store(now=NOW)
    make_offer(now=NOW, units=UNITS, trigger_places="store")
    customers = [make_buyer(now=NOW, ref=f"C{number}") for number in range(THREADS)]
    all_chose = threading.Barrier(THREADS)  # everybody has seen ten units left before anybody claims

    def decide(number: int) -> str:
        trigger = trigger_of(customers[number], store=store, now=NOW)
        [made] = run([trigger], now=NOW, before_issuing=partial(all_chose.wait, timeout=20))
        return made.reason

    assert in_threads(decide) == {"issued": UNITS, "sold_out": THREADS - UNITS}
    assert Capacity.objects.get().claimed == UNITS
    for rows in (Coupon, CouponCode, Exposure, OutboxMessage):
        assert rows.objects.count() == UNITS
    assert Counter(Decision.objects.values_list("reason", flat=True)) == {
        "issued": UNITS,
        "sold_out": THREADS - UNITS,
    }
    assert set(OutboxMessage.objects.values_list("coupon_id", flat=True)) == set(
        Exposure.objects.values_list("coupon_id", flat=True)
    )


def test_batches_that_want_the_same_offers_in_other_orders_never_deadlock() -> None:
    store = make_store(now=NOW)
    for number in range(4):
        make_offer(now=NOW, ref=f"offer-{number}", units=UNITS, trigger_places="store", topics=[f"t{number}"])
    customers = [
        [
            make_buyer(now=NOW, ref=f"C{batch}-{place}", topics=[f"t{(batch + place) % 4}"])
            for place in range(4)
        ]
        for batch in range(THREADS)
    ]

    def decide(number: int) -> str:
        made = run([trigger_of(one, store=store, now=NOW) for one in customers[number]], now=NOW)
        return "+".join(sorted({one.reason for one in made}))

    in_threads(decide)
    assert Counter(Decision.objects.values_list("reason", flat=True)) == {
        "issued": 4 * UNITS,
        "sold_out": 4 * (THREADS - UNITS),
    }
    assert set(Capacity.objects.values_list("claimed", flat=True)) == {UNITS}


@pytest.mark.parametrize("is_locked", [False, True], ids=["control, no lock", "presence locked"])
def test_thirty_events_of_one_customer_at_once_give_one_coupon(is_locked: bool) -> None:
    store = make_store(now=NOW)
    for number in range(THREADS):
        make_offer(now=NOW, ref=f"offer-{number}", trigger_places="store", topics=[f"t{number}"])
    customer = make_buyer(now=NOW, topics=[f"t{number}" for number in range(THREADS)])

    locks.make_presences(customer_ids=[customer.pk])

    def decide(_: int) -> str:
        with transaction.atomic():
            if is_locked:
                locks.lock_presences(customer_ids=[customer.pk])
            pause = partial(time.sleep, 0 if is_locked else 0.2)  # the others read meanwhile
            [made] = run([trigger_of(customer, store=store, now=NOW)], now=NOW, before_issuing=pause)
        return made.reason

    outcomes = in_threads(decide)
    if is_locked:
        assert outcomes == {"issued": 1, "frequency_cap": THREADS - 1}
    else:
        assert outcomes["issued"] > 1


def test_a_claim_takes_what_is_left_and_says_how_much() -> None:
    few, gone, endless = (
        make_offer(now=NOW, ref=ref, units=units)
        for ref, units in (("few", 3), ("gone", 0), ("endless", None))
    )
    bare = Offer.objects.create(
        ref="bare",
        benefit_kind="percent",
        benefit_value=1,
        valid_from=NOW,
        valid_until=NOW + timedelta(days=1),
        updated_at=NOW,
    )
    with transaction.atomic():
        granted = locks.claim_units({few.pk: 5, gone.pk: 1, endless.pk: 7, bare.pk: 2})
    assert granted == {few.pk: 3, gone.pk: 0, endless.pk: 7, bare.pk: 2}
    with transaction.atomic():
        locks.return_units({few.pk: 2})
    assert dict(Capacity.objects.values_list("offer__ref", "claimed")) == {"few": 1, "gone": 0, "endless": 7}
