"""Stores with one fence, aisles with their beacons, and a catalogue that is written through its operations."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from offers.models import Aisle, Beacon, Category, Product, Store
from offers.operations.staff import MARKETERS, STORE_MANAGERS
from tests.integration.admin.rows import a_category, a_product, a_store, an_aisle

pytestmark = pytest.mark.django_db

SQUARE = [[2.33, 48.85], [2.331, 48.85], [2.331, 48.851], [2.33, 48.851], [2.33, 48.85]]
BOW_TIE = [[2.33, 48.85], [2.331, 48.851], [2.331, 48.85], [2.33, 48.851], [2.33, 48.85]]
UUID = "f7826da6-4fa2-4e98-8024-bc5b71e0893e"


def polygon(ring: Any) -> str:
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def a_form(**changed: Any) -> dict[str, Any]:
    return {
        "ref": "s-new",
        "name": "Rue de Rennes",
        "address": "",
        "time_zone": "Europe/Paris",
        "opening_hours": "Mo-Sa 08:00-20:30",
        "lat": "48.85",
        "lon": "2.33",
        "location": "",
        "radius_m": "60",
        "area": "",
        **changed,
    }


def errors(answer: Any) -> set[str]:
    return set(answer.context["adminform"].form.errors)


def test_a_round_store_is_where_it_was_typed(boss: Client) -> None:
    answer = boss.post(reverse("admin:offers_store_add"), a_form())
    assert answer.status_code == 302, errors(answer)
    store = Store.objects.get(ref="s-new")
    assert (store.location.y, store.location.x, store.radius_m, store.area) == (48.85, 2.33, 60.0, None)


def test_a_drawn_store_stands_in_the_middle_of_its_area(boss: Client) -> None:
    form = a_form(lat="", lon="", radius_m="", area=polygon(SQUARE))
    answer = boss.post(reverse("admin:offers_store_add"), form)
    assert answer.status_code == 302, errors(answer)
    store = Store.objects.get(ref="s-new")
    assert (round(store.location.y, 4), round(store.location.x, 4)) == (48.8505, 2.3305)
    assert store.radius_m is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"area": polygon(SQUARE)}, "radius_m"),
        ({"radius_m": ""}, "radius_m"),
        ({"radius_m": "", "area": polygon(BOW_TIE)}, "area"),
        ({"radius_m": "", "area": polygon([[0, 0], [9, 0], [9, 9], [0, 0]])}, "area"),
        ({"lat": "", "lon": ""}, "lat"),
        ({"lat": "91"}, "lat"),
        ({"opening_hours": "when we like"}, "opening_hours"),
        ({"radius_m": "20000"}, "radius_m"),
        ({"ref": "a/b"}, "ref"),
    ],
)
def test_a_fence_that_cannot_be_is_refused_beside_its_field(
    boss: Client, wrong: dict[str, str], field: str
) -> None:
    answer = boss.post(reverse("admin:offers_store_add"), a_form(**wrong))
    assert answer.status_code == 200
    assert field in errors(answer)
    assert not Store.objects.exists()


def test_a_store_manager_moves_a_store_on_the_map(sign_in: Callable[[str], Client], now: datetime) -> None:
    store = a_store(now=now)
    moved = json.dumps({"type": "Point", "coordinates": [2.4, 48.9]})
    form = a_form(location=moved, radius_m="80")
    url = reverse("admin:offers_store_change", args=[store.pk])
    answer = sign_in(STORE_MANAGERS).post(url, form)
    assert answer.status_code == 302, errors(answer)
    store.refresh_from_db()
    assert (store.location.x, store.location.y, store.radius_m) == (2.4, 48.9, 80.0)
    assert store.ref != "s-new"  # a key never changes


def test_a_removed_store_is_gone_from_the_list_and_kept_in_the_ledger(boss: Client, now: datetime) -> None:
    store = a_store(now=now)
    boss.post(reverse("admin:offers_store_delete", args=[store.pk]), {"post": "yes"})
    store.refresh_from_db()
    assert store.removed_at is not None
    assert boss.get(reverse("admin:offers_store_change", args=[store.pk])).status_code == 302


def test_beacons_are_pasted_one_per_line(sign_in: Callable[[str], Client], now: datetime) -> None:
    store, category = a_store(now=now), a_category(now=now)
    form = {
        "store": store.pk,
        "ref": "fresh",
        "name": "Frais",
        "categories": [category.pk],
        "beacon_lines": f"{UUID}, 1, 2\n{UUID} 1 3\n{UUID};1;3\n\n",
        "dwell_s": "",
        "area": "",
    }
    manager = sign_in(STORE_MANAGERS)
    answer = manager.post(reverse("admin:offers_aisle_add"), form)
    assert answer.status_code == 302, errors(answer)
    aisle = Aisle.objects.get()
    assert list(aisle.beacons.order_by("minor").values_list("major", "minor")) == [(1, 2), (1, 3)]
    assert list(aisle.categories.all()) == [category]

    taken = manager.post(reverse("admin:offers_aisle_add"), {**form, "ref": "frozen"})
    assert errors(taken) == {"beacon_lines"}
    assert Beacon.objects.count() == 2

    bad = manager.post(
        reverse("admin:offers_aisle_add"), {**form, "ref": "frozen", "beacon_lines": "a, 1, 2"}
    )
    assert errors(bad) == {"beacon_lines"}


def test_an_aisle_that_is_removed_frees_its_beacons(boss: Client, now: datetime) -> None:
    aisle = an_aisle(now=now)
    boss.post(reverse("admin:offers_aisle_delete", args=[aisle.pk]), {"post": "yes"})
    aisle.refresh_from_db()
    assert aisle.removed_at is not None
    assert not Beacon.objects.exists()


def test_a_product_brings_its_brand(sign_in: Callable[[str], Client]) -> None:
    form = {
        "gtin": "3033490004521",
        "name": "Yaourt",
        "brand_name": "Danone",
        "price": "1.49",
        "image_url": "",
    }
    answer = sign_in(MARKETERS).post(reverse("admin:offers_product_add"), {**form, "category": ""})
    assert answer.status_code == 302, errors(answer)
    product = Product.objects.get()
    assert (product.brand.name, product.price_minor, product.currency) == ("Danone", 149, "EUR")


def test_a_product_keeps_what_was_not_touched(boss: Client, now: datetime) -> None:
    product = a_product(now=now, price_minor=149, brand_name="Danone")
    url = reverse("admin:offers_product_change", args=[product.pk])
    form = boss.get(url).context["adminform"].form
    typed = {name: form[name].value() or "" for name in form.fields}
    assert str(typed["price"]) == "1.49"
    assert boss.post(url, {**typed, "name": "Yaourt nature"}).status_code == 302
    before = (product.brand_id, product.category_id, product.price_minor)
    product.refresh_from_db()
    assert (product.name, (product.brand_id, product.category_id, product.price_minor)) == (
        "Yaourt nature",
        before,
    )


def test_a_category_under_itself_is_refused_in_a_sentence(boss: Client, now: datetime) -> None:
    child = a_category(now=now)
    parent = child.parent
    url = reverse("admin:offers_category_change", args=[parent.pk])
    answer = boss.post(url, {"ref": parent.ref, "name": parent.name, "parent": child.pk})
    assert answer.context["adminform"].form.errors == {
        "parent": ["A category cannot stand under itself: choose another parent."]
    }


def test_a_category_in_use_is_not_deleted_and_says_why(boss: Client, now: datetime) -> None:
    category = a_product(now=now).category
    url = reverse("admin:offers_category_delete", args=[category.pk])
    assert "is in use: first move its products" in boss.get(url).content.decode()
    assert (
        boss.post(url, {"post": "yes"}).status_code == 403 or Category.objects.filter(pk=category.pk).exists()
    )
    assert Category.objects.filter(pk=category.pk).exists()
