"""Profiles are the same however the receipts came in: one by one, at once, corrected, or rebuilt from the ledger."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Affinity, Profile, PurchaseLine, UsualRhythm
from customers.operations import ProductCodes, ReceiptIn, rebuild_profiles, record_purchases
from customers.operations.rhythms import refresh_usual_rhythms
from customers.rules.rhythm import Rhythm, mean_interval_days
from tests.integration.customers.factories import GTIN, NOW, line, make_customer, receipt

pytestmark = pytest.mark.django_db
CATALOGUE = {
    GTIN: ProductCodes(price_minor=100, currency="EUR"),
    "96385074": ProductCodes(brand="Yoplait", category_ref="dairy", price_minor=50, currency="EUR"),
    "50184385": ProductCodes(
        brand="Yoplait", category_ref="care", price_minor=60, currency="EUR", is_sensitive=True
    ),
}
lines = st.builds(
    lambda gtin, quantity, price: line(gtin=gtin, quantity=str(quantity), price=price, brand="", category=""),
    st.sampled_from([GTIN, "96385074", "40170725", "50184385"]),
    st.sampled_from([Decimal("1"), Decimal("2"), Decimal("-1"), Decimal("0.455")]),
    st.integers(1, 120),
)
bodies = st.builds(
    lambda day, who, bought: {"days_ago": day, "customer": who, "lines": tuple(bought)},
    st.integers(0, 300),
    st.sampled_from(["C1", "C2", None]),
    st.lists(lines, min_size=1, max_size=3),
)
written = st.lists(st.tuples(st.integers(0, 4), bodies), min_size=1, max_size=8)


def _state() -> dict[Any, Any]:
    """Return all profiles: sums with room for rounding, everything else exact."""
    found: dict[Any, Any] = {}
    for row in Affinity.objects.values():
        key = (row.pop("customer_id"), row.pop("kind"), row.pop("key"))
        found[key] = {**row, "id": 0, "weight": pytest.approx(row["weight"], rel=1e-9, abs=1e-3)}
    for row in Profile.objects.values():
        key = row.pop("customer_id")
        found[key] = {**row, "id": 0, "weight": pytest.approx(row["weight"], rel=1e-9, abs=1e-3)}
    return found


def _plain(state: dict[Any, Any]) -> dict[Any, Any]:
    return {key: {**row, "weight": row["weight"].expected} for key, row in state.items()}


@pytest.fixture
def anew() -> Iterator[Any]:
    """Return a block after which the database is as before it."""

    class _Undone(Exception):
        pass

    class _Block:
        def __enter__(self) -> None:
            self._atomic = transaction.atomic()
            self._atomic.__enter__()

        def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
            self._atomic.__exit__(_Undone, _Undone(), None)

    yield _Block


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_receipts=written, cut=st.integers(0, 8))
def test_every_way_of_coming_in_leads_to_the_rebuilt_profile(
    given_receipts: list[tuple[int, dict[str, Any]]], cut: int, anew: Any
) -> None:
    """The number of a receipt may repeat: then the later body corrects the earlier one."""
    batch: list[ReceiptIn] = [receipt(f"R{number}", **body) for number, body in given_receipts]
    final = list({one.key: one for one in batch}.values())
    with anew():
        people = [make_customer("C1").pk, make_customer("C2").pk]
        for one in batch:
            record_purchases([one], now=NOW, catalogue=CATALOGUE)
        one_by_one = _plain(_state())
        rebuild_profiles(customer_ids=people)
        assert one_by_one == _state()
        for order in (final, final[::-1]):
            with anew():
                Affinity.objects.all().delete()
                Profile.objects.all().delete()
                renamed = [_renamed(one) for one in order]
                record_purchases(renamed[:cut], now=NOW, catalogue=CATALOGUE)
                record_purchases(renamed[cut:], now=NOW, catalogue=CATALOGUE)
                assert one_by_one == _state()


def _renamed(one: ReceiptIn) -> ReceiptIn:
    """Return the same receipt as if it were another store's, so that it is new to the ledger."""
    values = {name: getattr(one, name) for name in ("customer_ref", "purchased_at", "currency", "lines")}
    return ReceiptIn(store_ref="S2", receipt=one.receipt, **values)


