"""manage.py import_purchases, against the database."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from customers.models import Affinity, Customer, Purchase, PurchaseLine
from customers.operations import CustomerUpsert, upsert_customers
from customers.operations.receipts import LineIn, ReceiptIn
from offers.imports.run import BATCH_SIZE, run_import
from offers.imports.values import Given, Refusal
from tests.integration.imports.commands import run, table_counts, written

pytestmark = pytest.mark.django_db

HEADER = "receipt,store,customer,purchased_at,currency,gtin,quantity,unit_price_minor,category,brand\n"
PURCHASES = (
    HEADER
    + """R1,S1,C1,2026-06-01T10:00:00+02:00,EUR,3023290001851,2,199,yaourts,Nestlé
R1,S1,C1,2026-06-01T10:00:00+02:00,EUR,3428270000013,1,99,lait,
R2,S1,C2,2026-06-01T11:00:00+02:00,EUR,3023290001851,1,199,yaourts,Nestlé
R3,S1,C1,2026-06-01T12:00:00+02:00,EUR,3023290001850,1,199,yaourts,Nestlé
R3,S1,C1,2026-06-01T12:00:00+02:00,EUR,3428270000013,1,99,lait,
R4,S1,,2026-06-01T13:00:00+02:00,EUR,3428270000013,0.5,99,lait,
R1,S1,C1,2026-06-01T10:00:00+02:00,EUR,3428270000013,7,99,lait,
"""
)


@pytest.fixture(autouse=True)
def _known_customer(now: datetime) -> None:
    upsert_customers(upserts=[CustomerUpsert(ref="C1", changes={})], now=now)


def test_receipts_are_recorded_and_bad_ones_told_by_line(tmp_path: Path) -> None:
    told = run("import_purchases", written(tmp_path, PURCHASES))

    assert told.out == ["given.csv: 5 receipts read on 7 lines: 2 new, 0 changed, 0 same, 3 refused"]
    assert [line.split(": ")[:2] for line in told.err] == [
        ["line 4 S1/R2", "refused, unknown_customer"],
        ["line 5 S1/R3", "refused, invalid_gtin"],
        ["line 8 S1/R1", "refused, repeated"],
    ]
    assert list(Purchase.objects.order_by("receipt").values_list("receipt", "customer__ref")) == [
        ("R1", "C1"),
        ("R4", None),
    ]
    assert PurchaseLine.objects.count() == 3
    assert set(Affinity.objects.values_list("key", flat=True)) >= {"nestle", "yaourts", "3023290001851"}


def test_unknown_customers_are_made_where_that_is_wanted(tmp_path: Path) -> None:
    told = run("import_purchases", written(tmp_path, PURCHASES), create_customers=True)

    assert told.out == [
        "1 customers made by the way",
        "given.csv: 5 receipts read on 7 lines: 3 new, 0 changed, 0 same, 2 refused",
    ]
    assert list(Customer.objects.order_by("ref").values_list("ref", flat=True)) == ["C1", "C2"]


def test_a_second_run_finds_nothing_new_and_a_correction_is_a_change(tmp_path: Path) -> None:
    run("import_purchases", written(tmp_path, PURCHASES))
    weights = list(Affinity.objects.order_by("id").values_list("id", "weight"))

    again = run("import_purchases", written(tmp_path, PURCHASES))
    assert again.out == ["given.csv: 5 receipts read on 7 lines: 0 new, 0 changed, 2 same, 3 refused"]
    assert list(Affinity.objects.order_by("id").values_list("id", "weight")) == weights

    corrected = run("import_purchases", written(tmp_path, PURCHASES.replace(",2,199", ",3,199")))
    assert corrected.out == ["given.csv: 5 receipts read on 7 lines: 0 new, 1 changed, 1 same, 3 refused"]


@pytest.mark.parametrize("creates", [False, True])
def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path, creates: bool) -> None:
    before = table_counts()
    path = written(tmp_path, PURCHASES)

    dry = run("import_purchases", path, dry_run=True, create_customers=creates)

    assert table_counts() == before
    real = run("import_purchases", path, create_customers=creates)
    assert (dry.out[1:], dry.err) == (real.out, real.err)


def test_a_receipt_from_the_future_is_refused(tmp_path: Path) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    text = HEADER + f"R1,S1,C1,{ahead},EUR,3428270000013,1,99,,\n"

    told = run("import_purchases", written(tmp_path, text))

    assert [line.split(": ")[:2] for line in told.err] == [["line 2 S1/R1", "refused, dated_ahead"]]


def test_missing_columns_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="lacks the columns customer, currency"):
        run("import_purchases", written(tmp_path, HEADER.replace("customer,", "").replace("currency,", "")))


def receipts(count: int) -> Iterator[Given[ReceiptIn] | Refusal]:
    line = LineIn(gtin="3428270000013", quantity=1, unit_price_minor=99)  # type: ignore[arg-type]
    at = datetime(2026, 6, 1, tzinfo=UTC)
    for number in range(count):
        receipt = ReceiptIn(
            store_ref="S1",
            receipt=str(number),
            customer_ref=None,
            purchased_at=at,
            currency="EUR",
            lines=(line,),
        )
        yield Given(line=number, key=f"S1/{number}", value=receipt)


def test_memory_stays_the_same_however_long_the_file_is() -> None:
    def peak(count: int) -> int:
        sizes = set()
        tracemalloc.start()
        summary = run_import(
            entries=receipts(count),
            write=lambda batch: [sizes.add(len(batch)) or "new" for _ in batch],
            tell=lambda remark, is_refused: None,
        )
        _, found = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert summary.verdicts["new"] == count
        assert max(sizes) == BATCH_SIZE
        return found

    peak(2 * BATCH_SIZE)  # what is made once, is made now

    assert peak(40 * BATCH_SIZE) < 1.2 * peak(4 * BATCH_SIZE)
