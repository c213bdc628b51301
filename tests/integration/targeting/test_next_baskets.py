"""The job that tells everybody's next basket, and who may read what it wrote."""

import os
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from customers.models import Customer, PurchaseLine
from offers import locks
from offers.models import NextBasket
from offers.operations import next_baskets
from offers.operations.erasure import erase_customer
from offers.operations.in_processes import ProcessFailed, summed_by_processes
from offers.operations.next_baskets import AlreadyTelling, refresh_next_baskets
from offers.queries.targeting import get_next_basket, next_basket_chances
from tests.integration.decisions.shop import make_category, make_offer, make_product
from tests.integration.targeting.shoppers import make_shoppers, plans

pytestmark = pytest.mark.django_db
PEOPLE = 60


@pytest.fixture
def shoppers(now: datetime) -> dict[str, Customer]:
    return make_shoppers(plans(seed=4, customers=PEOPLE), now=now)


def test_everybody_is_told_what_they_buy_again_with_what_speaks_for_it(
    now: datetime, shoppers: dict[str, Customer]
) -> None:
    done = refresh_next_baskets(now=now)

    assert (done.customers, done.removed, done.panel) == (PEOPLE, 0, PEOPLE)
    assert NextBasket.objects.count() == PEOPLE
    for row in NextBasket.objects.select_related("customer"):
        taste = "ab"[int(row.customer.ref[1:]) % 2]
        assert set(row.gtins[:3]) & {f"{taste}0", f"{taste}1", f"{taste}2"}
        assert row.chances == sorted(row.chances, reverse=True)
        assert all(0.0 < chance < 1.0 for chance in row.chances)
        lengths = {len(part) for part in (row.gtins, row.own, row.alike, row.together, row.popular)}
        assert lengths == {min(20, done.products)}
        bought = set(PurchaseLine.objects.filter(customer=row.customer).values_list("gtin", flat=True))
        never = [part for gtin, part in zip(row.gtins, row.own, strict=True) if gtin not in bought]
        assert never == [0.0] * len(never)
        assert row.computed_at == now


def test_the_same_purchases_give_the_same_baskets(now: datetime, shoppers: dict[str, Customer]) -> None:
    refresh_next_baskets(now=now)
    before = list(NextBasket.objects.order_by("customer_id").values_list("gtins", "chances"))
    refresh_next_baskets(now=now)
    assert list(NextBasket.objects.order_by("customer_id").values_list("gtins", "chances")) == before


def test_somebody_outside_the_panel_is_told_too(now: datetime, shoppers: dict[str, Customer]) -> None:
    done = refresh_next_baskets(now=now, panel=40)
    assert (done.customers, done.panel) == (PEOPLE, 40)


def test_who_does_not_allow_profiling_is_neither_read_nor_told(
    now: datetime, shoppers: dict[str, Customer]
) -> None:
    silent = make_shoppers({"silent": [["d0"], ["d0"]]}, now=now, granted=())["silent"]
    PurchaseLine.objects.filter(customer=shoppers["u0"]).update(gtin="e0")

    done = refresh_next_baskets(now=now)

    assert done.customers == PEOPLE
    assert not NextBasket.objects.filter(customer=silent).exists()
    told = {gtin for row in NextBasket.objects.all() for gtin in row.gtins}
    assert not told & {"d0", "e0"}  # a product that only one customer ever bought is told to nobody


def test_a_withdrawn_consent_hides_the_row_at_once_and_the_next_run_removes_it(
    now: datetime, shoppers: dict[str, Customer]
) -> None:
    refresh_next_baskets(now=now)
    person = shoppers["u1"]
    assert get_next_basket(customer_id=person.pk) is not None
    Customer.objects.filter(pk=person.pk).update(granted=["push"])
    assert get_next_basket(customer_id=person.pk) is None

    done = refresh_next_baskets(now=now + timedelta(days=1))

    assert (done.customers, done.removed) == (PEOPLE - 1, 1)
    assert not NextBasket.objects.filter(customer=person).exists()


