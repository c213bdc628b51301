"""Receipts from the tills: one result each, and what the catalogue knows filled in."""

from typing import Any

from customers.models import Affinity, Purchase, PurchaseLine
from tests.integration.backoffice.office import Office, codes

GTIN = "3033490004521"


def receipt(number: str, **changed: Any) -> dict[str, Any]:
    line = {"gtin": GTIN, "quantity": 2, "unit_price_minor": 249}
    return {
        "receipt": number,
        "store": "S1",
        "customer": None,
        "purchased_at": "2026-06-16T18:00:00+02:00",
        "currency": "EUR",
        "lines": [line],
        **changed,
    }


def result(
    number: str | None, status: str, error: str | None = None, corrected: bool = False
) -> tuple[Any, ...]:
    return number, "S1", status, error, corrected


def results(answer: tuple[int, Any]) -> list[tuple[Any, ...]]:
    status, body = answer
    assert status == 200
    names = ("receipt", "store", "status", "error", "corrected")
    return [tuple(row[name] for name in names) for row in body["results"]]


def test_each_receipt_is_judged_alone(office: Office) -> None:
    office.put("customers/C1", {})
    given = [
        receipt("R1", customer="C1"),
        receipt("R2", customer="nobody"),
        receipt("R3", lines=[]),
        "no receipt",
        receipt("R1", customer="C1"),
        receipt("R4", lines=[{"gtin": "123", "quantity": 1, "unit_price_minor": 1}]),
        receipt("R1", customer="C1", currency="CHF"),
        receipt("R5", lines=[{"gtin": GTIN, "quantity": -0.25, "unit_price_minor": 100}]),
        receipt("R6", colour="red"),
        receipt("R7", lines=[{"gtin": GTIN, "quantity": True, "unit_price_minor": 100}]),
    ]
    answer = office.post("purchases", {"purchases": given})
    assert results(answer) == [
        result("R1", "accepted"),
        result("R2", "rejected", "unknown_customer"),
        result("R3", "rejected", "invalid"),
        (None, None, "rejected", "invalid", False),
        result("R1", "duplicate"),
        result("R4", "rejected", "invalid"),
        result("R1", "accepted", corrected=True),
        result("R5", "accepted"),
        result("R6", "rejected", "invalid"),
        result("R7", "rejected", "invalid"),
    ]
    assert answer[1]["results"][5]["errors"][0]["field"] == "lines.0.gtin"
    assert answer[1]["results"][8]["errors"][0]["code"] == "unknown_field"
    assert sorted(Purchase.objects.values_list("receipt", "currency")) == [("R1", "CHF"), ("R5", "EUR")]


def test_a_missing_category_or_brand_is_filled_from_the_catalogue(office: Office) -> None:
    office.put("categories/dairy", {"name": "Dairy"})
    office.put(f"products/{GTIN}", {"name": "Yoghurt", "brand": "Alsace Lait", "category": "dairy"})
    office.put("customers/C1", {})
    line = {"gtin": GTIN, "quantity": 1, "unit_price_minor": 249}
    lines = [line, {**line, "brand": "Own", "category": "other"}]
    assert results(office.post("purchases", {"purchases": [receipt("R1", customer="C1", lines=lines)]})) == [
        result("R1", "accepted")
    ]
    assert list(PurchaseLine.objects.order_by("position").values_list("brand", "category_ref")) == [
        ("Alsace Lait", "dairy"),
        ("Own", "other"),
    ]
    assert Affinity.objects.filter(kind="category", key="dairy").exists()


def test_a_key_limited_to_stores_records_for_no_other(office: Office) -> None:
    limited = Office(stores=("S1",))
    answer = limited.post("purchases", {"purchases": [receipt("R1"), receipt("R2", store="S2")]})
    assert results(answer) == [result("R1", "accepted"), ("R2", "S2", "rejected", "not_found", False)]
    assert Purchase.objects.count() == 1


def test_a_body_of_no_or_of_too_many_receipts_is_refused(office: Office) -> None:
    assert codes(office.post("purchases", {})) == (400, "invalid", [("purchases", "required")])
    assert codes(office.post("purchases", {"purchases": []})) == (
        400,
        "invalid",
        [("purchases", "min_length")],
    )
    many = office.post("purchases", {"purchases": [{}] * 1001})
    assert codes(many) == (400, "invalid", [("purchases", "max_length")])
    assert codes(office.post("purchases", b'{"purchases": [' + b" " * 17 * 2**20 + b"]}")) == (
        413,
        "too_large",
        [],
    )


def test_the_queries_do_not_grow_with_the_receipts(office: Office, count_queries: Any) -> None:
    office.put("customers/C1", {})
    with count_queries() as few:
        office.post("purchases", {"purchases": [receipt(f"A{i}", customer="C1") for i in range(2)]})
    with count_queries() as many:
        office.post("purchases", {"purchases": [receipt(f"B{i}", customer="C1") for i in range(60)]})
    assert len(few) == len(many)
