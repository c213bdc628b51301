"""Nobody is known by what they bought of sensitive goods: neither their next basket nor their profile tells it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Affinity, Customer, CustomerRef, Profile, PurchaseLine
from customers.operations import LineIn, ReceiptIn, rebuild_profiles
from offers.models import Category, NextBasket, Product
from offers.operations.next_baskets import refresh_next_baskets
from offers.operations.purchases import record_purchases
from offers.operations.sensitive import mark_sensitive_lines
from tests.integration.decisions.shop import make_category, make_customer, make_product
from tests.integration.targeting.shoppers import CHAINS, EVERYBODY, STAPLES, make_shoppers, plans

pytestmark = pytest.mark.django_db
GTINS = (*STAPLES["a"], *STAPLES["b"], *CHAINS["a"], *CHAINS["b"], *EVERYBODY)
DAY = timedelta(days=1)


def told() -> set[str]:
    """Return the products of all next baskets."""
    return {gtin for row in NextBasket.objects.all() for gtin in row.gtins}


def baskets() -> list[Any]:
    return list(NextBasket.objects.order_by("customer_id").values_list("customer_id", "gtins", "chances"))


def below(flagged: Sequence[Category]) -> set[str]:
    """Return the products in these categories and below them, walked one by one."""
    found: set[str] = set()
    for product in Product.objects.select_related("category"):
        category = product.category
        while category is not None:
            if category in flagged:
                found.add(product.gtin)
            category = category.parent
    return found


flags = st.sampled_from(
    [
        {"is_sensitive": True},
        {"never_targeted": "health"},
        {"never_targeted": "pharmacy"},
        {"never_targeted": "religion"},
    ]
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parents=st.lists(st.integers(0, 5), min_size=6, max_size=6),
    homes=st.lists(st.integers(0, 6), min_size=len(GTINS), max_size=len(GTINS)),
    flagged=st.dictionaries(st.integers(0, 5), flags, min_size=1, max_size=3),
)
def test_after_the_job_no_basket_holds_a_product_under_a_sensitive_category(
    parents: list[int], homes: list[int], flagged: dict[int, dict[str, Any]], now: datetime
) -> None:
    """In any tree, with any of the flags anywhere."""
    Category.objects.update(parent=None)
    for table in (Customer, Product, Category):
        table.objects.all().delete()
    tree: list[Category] = []
    for number, parent in enumerate(parents):
        tree.append(make_category(ref=f"k{number}", parent=tree[parent] if parent < number else None))
    for gtin, home in zip(GTINS, homes, strict=True):
        make_product(gtin=gtin, brand="B", category=tree[home] if home < len(tree) else None, now=now)
    make_shoppers(plans(seed=2, customers=20), now=now)
    for number, flag in flagged.items():
        Category.objects.filter(pk=tree[number].pk).update(**flag)

    refresh_next_baskets(now=now)

    others = set(GTINS) - below([tree[number] for number in flagged])
    assert told() <= others
    assert told() or len(others) < len(GTINS) / 2


def test_the_goods_neither_teach_nor_are_a_neighbours_evidence(now: datetime) -> None:
    """What is told is to the last digit what would be if nobody had ever bought them."""
    care = make_category(ref="care")
    make_product(gtin="a0", brand="Care", category=make_category(ref="pills", parent=care), now=now)
    make_shoppers(plans(seed=4, customers=40), now=now)
    PurchaseLine.objects.filter(gtin="c3").update(category_ref="pills")  # the till's word alone
    refresh_next_baskets(now=now)
    assert {"a0", "c3"} <= told()

    Category.objects.filter(pk=care.pk).update(never_targeted="health")
    refresh_next_baskets(now=now + DAY)
    without = baskets()
    assert told() & {"a0", "c3"} == set()

    PurchaseLine.objects.filter(gtin__in=["a0", "c3"]).delete()
    refresh_next_baskets(now=now + DAY)
    assert baskets() == without


def test_a_flag_taken_away_lets_them_be_told_again(now: datetime) -> None:
    care = make_category(ref="care")
    make_product(gtin="a0", brand="Care", category=care, now=now)
    make_shoppers(plans(seed=4, customers=40), now=now)
    refresh_next_baskets(now=now)
    before = baskets()
    for flag in (True, False):
        Category.objects.filter(pk=care.pk).update(is_sensitive=flag)
        refresh_next_baskets(now=now)
        assert ("a0" in told()) is not flag
    assert baskets() == before


def _receipt(number: int, *, now: datetime, gtin: str, brand: str = "", category: str = "") -> ReceiptIn:
    return ReceiptIn(
        store_ref="S1",
        receipt=f"R{number}",
        customer_ref="C1",
        purchased_at=now - DAY * number,
        currency="EUR",
        lines=(
            LineIn(gtin=gtin, quantity=Decimal(1), unit_price_minor=100, brand=brand, category_ref=category),
        ),
    )


def _state() -> tuple[list[Any], list[Any]]:
    of_profile = Profile.objects.values_list("weight", "purchases", "spend_minor", "listed_lines")
    return sorted(Affinity.objects.values_list("kind", "key", "weight", "purchases")), list(of_profile)


def test_a_profile_is_the_same_whenever_the_flag_was_set(now: datetime) -> None:
    """Before the receipts, or after them and marked by the job; and again without it: one by one as rebuilt."""
    person = make_customer(now=now, ref="C1", phones=())
    CustomerRef.objects.create(ref="C1", customer=person)
    care, food = make_category(ref="care"), make_category(ref="food")
    make_product(gtin="1", brand="Danone", category=care, now=now)
    make_product(gtin="2", brand="Danone", category=food, now=now)
    given_receipts = [
        _receipt(1, now=now, gtin="1"),
        _receipt(2, now=now, gtin="2"),
        _receipt(3, now=now, gtin="3", brand="Danone", category="care"),
    ]
    record_purchases(receipts=given_receipts[:2], now=now)
    Category.objects.filter(pk=care.pk).update(is_sensitive=True)
    record_purchases(receipts=given_receipts[2:], now=now)
    assert ("product", "1", 1) in set(Affinity.objects.values_list("kind", "key", "purchases"))

    assert mark_sensitive_lines(page=1) == 1

    late = _state()
    assert [row[:2] for row in late[0]] == [("brand", "danone"), ("category", "food"), ("product", "2")]
    assert late[1][0][1:3] == (3, 300)  # that they came, and for how much, is known
    assert mark_sensitive_lines() == 0
    rebuild_profiles(customer_ids=[person.pk])
    assert _state() == late

    Category.objects.filter(pk=care.pk).update(is_sensitive=False)
    assert mark_sensitive_lines() == 1
    assert {row[1] for row in _state()[0]} == {"1", "2", "3", "care", "food", "danone"}
    assert not PurchaseLine.objects.filter(is_sensitive=True).exists()


def test_marking_costs_as_many_queries_for_many_customers_as_for_few(
    now: datetime, count_queries: Any
) -> None:
    def cost(customers: int) -> int:
        Customer.objects.all().delete()
        make_shoppers(plans(seed=1, customers=customers), now=now)
        with count_queries() as seen:
            assert mark_sensitive_lines() == customers
        return len(seen)

    make_product(gtin="a0", brand="Care", category=make_category(ref="care"), now=now)
    make_product(gtin="b0", brand="Care", category=make_category(ref="faith"), now=now)
    Category.objects.update(is_sensitive=True)
    # the page, and none after it; savepoint, lock, mark; rebuild: savepoint, lock, delete (2), ledger, add (2), release;
    # release
    assert cost(4) == cost(60) == 14
