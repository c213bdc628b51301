"""Receipts and products from lines."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.operations.receipts import LineIn, ReceiptIn
from offers.imports.product_rows import products_from_rows
from offers.imports.receipt_rows import MAX_LINES, receipts_from_rows
from offers.imports.rows import Row
from offers.imports.values import Given, Refusal, refuse
from offers.operations.catalogue import ProductIn

GTIN = "3023290001851"
LINE = {
    "receipt": "R1",
    "store": "S1",
    "customer": "C1",
    "purchased_at": "2026-06-01T10:00:00+02:00",
    "currency": "EUR",
    "gtin": GTIN,
    "quantity": "2",
    "unit_price_minor": "199",
    "category": "",
    "brand": "",
}
UNREAD = refuse(line=3, key="", code="malformed_csv", message="Not CSV.")


def rows(*changes: dict[str, str]) -> list[Row]:
    return [Row(line=number, values={**LINE, **change}) for number, change in enumerate(changes, start=2)]


def read(entries: Sequence[Row | Refusal]) -> list[Any]:
    return list(receipts_from_rows(entries))


def codes(entry: Any) -> list[tuple[int, str]]:
    assert isinstance(entry, Refusal)
    return [(remark.line, remark.code) for remark in entry.remarks]


def test_consecutive_lines_of_one_receipt_are_one() -> None:
    [first, second] = read(
        rows({}, {"quantity": "-0.350", "brand": "Danone"}, {"receipt": "R2", "customer": ""})
    )

    assert first == Given(
        line=2,
        key="S1/R1",
        lines=2,
        value=ReceiptIn(
            store_ref="S1",
            receipt="R1",
            customer_ref="C1",
            purchased_at=datetime(2026, 6, 1, 8, 0, tzinfo=UTC),
            currency="EUR",
            lines=(
                LineIn(gtin=GTIN, quantity=Decimal(2), unit_price_minor=199),
                LineIn(gtin=GTIN, quantity=Decimal("-0.35"), unit_price_minor=199, brand="Danone"),
            ),
        ),
    )
    assert (second.key, second.value.customer_ref) == ("S1/R2", None)


def test_the_time_is_moved_as_asked() -> None:
    [entry] = receipts_from_rows(rows({}), moved=lambda at: at + timedelta(weeks=2))

    assert isinstance(entry, Given)
    assert entry.value.purchased_at == datetime(2026, 6, 15, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"gtin": "3023290001850"}, "invalid_gtin"),
        ({"gtin": ""}, "gtin_missing"),
        ({"quantity": "0"}, "invalid_quantity"),
        ({"quantity": "1.2345"}, "invalid_quantity"),
        ({"quantity": "1e3"}, "invalid_quantity"),
        ({"quantity": "NaN"}, "invalid_quantity"),
        ({"unit_price_minor": "1.99"}, "invalid_unit_price_minor"),
        ({"unit_price_minor": "-1"}, "invalid_unit_price_minor"),
        ({"unit_price_minor": "1000000001"}, "invalid_unit_price_minor"),
        ({"category": "a/b"}, "invalid_category"),
        ({"brand": "b" * 129}, "brand_too_long"),
        ({"customer": "C2"}, "customer_differs"),
        ({"purchased_at": "2026-06-01T10:00:01+02:00"}, "purchased_at_differs"),
    ],
)
def test_a_broken_line_refuses_its_receipt_and_no_other(change: dict[str, str], code: str) -> None:
    before, broken, after = read(rows({"receipt": "R0"}, {}, change, {"receipt": "R2"}))

    assert (before.key, after.key) == ("S1/R0", "S1/R2")
    assert codes(broken) == [(4, code)]
    assert broken.lines == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"store": ""}, "store_missing"),
        ({"store": "a/b"}, "invalid_store"),
        ({"receipt": ""}, "receipt_missing"),
        ({"customer": "a/b"}, "invalid_customer"),
        ({"purchased_at": "2026-06-01 10:00"}, "invalid_purchased_at"),
        ({"purchased_at": "2026-06-01T10:00:00"}, "invalid_purchased_at"),
        ({"currency": "euro"}, "invalid_currency"),
    ],
)
def test_a_receipt_with_a_broken_head_is_refused_at_its_first_line(change: dict[str, str], code: str) -> None:
    [entry] = read(rows(change))

    assert codes(entry) == [(2, code)]


def test_a_receipt_with_an_unreadable_line_amid_it_is_refused() -> None:
    first, _, third = rows({}, {}, {})
    unread, entry = read([first, UNREAD, third])

    assert unread is UNREAD
    assert codes(entry) == [(4, "line_unreadable")]


def test_an_unreadable_line_between_two_receipts_is_refused_alone() -> None:
    first, _, third = rows({}, {}, {"receipt": "R2"})

    assert [getattr(entry, "key", "unread") for entry in read([first, UNREAD, third])] == [
        "unread",
        "S1/R1",
        "S1/R2",
    ]


def test_a_receipt_without_end_is_refused_and_not_kept_in_memory() -> None:
    [entry] = read(rows(*[{}] * (MAX_LINES + 500)))

    assert codes(entry) == [(MAX_LINES + 2, "too_many_lines")]
    assert entry.lines == MAX_LINES + 500


@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("12")), max_size=12))
def test_every_line_belongs_to_exactly_one_receipt(heads: list[tuple[str, str]]) -> None:
    entries = read(rows(*({"store": store, "receipt": receipt} for store, receipt in heads)))

    assert sum(entry.lines for entry in entries) == len(heads)
    assert all(left.key != right.key for left, right in itertools.pairwise(entries))


def product(**changes: str) -> Any:
    values = {"gtin": GTIN, "name": "Yaourt", "brand": "", "category": "", "price_minor": "", "currency": ""}
    [entry] = products_from_rows([Row(line=2, values={**values, **changes})])
    return entry


def test_a_product_needs_a_gtin_and_a_name_alone() -> None:
    assert product().value == ProductIn(
        gtin=GTIN, name="Yaourt", brand=None, category=None, price_minor=None, currency="EUR", image_url=""
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"gtin": "3023290001852"}, "invalid_gtin"),
        ({"gtin": "123"}, "invalid_gtin"),
        ({"name": ""}, "name_missing"),
        ({"name": "n" * 301}, "name_too_long"),
        ({"price_minor": "1,99"}, "invalid_price_minor"),
        ({"price_minor": str(2**31)}, "invalid_price_minor"),
        ({"currency": "eur"}, "invalid_currency"),
        ({"image_url": "javascript:alert(1)"}, "invalid_image_url"),
        ({"category": "c" * 65}, "invalid_category"),
    ],
)
def test_what_cannot_be_a_product_is_refused_by_name(changes: dict[str, str], code: str) -> None:
    assert codes(product(**changes)) == [(2, code)]