def test_erasure_takes_the_row_and_a_job_at_work_does_not_bring_it_back(
    now: datetime, shoppers: dict[str, Customer], monkeypatch: Any
) -> None:
    person = shoppers["u2"]
    real = next_baskets.rank

    def erased_meanwhile(*given: Any, **named: Any) -> Any:
        erase_customer(customer_id=person.pk, now=now)
        return real(*given, **named)

    refresh_next_baskets(now=now - timedelta(days=1))
    monkeypatch.setattr(next_baskets, "rank", erased_meanwhile)
    done = refresh_next_baskets(now=now)

    assert done.customers == PEOPLE - 1
    assert not NextBasket.objects.filter(customer=person).exists()


def test_where_nothing_can_be_learned_nobody_is_told_anything(now: datetime) -> None:
    make_shoppers({"u1": [["a0", "a1"]], "u2": [["a0", "a1"]]}, now=now)
    NextBasket.objects.create(
        customer=Customer.objects.get(ref="u1"),
        **{name: [] for name in ("gtins", "chances", "own", "alike", "together", "popular")},
        computed_at=now - timedelta(days=1),
    )

    done = refresh_next_baskets(now=now)

    assert (done.customers, done.removed) == (0, 1)
    assert not NextBasket.objects.exists()


def test_a_block_of_many_customers_costs_as_many_queries_as_one_of_few(
    now: datetime, count_queries: Any
) -> None:
    def cost(customers: int) -> int:
        Customer.objects.all().delete()
        make_shoppers(plans(seed=1, customers=customers), now=now)
        with count_queries() as seen:
            refresh_next_baskets(now=now)
        return len(seen)

    # the lock, and its release; the marks of sensitive goods, and none after them; who, and nobody after them; the panel's purchases; everybody's; savepoint, lock, no wait for the disk, write, release;
    # what to remove
    assert cost(20) == cost(90) == 14


def test_the_chance_of_an_offer_is_that_of_any_product_that_is_its_target(
    now: datetime, shoppers: dict[str, Customer], count_queries: Any
) -> None:
    fresh = make_category(ref="fresh")
    for gtin in ("a0", "a1", "b0"):
        make_product(gtin=gtin, brand="Danone" if gtin == "a0" else "Yoplait", category=fresh, now=now)
    single = make_offer(now=now, ref="one", target_gtins=["a1"])
    brand = make_offer(now=now, ref="brand")
    category = make_offer(now=now, ref="category", target_category=fresh)
    refresh_next_baskets(now=now)
    person = shoppers["u0"]
    row = get_next_basket(customer_id=person.pk)
    assert row is not None
    chance = dict(zip(row.gtins, row.chances, strict=True))

    with count_queries() as seen:
        found = next_basket_chances(
            customer_ids=[person.pk], offer_ids=[single.pk, brand.pk, category.pk, 999_999]
        )

    assert len(seen) == 1
    missed = 1.0
    for gtin in ("a0", "a1", "b0"):
        missed *= 1.0 - chance.get(gtin, 0.0)
    assert found == {
        (person.pk, single.pk): pytest.approx(chance["a1"]),
        (person.pk, brand.pk): pytest.approx(chance["a0"]),
        (person.pk, category.pk): pytest.approx(1.0 - missed),
    }
    Customer.objects.filter(pk=person.pk).update(granted=[])
    assert next_basket_chances(customer_ids=[person.pk], offer_ids=[single.pk]) == {}


def test_the_command_says_what_it_did(shoppers: dict[str, Customer], capsys: Any) -> None:
    """The command counts back from the clock: the shoppers of the fixed instant are bought anew around it."""
    PurchaseLine.objects.all().delete()
    call_command("refresh_next_baskets", panel=10)
    assert capsys.readouterr().out.endswith("customers taught, 0 products).\n")


