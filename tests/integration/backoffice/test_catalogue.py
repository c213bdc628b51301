"""Categories and products through the back office's doors, and what they do to offers."""

from typing import Any

import pytest

from offers.models import Aisle, Brand, Category, Offer, Product
from tests.integration.backoffice.office import CIRCLE, OFFER, Office, codes, statuses

GTIN = "3033490004521"
OTHER = "96385074"
NO_FLAGS = {"goods": None, "never_targeted": None}


def keys_of(offer: str) -> set[tuple[str, str, bool]]:
    rows = Offer.objects.get(ref=offer).affinity_keys.values_list("kind", "key", "is_exact")
    return set(rows)


def test_a_category_is_created_then_updated(office: Office) -> None:
    assert office.put("categories/food", {"name": "Food"}) == (
        201,
        {"ref": "food", "name": "Food", "parent": None, **NO_FLAGS},
    )
    dairy = {"ref": "dairy", "name": "Dairy", "parent": "food", **NO_FLAGS}
    assert office.put("categories/dairy", {"name": "Dairy", "parent": "food"}) == (201, dairy)
    assert office.put("categories/dairy", {"name": "Dairy", "parent": "food"}) == (200, dairy)
    assert office.get("categories/dairy") == (200, dairy)
    assert [row["ref"] for row in office.get("categories")[1]["results"]] == ["food", "dairy"]


@pytest.mark.parametrize(
    ("ref", "body", "errors"),
    [
        ("food", {"name": "Food", "parent": "milk"}, [("parent", "category_cycle")]),
        ("food", {"name": "Food", "parent": "food"}, [("parent", "category_cycle")]),
        ("new", {"name": "New", "parent": "new"}, [("parent", "category_cycle")]),
        ("new", {"name": "New", "parent": "nothing"}, [("parent", "unknown_category")]),
        ("x" * 65, {"name": "New"}, [("ref", "invalid_ref")]),
        ("new", {}, [("name", "required")]),
    ],
)
def test_a_category_that_breaks_the_tree_is_refused(
    office: Office, ref: str, body: Any, errors: list[tuple[str, str]]
) -> None:
    office.put("categories/food", {"name": "Food"})
    office.put("categories/milk", {"name": "Milk", "parent": "food"})
    assert codes(office.put(f"categories/{ref}", body)) == (400, "invalid", errors)
    assert sorted(Category.objects.values_list("ref", "parent__ref")) == [("food", None), ("milk", "food")]


def test_the_tree_goes_sixteen_levels_deep_also_when_a_branch_moves(office: Office) -> None:
    for i in range(16):
        parent = f"c{i - 1}" if i else None
        assert office.put(f"categories/c{i}", {"name": "C", "parent": parent})[0] == 201
    deeper = office.put("categories/c16", {"name": "C", "parent": "c15"})
    assert codes(deeper) == (400, "invalid", [("parent", "category_too_deep")])
    office.put("categories/top", {"name": "Top"})
    moved = office.put("categories/c0", {"name": "C", "parent": "top"})
    assert codes(moved) == (400, "invalid", [("parent", "category_too_deep")])


def test_a_category_in_use_is_not_deleted(office: Office) -> None:
    office.put("categories/food", {"name": "Food"})
    office.put("categories/dairy", {"name": "Dairy", "parent": "food"})
    office.put("stores/S1", CIRCLE)
    office.put("stores/S1/aisles/fresh", {"name": "Fresh", "categories": ["dairy"]})
    assert codes(office.delete("categories/food")) == (409, "in_use", [])
    assert codes(office.delete("categories/dairy")) == (409, "in_use", [])
    assert Aisle.objects.get().categories.count() == 1
    office.put("stores/S1/aisles/fresh", {"name": "Fresh"})
    assert office.delete("categories/dairy") == (204, None)
    assert codes(office.delete("categories/dairy")) == (404, "not_found", [])


def test_a_product_brings_its_brand_in_any_spelling(office: Office) -> None:
    office.put("categories/dairy", {"name": "Dairy"})
    body = {"name": "Yoghurt", "brand": "Alsace Lait", "category": "dairy", "price_minor": 249}
    whole = {**body, "gtin": GTIN, "currency": "EUR", "image_url": None}
    assert office.put(f"products/{GTIN}", body) == (201, whole)
    assert office.put(f"products/{GTIN}", {**body, "price_minor": 259}) == (
        200,
        {**whole, "price_minor": 259},
    )
    assert office.get(f"products/{GTIN}") == (200, {**whole, "price_minor": 259})
    office.put(f"products/{OTHER}", {"name": "Other", "brand": "ALSACE LAIT"})
    assert list(Brand.objects.values_list("name", flat=True)) == ["Alsace Lait"]
    assert office.delete(f"products/{OTHER}") == (204, None)
    assert codes(office.get(f"products/{OTHER}")) == (404, "not_found", [])


