"""The legal guard at each decision: facts that changed since publishing, age, and what a coupon says of its price."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test.utils import override_settings

from offers.models import Coupon, Decision, Exposure, OutboxMessage
from offers.operations.catalogue import CategoryIn, ProductIn, put_categories, put_products
from offers.operations.legal import refresh_legal
from tests.integration.decisions.shop import (
    YOGHURT,
    make_aisle,
    make_buyer,
    make_category,
    make_customer,
    make_offer,
    make_product,
    make_store,
    run,
    trigger_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(now: datetime) -> dict[str, Any]:
    """An aisle, a yoghurt at 3.00, and an offer of 0.90 off it, looked at by the guard."""
    store = make_store(now=now)
    dairy = make_category(ref="dairy")
    make_product(gtin=YOGHURT, brand="Danone", category=dairy, now=now)
    put_price(300, now=now - timedelta(days=60))
    offer = make_offer(
        now=now, target_gtins=[YOGHURT], benefit_kind="amount", benefit_value=90, trigger_places="store"
    )
    refresh_legal([offer.pk], now=now)
    return {"store": store, "offer": offer, "aisle": make_aisle(store=store, now=now)}


def put_price(price: int, *, now: datetime) -> None:
    product = ProductIn(
        gtin=YOGHURT,
        name="Yaourt",
        brand="Danone",
        category="dairy",
        price_minor=price,
        currency="EUR",
        image_url="",
    )
    put_products(products=[product], now=now)


def decide(shop: dict[str, Any], *, now: datetime, **customer: Any) -> Any:
    buyer = make_buyer(now=now, **customer)
    [made] = run([trigger_of(buyer, store=shop["store"], now=now)], now=now)
    return made


def nothing_went_out() -> bool:
    return not (Coupon.objects.exists() or Exposure.objects.exists() or OutboxMessage.objects.exists())


def test_an_offer_within_the_law_is_issued_with_the_price_that_must_be_shown(
    shop: dict[str, Any], now: datetime
) -> None:
    made = decide(shop, now=now)
    assert made.reason == "issued"
    price = {"gtin": YOGHURT, "price_minor": 300, "currency": "EUR"}
    assert list(made.coupon.reference_prices) == [price]
    assert Coupon.objects.get().terms["reference_prices"] == [price]
    assert "rule" not in Decision.objects.get().candidates[0]


def test_a_price_that_fell_since_publishing_stops_the_offer(shop: dict[str, Any], now: datetime) -> None:
    put_price(200, now=now)
    made = decide(shop, now=now)
    assert (made.outcome, made.reason, made.coupon) == ("none", "legal_guard", None)
    [candidate] = Decision.objects.get().candidates
    assert (candidate["reason"], candidate["rule"]) == ("legal_guard", "promotion_cap")
    assert nothing_went_out()
    put_price(300, now=now + timedelta(minutes=1))
    assert decide(shop, now=now + timedelta(minutes=2), ref="C2").reason == "issued"


def test_a_category_flagged_since_publishing_stops_the_offer(shop: dict[str, Any], now: datetime) -> None:
    flagged = CategoryIn(ref="dairy", name="Dairy", parent=None, flags={"never_targeted": "health"})
    put_categories(categories=[flagged], now=now)
    assert decide(shop, now=now).reason == "legal_guard"
    assert Decision.objects.get().candidates[0]["rule"] == "sensitive_target"
    assert nothing_went_out()


def test_settings_and_dates_count_at_once_without_looking_at_the_facts_again(
    shop: dict[str, Any], now: datetime
) -> None:
    with override_settings(RAYON={**settings.RAYON, "legal_food_promotion_share": 0.25}):
        assert decide(shop, now=now).reason == "legal_guard"
    over = {**settings.RAYON, "legal_food_promotion_share": 0.25, "legal_promotion_cap_until": now.date()}
    with override_settings(RAYON=over):
        assert decide(shop, now=now, ref="C2").reason == "legal_guard"
        assert decide(shop, now=now + timedelta(days=1), ref="C3").reason == "issued"


def test_the_law_is_asked_before_any_history_is_read(shop: dict[str, Any], now: datetime) -> None:
    put_price(200, now=now)
    neighbour = make_customer(now=now, ref="N")
    [made] = run([trigger_of(neighbour, store=shop["store"], now=now)], now=now)
    assert made.reason == "legal_guard"


def test_somebody_who_may_be_under_15_reads_the_rule(shop: dict[str, Any], now: datetime) -> None:
    assert decide(shop, now=now, birth_year=2011).reason == "legal_guard"
    assert Decision.objects.get().candidates[0]["rule"] == "minors"
    with override_settings(RAYON={**settings.RAYON, "legal_rules_off": frozenset({"minors"})}):
        assert decide(shop, now=now, ref="C2", birth_year=2011).reason == "issued"


@pytest.mark.parametrize(
    ("language", "notice"),
    [
        ("fr", "Prix personnel ; le prix de base est le même pour tous."),
        ("en", "A personal price; the base price is the same for everybody."),
    ],
)
def test_a_personal_price_is_said_to_be_one(now: datetime, language: str, notice: str) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store")
    [made] = run([trigger_of(make_buyer(now=now, language=language), store=store, now=now)], now=now)
    assert made.coupon is not None
    assert made.coupon.notice == notice
    assert made.coupon.reason.endswith(notice)
    assert Coupon.objects.get().terms["notice"] == notice


def test_a_price_open_to_everybody_is_not_called_personal(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store", min_affinity_share=0.0)
    [made] = run([trigger_of(make_customer(now=now), store=store, now=now)], now=now)
    assert made.coupon is not None
    assert (made.coupon.notice, made.coupon.reason) == (
        "",
        "Cette offre est ouverte à tous les clients de ce magasin.",
    )


def test_the_reason_never_outgrows_its_column(now: datetime) -> None:
    store = make_store(now=now)
    category = make_category(ref="x" * 64)
    category.name = "y" * 200
    category.save()
    make_offer(
        now=now, trigger_places="store", target_category=category, segments=["s"], min_affinity_share=0.0
    )
    buyer = make_buyer(now=now, segments=["s"])
    [made] = run([trigger_of(buyer, store=store, now=now)], now=now)
    assert made.coupon is not None
    assert len(made.coupon.reason) <= 300
    assert made.coupon.reason.endswith("le prix de base est le même pour tous.")
