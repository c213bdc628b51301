"""What counts towards an offer follows the catalogue, and a rebuild changes nothing that is right already."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import pytest
from django.test.utils import CaptureQueriesContext

from offers.models import Category, Offer, OfferAffinityKey, Product
from offers.operations.targets import refresh_targets
from tests.integration.decisions.shop import YOGHURT, make_category, make_offer, make_product

pytestmark = pytest.mark.django_db


def keys_of(offer: Offer) -> set[tuple[str, str, bool]]:
    return set(OfferAffinityKey.objects.filter(offer=offer).values_list("kind", "key", "is_exact"))


def aisles_of(offer: Offer) -> set[str]:
    return set(offer.aisle_categories.values_list("ref", flat=True))


@pytest.fixture
def tree() -> dict[str, Category]:
    food = make_category(ref="food")
    dairy = make_category(ref="dairy", parent=food)
    yoghurts = make_category(ref="yoghurts", parent=dairy)
    greek = make_category(ref="greek", parent=yoghurts)
    return {
        "food": food,
        "dairy": dairy,
        "yoghurts": yoghurts,
        "greek": greek,
        "wine": make_category(ref="wine"),
    }


def test_a_category_counts_its_subtree_and_fires_up_and_down_the_tree(
    now: datetime, tree: dict[str, Category]
) -> None:
    offer = make_offer(now=now, target_category=tree["yoghurts"])
    assert keys_of(offer) == {("category", "yoghurts", True), ("category", "greek", True)}
    assert aisles_of(offer) == {"food", "dairy", "yoghurts", "greek"}


def test_a_product_counts_itself_and_its_brand_more_widely(now: datetime, tree: dict[str, Category]) -> None:
    make_product(gtin=YOGHURT, brand="Danoné!", category=tree["yoghurts"], now=now)
    offer = make_offer(now=now, target_gtins=[YOGHURT, "40000000"])
    assert keys_of(offer) == {
        ("product", YOGHURT, True),
        ("product", "40000000", True),
        ("brand", "danone", False),
    }
    assert aisles_of(offer) == {"food", "dairy", "yoghurts", "greek"}


def test_a_brand_counts_its_folded_name_and_fires_where_its_products_stand(
    now: datetime, tree: dict[str, Category]
) -> None:
    make_product(gtin=YOGHURT, brand="Danone", category=tree["greek"], now=now)
    make_product(gtin="40000000", brand="Yoplait", category=tree["wine"], now=now)
    offer = make_offer(now=now, target_brand="  DANONE ")
    assert keys_of(offer) == {("brand", "danone", True)}
    assert aisles_of(offer) == {"food", "dairy", "yoghurts", "greek"}


def test_nothing_known_of_the_target_means_any_aisle(now: datetime) -> None:
    assert aisles_of(make_offer(now=now, target_brand="Unheard of")) == set()


def test_a_product_that_moves_takes_its_offers_along(now: datetime, tree: dict[str, Category]) -> None:
    product = make_product(gtin=YOGHURT, brand="Danone", category=tree["greek"], now=now)
    offer = make_offer(now=now, target_gtins=[YOGHURT])
    other = make_offer(now=now, ref="other", target_category=tree["wine"])
    Product.objects.filter(pk=product.pk).update(category=tree["wine"], brand=None)
    refresh_targets([offer.pk])
    assert keys_of(offer) == {("product", YOGHURT, True)}
    assert aisles_of(offer) == {"wine"}
    assert keys_of(other) == {("category", "wine", True)}


def test_a_rebuild_of_all_costs_as_many_queries_as_of_one_and_writes_nothing_anew(
    now: datetime,
    tree: dict[str, Category],
    count_queries: Callable[[], AbstractContextManager[CaptureQueriesContext]],
) -> None:
    offers = [make_offer(now=now, ref=f"o{number}", target_category=tree["dairy"]) for number in range(5)]
    before = list(OfferAffinityKey.objects.order_by("id").values_list("id", flat=True))
    with count_queries() as one:
        refresh_targets([offers[0].pk])
    with count_queries() as every:
        refresh_targets()
    assert len(one) == len(every)
    assert list(OfferAffinityKey.objects.order_by("id").values_list("id", flat=True)) == before
