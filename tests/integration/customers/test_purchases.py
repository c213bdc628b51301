"""Receipts into the ledger and the profiles."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from customers.models import Affinity, Profile, Purchase, PurchaseLine, ReceiptClaim
from customers.operations import ProductCodes, rebuild_profiles, record_purchases
from customers.rules.affinity import weight
from tests.integration.customers.factories import GTIN, NOW, line, make_customer, receipt

pytestmark = pytest.mark.django_db


def statuses(results: list[Any]) -> list[tuple[str, str | None, bool]]:
    return [(result.status, result.error, result.is_correction) for result in results]


def affinities(customer: Any) -> dict[tuple[str, str], tuple[float, int, Any]]:
    rows = Affinity.objects.filter(customer=customer)
    return {(row.kind, row.key): (row.weight, row.purchases, row.last_bought_at) for row in rows}


def test_a_receipt_is_in_the_ledger_and_in_the_profile_before_the_answer() -> None:
    customer = make_customer()
    bought = receipt(
        lines=(line(quantity="2", price=150), line(gtin="96385074", brand="", category="", price=7))
    )

    results = record_purchases([bought], now=NOW)

    assert statuses(results) == [("accepted", None, False)]
    purchase = Purchase.objects.get()
    assert (purchase.customer_id, purchase.store_ref, purchase.receipt) == (customer.pk, "S1", "R1")
    assert list(
        purchase.lines.order_by("position").values_list("position", "gtin", "quantity", "unit_price_minor")
    ) == [
        (0, GTIN, Decimal("2.000"), 150),
        (1, "96385074", Decimal("1.000"), 7),
    ]
    at = bought.purchased_at
    assert affinities(customer) == {
        ("product", GTIN): (weight(amount=300, at=at), 1, at),
        ("brand", "danone"): (weight(amount=300, at=at), 1, at),
        ("category", "yoghurt"): (weight(amount=300, at=at), 1, at),
        ("product", "96385074"): (weight(amount=7, at=at), 1, at),
    }
    profile = Profile.objects.get()
    assert profile.weight == pytest.approx(weight(amount=307, at=at), rel=1e-12)
    assert (profile.purchases, profile.spend_minor) == (1, 307)
    assert (profile.first_purchase_at, profile.last_purchase_at) == (at, at)


def test_the_same_body_again_is_a_duplicate_that_changes_nothing() -> None:
    customer = make_customer()
    record_purchases([receipt()], now=NOW)
    before = affinities(customer)

    results = record_purchases([receipt(lines=(line(quantity="1.000"),))], now=NOW + timedelta(hours=1))

    assert statuses(results) == [("duplicate", None, False)]
    assert affinities(customer) == before
    assert Profile.objects.get().purchases == 1
    assert Purchase.objects.get().received_at == NOW


def test_another_body_corrects_the_receipt_of_another_customer_too() -> None:
    first, second = make_customer("C1"), make_customer("C2")
    record_purchases([receipt("R0"), receipt("R1")], now=NOW)

    results = record_purchases([receipt("R1", customer="C2", lines=(line(price=40),))], now=NOW)

    assert statuses(results) == [("accepted", None, True)]
    at = NOW - timedelta(days=1)
    assert affinities(first)["product", GTIN] == (weight(amount=100, at=at), 1, at)
    assert affinities(second)["product", GTIN] == (weight(amount=40, at=at), 1, at)
    assert Profile.objects.get(customer=first).spend_minor == 100
    assert Profile.objects.get(customer=second).spend_minor == 40
    assert (Purchase.objects.count(), PurchaseLine.objects.count(), ReceiptClaim.objects.count()) == (2, 2, 2)


def test_a_correction_to_nobody_empties_the_profile() -> None:
    customer = make_customer()
    record_purchases([receipt()], now=NOW)

    record_purchases([receipt(customer=None)], now=NOW)

    assert affinities(customer) == {}
    assert not Profile.objects.filter(customer=customer).exists()
    assert Purchase.objects.get().customer_id is None


def test_a_receipt_without_a_card_is_kept_and_profiles_nobody() -> None:
    results = record_purchases([receipt(customer=None)], now=NOW)

    assert statuses(results) == [("accepted", None, False)]
    assert Purchase.objects.get().customer_id is None
    assert not Affinity.objects.exists()


def test_a_refused_receipt_does_not_stop_its_neighbours() -> None:
    make_customer()

    results = record_purchases(
        [receipt("R1", customer="nobody"), receipt("R2"), receipt("R3", days_ago=-2)], now=NOW
    )

    assert statuses(results) == [
        ("rejected", "unknown_customer", False),
        ("accepted", None, False),
        ("rejected", "invalid", False),
    ]
    assert [claim.receipt for claim in ReceiptClaim.objects.all()] == ["R2"]


def test_a_key_given_twice_in_a_batch_is_taken_in_order() -> None:
    customer = make_customer()
    other = receipt(lines=(line(price=30),))

    results = record_purchases([receipt(), receipt(), other, receipt(), other], now=NOW)

    assert statuses(results) == [
        ("accepted", None, False),
        ("duplicate", None, False),
        ("accepted", None, True),
        ("accepted", None, True),
        ("accepted", None, True),
    ]
    assert affinities(customer)["product", GTIN][0] == weight(amount=30, at=other.purchased_at)
    assert Purchase.objects.count() == 1


def test_the_same_receipt_number_of_another_store_is_another_receipt() -> None:
    make_customer()

    record_purchases([receipt(), receipt(store_ref="S2")], now=NOW)

    assert Purchase.objects.count() == 2
    assert Profile.objects.get().purchases == 2


def test_what_was_weighed_counts_by_weight_and_what_was_returned_is_taken_off() -> None:
    customer = make_customer()
    weighed = receipt("R1", lines=(line(quantity="0.455", price=1299),))
    returned = receipt("R2", lines=(line(quantity="-1", price=100),), days_ago=0)

    record_purchases([weighed, returned], now=NOW)

    expected = weight(amount=0.455 * 1299, at=weighed.purchased_at) + weight(
        amount=-100, at=returned.purchased_at
    )
    found = affinities(customer)["product", GTIN]
    assert found[0] == pytest.approx(expected, rel=1e-12)
    assert found[1:] == (1, weighed.purchased_at)
    assert Profile.objects.get().spend_minor == 591 - 100


def test_what_was_only_returned_was_never_bought() -> None:
    customer = make_customer()

    record_purchases([receipt(lines=(line(quantity="-1"),))], now=NOW)

    value, purchases, last_bought_at = affinities(customer)["product", GTIN]
    assert value < 0
    assert (purchases, last_bought_at.year) == (0, 1970)


def test_the_catalogue_fills_what_is_missing_and_a_change_of_it_is_no_correction() -> None:
    customer = make_customer()
    bare = receipt(lines=(line(brand="", category=""),))

    record_purchases([bare], now=NOW, catalogue={GTIN: ProductCodes(brand="Yoplait", category_ref="dairy")})
    again = record_purchases([bare], now=NOW, catalogue={GTIN: ProductCodes(brand="Other")})

    assert statuses(again) == [("duplicate", None, False)]
    assert set(affinities(customer)) == {
        ("product", GTIN),
        ("brand", "yoplait"),
        ("category", "dairy"),
    }


def test_rebuilding_from_the_ledger_gives_the_same_profile() -> None:
    customer = make_customer()
    for day in range(12):
        lines = (line(quantity=f"{day % 3 + 0.5}", price=100 + day), line(gtin="96385074", brand="Yoplait"))
        record_purchases([receipt(f"R{day}", days_ago=day * 7, lines=lines)], now=NOW)
    kept = affinities(customer)
    profile = Profile.objects.values().get()

    rebuild_profiles(customer_ids=[customer.pk])

    rebuilt = affinities(customer)
    assert rebuilt.keys() == kept.keys()
    for key, (value, purchases, last_bought_at) in kept.items():
        assert rebuilt[key] == (pytest.approx(value, rel=1e-12), purchases, last_bought_at)
    again = Profile.objects.values().get()
    assert again.pop("weight") == pytest.approx(profile.pop("weight"), rel=1e-12)
    assert {**again, "id": 0} == {**profile, "id": 0}


def test_a_large_batch_costs_as_many_queries_as_a_small_one(count_queries: Any) -> None:
    for number in range(20):
        make_customer(f"C{number}")

    def cost(*, name: str, size: int) -> int:
        batch = [
            receipt(f"{name}{n}", customer=f"C{n % 20}", lines=tuple(line() for _ in range(1 + n % 3)))
            for n in range(size)
        ]
        with count_queries() as seen:
            record_purchases(batch, now=NOW)
        return len(seen)

    # refs, claims, customers' lock, purchases, lines, affinities, profiles, savepoint and its release
    assert cost(name="a", size=2) == cost(name="b", size=200) == 9
