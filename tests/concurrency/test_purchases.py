"""Tills that send at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from customers.models import Affinity, Profile, Purchase, ReceiptClaim
from customers.operations import record_purchases
from customers.rules.affinity import weight
from tests.integration.customers.factories import GTIN, NOW, line, make_customer, receipt

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

TILLS = 8


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Run all at once, each in a thread with a connection of its own."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=20)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_no_receipt_of_one_customer_is_lost_between_tills() -> None:
    make_customer()
    batches = [[receipt(f"{till}-{n}") for n in range(5)] for till in range(TILLS)]

    at_once([lambda batch=batch: record_purchases(batch, now=NOW) for batch in batches])

    at = batches[0][0].purchased_at
    assert Profile.objects.get().purchases == TILLS * 5
    affinity = Affinity.objects.get(kind="product", key=GTIN)
    assert affinity.purchases == TILLS * 5
    assert affinity.weight == pytest.approx(TILLS * 5 * weight(amount=100, at=at), rel=1e-12)


def test_one_receipt_sent_at_once_by_many_is_accepted_once() -> None:
    make_customer()

    results = at_once([lambda: record_purchases([receipt()], now=NOW)] * TILLS)

    assert sorted(result[0].status for result in results) == ["accepted", *["duplicate"] * (TILLS - 1)]
    assert (Purchase.objects.count(), ReceiptClaim.objects.count()) == (1, 1)
    assert Profile.objects.get().purchases == 1


def test_corrections_and_new_receipts_at_once_leave_what_the_ledger_says() -> None:
    make_customer()
    record_purchases([receipt("R0")], now=NOW)
    works: list[Callable[[], Any]] = []
    for n in range(TILLS // 2):
        corrected = receipt("R0", lines=(line(price=10 + n),))
        works.append(lambda corrected=corrected: record_purchases([corrected], now=NOW))
        works.append(lambda n=n: record_purchases([receipt(f"N{n}")], now=NOW))

    at_once(works)

    [price] = Purchase.objects.get(receipt="R0").lines.values_list("unit_price_minor", flat=True)
    profile = Profile.objects.get()
    assert profile.spend_minor == price + 100 * (TILLS // 2)
    assert profile.purchases == 1 + TILLS // 2
    at = receipt().purchased_at
    assert profile.weight == pytest.approx(weight(amount=profile.spend_minor, at=at), rel=1e-12)


def test_batches_that_share_receipts_in_opposite_orders_do_not_block_each_other() -> None:
    make_customer("C1")
    make_customer("C2")
    forth = [receipt(f"R{n}", customer=f"C{n % 2 + 1}") for n in range(40)]

    results = at_once(
        [lambda: record_purchases(forth, now=NOW), lambda: record_purchases(forth[::-1], now=NOW)] * 3
    )

    accepted = [result for batch in results for result in batch if result.status == "accepted"]
    assert len(accepted) == 40
    assert sum(Profile.objects.values_list("purchases", flat=True)) == 40