@pytest.mark.parametrize(
    ("gtin", "body", "errors"),
    [
        ("3033490004522", {"name": "Y"}, [("gtin", "invalid_gtin")]),
        ("yoghurt", {"name": "Y"}, [("gtin", "invalid_gtin")]),
        (GTIN, {"name": "Y", "category": "nothing"}, [("category", "unknown_category")]),
        (GTIN, {"name": "Y", "price_minor": 2.5}, [("price_minor", "invalid")]),
        (GTIN, {"name": "Y", "price_minor": -1}, [("price_minor", "min_value")]),
        (GTIN, {"name": "Y", "currency": "eur"}, [("currency", "invalid_currency")]),
        (GTIN, {"name": "Y", "image_url": "javascript:alert(1)"}, [("image_url", "invalid")]),
        (GTIN, {"name": "Y", "gtin": GTIN}, [("gtin", "unknown_field")]),
    ],
)
def test_a_bad_product_is_refused_by_field(
    office: Office, gtin: str, body: Any, errors: list[tuple[str, str]]
) -> None:
    assert codes(office.put(f"products/{gtin}", body)) == (400, "invalid", errors)
    assert not Product.objects.exists()


def test_products_in_bulk_are_judged_alone_in_a_fixed_number_of_queries(
    office: Office, count_queries: Any
) -> None:
    lines = [
        {"gtin": GTIN, "name": "Yoghurt", "brand": "Alsace Lait"},
        {"gtin": "1", "name": "No"},
        {"gtin": OTHER, "name": "Other", "category": "nothing"},
        {"gtin": OTHER, "name": "Other", "brand": "alsace lait"},
    ]
    assert statuses(office.bulk("products/bulk", lines)) == [
        (1, "created", None),
        (2, "rejected", "invalid"),
        (3, "rejected", "invalid"),
        (4, "created", None),
    ]
    gtins = [
        f"{i:07d}{(10 - sum(int(d) * (3, 1)[k % 2] for k, d in enumerate(f'{i:07d}'))) % 10}"
        for i in range(1, 60)
    ]
    with count_queries() as few:
        office.bulk("products/bulk", [{"gtin": gtin, "name": "P", "brand": "B"} for gtin in gtins[:2]])
    with count_queries() as many:
        office.bulk("products/bulk", [{"gtin": gtin, "name": "P", "brand": "B"} for gtin in gtins[2:]])
    assert len(few) == len(many)


def test_categories_in_bulk_come_parents_first(office: Office) -> None:
    lines = [
        {"ref": "b", "name": "B", "parent": "a"},
        {"ref": "a", "name": "A"},
        {"ref": "c", "name": "C", "parent": "a"},
    ]
    assert statuses(office.bulk("categories/bulk", lines)) == [
        (1, "rejected", "invalid"),
        (2, "created", None),
        (3, "created", None),
    ]


def test_offers_follow_the_catalogue(office: Office) -> None:
    office.put("categories/dairy", {"name": "Dairy"})
    for ref, target in (("by-gtin", {"gtins": [GTIN]}), ("by-category", {"category": "dairy"})):
        assert office.put(f"offers/{ref}", {**OFFER, "target": target})[0] == 201
        assert office.post(f"offers/{ref}/publish")[0] == 200
    assert keys_of("by-gtin") == {("product", GTIN, True)}
    assert keys_of("by-category") == {("category", "dairy", True)}

    office.put(f"products/{GTIN}", {"name": "Yoghurt", "brand": "Alsace Lait", "category": "dairy"})
    key = Brand.objects.get().key
    assert keys_of("by-gtin") == {("product", GTIN, True), ("brand", key, False)}
    assert [c.ref for c in Offer.objects.get(ref="by-gtin").aisle_categories.all()] == ["dairy"]

    office.put("categories/yoghurt", {"name": "Yoghurt", "parent": "dairy"})
    assert keys_of("by-category") == {("category", "dairy", True), ("category", "yoghurt", True)}
    assert office.delete(f"products/{GTIN}") == (204, None)
    assert keys_of("by-gtin") == {("product", GTIN, True)}