@pytest.mark.django_db(transaction=True)
def test_two_processes_tell_what_one_tells(now: datetime, monkeypatch: Any) -> None:
    make_shoppers(plans(seed=4, customers=PEOPLE), now=now)
    refresh_next_baskets(now=now)
    alone = list(NextBasket.objects.order_by("customer_id").values_list("customer_id", "gtins", "chances"))
    monkeypatch.setattr(next_baskets, "READ", 20)

    done = refresh_next_baskets(now=now + timedelta(minutes=1), processes=2)

    assert (done.customers, done.removed) == (PEOPLE, 0)
    together = NextBasket.objects.order_by("customer_id").values_list("customer_id", "gtins", "chances")
    assert list(together) == alone


def test_a_process_that_dies_is_told_at_once_whatever_the_others_do() -> None:
    start = time.monotonic()
    with pytest.raises(ProcessFailed, match="one of 2 processes ended before its work did"):
        summed_by_processes(_sleep_or_die, [30, 0], processes=2)
    assert time.monotonic() - start < 20


def _sleep_or_die(seconds: int) -> int:
    return time.sleep(seconds) or os._exit(3)


@pytest.mark.django_db(transaction=True)
def test_a_failing_process_fails_the_job_and_the_rows_of_the_night_before_stay(
    now: datetime, monkeypatch: Any, capfd: Any
) -> None:
    """One of two cannot write what it ranked: its customers keep their rows, and so does everybody whose time had come to go."""
    people = make_shoppers(plans(seed=4, customers=PEOPLE), now=now)
    refresh_next_baskets(now=now, processes=1)
    before = dict(NextBasket.objects.values_list("customer_id", "computed_at"))
    gone = people["u3"]
    Customer.objects.filter(pk=gone.pk).update(granted=[])
    monkeypatch.setattr(next_baskets, "READ", 30)
    last = max(person.pk for person in people.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE offers_nextbasket ADD CONSTRAINT no_more CHECK (customer_id <> {last}) NOT VALID"
        )
    try:
        with pytest.raises(ProcessFailed) as refused:
            refresh_next_baskets(now=now + timedelta(minutes=1), processes=2)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE offers_nextbasket DROP CONSTRAINT no_more")
    assert str(refused.value) == (
        "one of 2 processes ended before its work did; its own words are in the log"
    )
    assert "no_more" in capfd.readouterr().err
    after = dict(NextBasket.objects.values_list("customer_id", "computed_at"))
    assert after.keys() == before.keys()
    assert {after[gone.pk], after[last]} == {now}

    # the lock is free again, and the next night makes it good
    done = refresh_next_baskets(now=now + timedelta(days=1))
    assert (done.customers, done.removed) == (PEOPLE - 1, 1)


@pytest.mark.django_db(transaction=True)
def test_one_run_at_a_time(now: datetime) -> None:
    make_shoppers(plans(seed=4, customers=20), now=now)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [locks.NEXT_BASKETS_LOCK])
        with pytest.raises(AlreadyTelling, match="this one did nothing"):
            refresh_next_baskets(now=now)
        with pytest.raises(CommandError, match="another run tells the next baskets"):
            call_command("refresh_next_baskets")
        assert not NextBasket.objects.exists()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [locks.NEXT_BASKETS_LOCK])
        assert refresh_next_baskets(now=now).customers == 20
    finally:
        other.close()


def test_there_are_never_more_processes_than_parts_of_the_customers(
    now: datetime, shoppers: dict[str, Customer], monkeypatch: Any
) -> None:
    asked: list[int] = []

    def counted(work: Any, parts: Any, *, processes: int) -> int:
        asked.append(processes)
        return sum(map(work, parts))

    monkeypatch.setattr(next_baskets, "summed_by_processes", counted)
    for read in (1_000, 20, 5):
        monkeypatch.setattr(next_baskets, "READ", read)
        assert refresh_next_baskets(now=now, processes=8).customers == PEOPLE
    assert asked == [3, 8]  # one part needs no further process
