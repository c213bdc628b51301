"""manage.py import_products, against the database."""

from pathlib import Path

import pytest
from django.core.management.base import CommandError

from offers.models import Brand, Category, Product
from tests.integration.imports.commands import run, table_counts, written

pytestmark = pytest.mark.django_db

PRODUCTS = """gtin,name,brand,category,price_minor,currency,image_url
3023290001851,Yaourt nature,Nestlé,yaourts,199,EUR,
3023290001850,Faux,Nestlé,yaourts,199,EUR,
3033490004521,Yaourt choco,NESTLE,yaourts,,,https://example.org/y.jpg
3428270000013,Lait,,lait,99,EUR,
"""
CATEGORIES = """ref,name,parent
frais,Frais,
yaourts,Yaourts,frais
skyrs,Skyrs,nowhere
"""


def lines(told: list[str]) -> list[str]:
    return [line.partition(": ")[2] or line for line in told]


def test_products_go_to_known_categories_and_others_are_refused(tmp_path: Path) -> None:
    Category.objects.create(ref="yaourts", name="Yaourts")

    told = run("import_products", written(tmp_path, PRODUCTS))

    assert lines(told.out) == ["4 products read: 2 new, 0 changed, 0 same, 2 refused"]
    assert [line.split(": ")[:2] for line in told.err] == [
        ["line 3 3023290001850", "refused, invalid_gtin"],
        ["line 5 3428270000013", "refused, unknown_category"],
    ]
    rows = Product.objects.order_by("gtin").values_list(
        "gtin", "name", "brand__name", "category__ref", "price_minor"
    )
    assert list(rows) == [
        ("3023290001851", "Yaourt nature", "Nestlé", "yaourts", 199),
        ("3033490004521", "Yaourt choco", "Nestlé", "yaourts", None),
    ]
    assert Brand.objects.count() == 1


def test_a_file_of_categories_comes_first(tmp_path: Path) -> None:
    categories = written(tmp_path, CATEGORIES, "categories.csv")

    told = run("import_products", written(tmp_path, PRODUCTS), categories=categories)

    assert lines(told.out) == [
        "3 categories read: 2 new, 0 changed, 0 same, 1 refused",
        "4 products read: 2 new, 0 changed, 0 same, 2 refused",
    ]
    assert list(Category.objects.order_by("ref").values_list("ref", "parent__ref")) == [
        ("frais", None),
        ("yaourts", "frais"),
    ]


def test_missing_categories_are_made_where_that_is_wanted(tmp_path: Path) -> None:
    told = run("import_products", written(tmp_path, PRODUCTS), create_categories=True)

    assert lines(told.out) == [
        "2 categories made by the way",
        "4 products read: 3 new, 0 changed, 0 same, 1 refused",
    ]
    assert list(Category.objects.order_by("ref").values_list("ref", "name")) == [
        ("lait", "lait"),
        ("yaourts", "yaourts"),
    ]


def test_a_second_run_finds_nothing_new_and_touches_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, PRODUCTS)
    run("import_products", path, create_categories=True)
    before = list(Product.objects.order_by("id").values_list("gtin", "updated_at"))

    told = run("import_products", path, create_categories=True)

    assert lines(told.out) == ["4 products read: 0 new, 0 changed, 3 same, 1 refused"]
    assert list(Product.objects.order_by("id").values_list("gtin", "updated_at")) == before


@pytest.mark.parametrize("creates", [False, True])
def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path, creates: bool) -> None:
    before = table_counts()
    path = written(tmp_path, PRODUCTS)
    options = {"categories": written(tmp_path, CATEGORIES, "categories.csv"), "create_categories": creates}

    dry = run("import_products", path, dry_run=True, **options)

    assert table_counts() == before
    real = run("import_products", path, **options)
    assert (dry.out[1:], dry.err) == (real.out, real.err)


def test_missing_columns_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="lacks the columns gtin; it has ean, name") as caught:
        run("import_products", written(tmp_path, "ean,name\n"))
    assert caught.value.returncode == 1