def test_the_profile_holds_what_the_rules_need() -> None:
    make_customer()
    for days_ago, price in ((30, 100), (23, 90), (15, 98), (9, 90), (0, 200)):
        bought = receipt(f"R{days_ago}", days_ago=days_ago, lines=(line(price=price),))
        record_purchases([bought], now=NOW, catalogue=CATALOGUE)

    product = Affinity.objects.get(kind="product")
    assert (product.purchases, product.listed_lines, product.discounted_lines) == (5, 5, 2)
    assert product.first_bought_at == NOW - timedelta(days=30)
    assert product.last_bought_at == NOW
    span = product.last_bought_at - product.first_bought_at
    rhythm = Rhythm(purchases=product.purchases, span_days=span / timedelta(days=1))
    assert mean_interval_days(rhythm, usual_days=14) == pytest.approx(58 / 6)
    profile = Profile.objects.get()
    assert (profile.listed_lines, profile.discounted_lines) == (5, 2)


@pytest.mark.parametrize(
    ("quantity", "codes"),
    [
        ("1", ProductCodes()),
        ("1", ProductCodes(price_minor=100, currency="CHF")),
        ("-1", ProductCodes(price_minor=100, currency="EUR")),
    ],
)
def test_what_cannot_be_compared_with_a_usual_price_is_not_counted(
    quantity: str, codes: ProductCodes
) -> None:
    make_customer()
    record_purchases([receipt(lines=(line(quantity=quantity, price=10),))], now=NOW, catalogue={GTIN: codes})
    profile = Profile.objects.get()
    assert (profile.listed_lines, profile.discounted_lines) == (0, 0)


def test_a_later_price_of_the_catalogue_does_not_change_a_rebuilt_profile() -> None:
    customer = make_customer()
    record_purchases([receipt(lines=(line(price=90),))], now=NOW, catalogue=CATALOGUE)
    dearer = {GTIN: ProductCodes(price_minor=80, currency="EUR")}
    record_purchases([receipt("R2", lines=(line(price=80),))], now=NOW, catalogue=dearer)
    rebuild_profiles(customer_ids=[customer.pk])
    profile = Profile.objects.get()
    assert (profile.listed_lines, profile.discounted_lines) == (2, 1)


def test_a_line_of_sensitive_goods_tells_that_something_was_bought_and_not_what() -> None:
    """By the product, or by the category that the till says: no affinity, no share of the whole, no discount."""
    make_customer()
    bought = [
        line(price=100),
        line("50184385", price=30, brand="", category=""),
        line("40170725", price=70, brand="Danone", category="faith"),
    ]
    whole = receipt(lines=tuple(bought))
    record_purchases([whole], now=NOW, catalogue=CATALOGUE, sensitive={"faith"})

    assert sorted(Affinity.objects.values_list("kind", "key", "purchases")) == [
        ("brand", "danone", 1),
        ("category", "yoghurt", 1),
        ("product", GTIN, 1),
    ]
    profile = Profile.objects.get()
    assert (profile.purchases, profile.spend_minor) == (1, 200)
    assert (profile.listed_lines, profile.discounted_lines) == (1, 0)
    assert profile.weight == pytest.approx(Affinity.objects.get(kind="brand").weight)
    marked = PurchaseLine.objects.filter(is_sensitive=True).order_by("position")
    assert list(marked.values_list("gtin", "category_ref")) == [("50184385", "care"), ("40170725", "faith")]


def _come_back(customers: int, *, every_days: int, times: int) -> None:
    for number in range(customers):
        make_customer(f"P{number}")
        batch = [
            receipt(f"P{number}-{time}", customer=f"P{number}", days_ago=time * every_days)
            for time in range(times)
        ]
        record_purchases(batch, now=NOW)


def test_the_usual_rhythm_is_that_of_all_who_came_back(count_queries: Any) -> None:
    _come_back(5, every_days=7, times=3)
    make_customer()
    record_purchases([receipt()], now=NOW)  # once: tells nothing of a rhythm

    with count_queries() as seen:
        assert refresh_usual_rhythms() == 3

    assert len(seen) == 6  # a savepoint and its release, the lock, the time limit, two statements
    assert sorted(UsualRhythm.objects.values_list("kind", "key", "intervals", "days")) == [
        ("brand", "danone", 10, 70.0),
        ("category", "yoghurt", 10, 70.0),
        ("product", GTIN, 10, 70.0),
    ]


def test_a_rhythm_of_few_is_not_kept() -> None:
    _come_back(4, every_days=7, times=3)
    assert refresh_usual_rhythms() == 0


@pytest.mark.django_db(transaction=True)
def test_the_command_makes_all_profiles_anew(capsys: Any) -> None:
    first, second = make_customer("C1"), make_customer("C2")
    record_purchases([receipt("R1"), receipt("R2", customer="C2")], now=NOW)
    before = _plain(_state())
    Affinity.objects.filter(customer=first).delete()
    Profile.objects.filter(customer=second).update(spend_minor=1)

    call_command("rebuild_profiles", batch=1)

    assert capsys.readouterr().out == "2 profiles rebuilt, 0 usual rhythms.\n"
    assert before == _state()
