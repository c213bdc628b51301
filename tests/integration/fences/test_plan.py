"""GET /v1/geofences: which places a phone watches, and how far it may walk before it asks again."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.gis.geos import Point, Polygon
from geopy.distance import geodesic
from rest_framework.test import APIClient

from customers.models import AffinityKind
from offers.models import Aisle, Beacon, Offer, OfferStore, Presence, Store
from offers.queries import fences as queries
from offers.queries.fences import plan_fences
from offers.rules.fence_plan import MAX_RING_M
from tests.integration.customers.factories import token_client
from tests.integration.decisions import shop

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
LAT, LON = 48.85, 2.35
M = 1 / 111_200  # degrees of latitude in a metre
UUID_ONE, UUID_TWO = UUID(int=1), UUID(int=2)


def make_store(ref: str, *, north_m: float = 0.0, radius_m: float = 60.0, **changed: Any) -> Store:
    at = Point(LON, LAT + north_m * M, srid=4326)
    return shop.make_store(now=NOW, ref=ref, location=at, radius_m=radius_m, **changed)


def make_square(ref: str, *, north_m: float, half_m: float, **changed: Any) -> Store:
    return make_store(
        ref, north_m=north_m, radius_m=None, area=square(north_m=north_m, half_m=half_m), **changed
    )


def square(*, north_m: float, half_m: float) -> Polygon:
    lat, wide = LAT + north_m * M, half_m * M / math.cos(math.radians(LAT))
    south, north, west, east = lat - half_m * M, lat + half_m * M, LON - wide, LON + wide
    return Polygon(((west, south), (east, south), (east, north), (west, north), (west, south)), srid=4326)


def make_offer(ref: str = "for-all", *, stores: Sequence[Store] = (), **changed: Any) -> Offer:
    """Make an offer for everybody who enters these stores (none: any store)."""
    values = {"trigger_places": "store", "min_affinity_share": 0.0, "all_stores": not stores, **changed}
    offer = shop.make_offer(now=NOW, ref=ref, **values)
    OfferStore.objects.bulk_create([OfferStore(offer=offer, store=store) for store in stores])
    return offer


def make_customer(ref: str = "C1", **changed: Any) -> Any:
    return shop.make_customer(now=NOW, ref=ref, phones=(), **changed)


def ask(customer: Any, **changed: Any) -> Any:
    return token_client(customer).get("/v1/geofences", {"lat": LAT, "lon": LON, **changed})


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [fence["id"] for fence in answer.json()["geofences"]]


def gs(*stores: Store) -> list[str]:
    return [f"GS{store.pk}" for store in stores]


def test_the_plan_has_exactly_what_the_contract_names():
    store = make_store("S1", north_m=500)
    aisle = shop.make_aisle(store=store, now=NOW)
    Beacon.objects.create(aisle=aisle, uuid=UUID_ONE, major=7, minor=3)
    make_offer(trigger_places="aisle")
    answer = ask(make_customer())
    assert answer.json() == {
        "geofences": [
            {
                "id": f"GS{store.pk}",
                "kind": "store",
                "lat": LAT + 500 * M,
                "lon": LON,
                "radius_m": 60.0,
                "dwell_s": 120,
            }
        ],
        "beacons": [{"uuid": str(UUID_ONE), "major": 7, "minor": 3, "aisle": "fresh"}],
        "refresh": {"lat": LAT, "lon": LON, "radius_m": MAX_RING_M},
    }
    assert answer["Cache-Control"] == "private, no-store"


def test_the_nearest_by_edge_come_first_though_their_middle_is_farther():
    small, large = (
        make_store("small", north_m=1_000, radius_m=50),
        make_store("large", north_m=3_000, radius_m=2_500),
    )
    beyond = make_store("beyond", north_m=-4_000, radius_m=100)
    make_offer()
    answer = ask(make_customer(), limit=3)
    assert names(answer) == gs(large, small)
    edge = geodesic((LAT, LON), (beyond.location.y, beyond.location.x)).meters - 100
    assert answer.json()["refresh"]["radius_m"] == pytest.approx(edge * 0.995 - 1, abs=0.02)


def test_a_polygon_is_told_as_a_circle_that_holds_it_and_counts_by_its_own_edge():
    polygon = make_square("polygon", north_m=1_000, half_m=300)
    circle = make_store("circle", north_m=-950, radius_m=200)
    make_offer()
    customer = make_customer()
    assert names(ask(customer)) == gs(polygon, circle)  # 700 m and 750 m
    [told, _] = ask(customer).json()["geofences"]
    corners = polygon.area[0].coords
    away = [geodesic((told["lat"], told["lon"]), (lat, lon)).meters for lon, lat in corners]
    assert max(away) <= told["radius_m"] <= 430
    assert ask(customer, limit=1).json()["refresh"]["radius_m"] == pytest.approx(700 * 0.995 - 1, abs=2)


def test_inside_an_unlisted_polygon_the_ring_ends_before_its_edge():
    deep, shallow = make_store("deep", radius_m=5_000), make_square("shallow", north_m=70, half_m=100)
    make_offer()
    answer = ask(make_customer(), limit=2)
    assert names(answer) == gs(deep)
    assert 0 < answer.json()["refresh"]["radius_m"] < 30
    assert names(ask(make_customer("C2"), limit=3)) == gs(deep, shallow)


@pytest.mark.parametrize("limit", [1, 2, 3, 20])
def test_the_limit_counts_the_ring_and_one_slot_for_each_beacon_uuid(limit):
    stores = [make_store(f"S{n}", north_m=1_000 * n) for n in range(1, 20)]
    for n, store in enumerate(stores):
        aisle = shop.make_aisle(store=store, now=NOW)
        Beacon.objects.create(aisle=aisle, uuid=UUID_ONE, major=n, minor=1)
        Beacon.objects.create(aisle=aisle, uuid=UUID_TWO if n == 5 else UUID_ONE, major=n, minor=2)
    make_offer(trigger_places="aisle")
    plan = ask(make_customer(), limit=limit).json()
    regions = 1 + len(plan["geofences"]) + len({beacon["uuid"] for beacon in plan["beacons"]})
    assert regions == limit
    fences = {1: 0, 2: 1, 3: 1, 20: 17}[limit]
    assert [fence["id"] for fence in plan["geofences"]] == gs(*stores[:fences])
    assert len(plan["beacons"]) == (0 if limit < 3 else 2 * fences)


def test_an_aisle_with_an_area_and_an_offer_is_a_fence_with_its_own_dwell():
    store = make_store("S1", north_m=500, radius_m=200)
    fresh = shop.make_aisle(store=store, now=NOW)
    Aisle.objects.filter(pk=fresh.pk).update(area=square(north_m=500, half_m=20), dwell_s=40)
    shop.make_aisle(store=store, now=NOW, ref="wine")  # neither beacon nor area: nothing to notice
    make_offer(trigger_places="aisle")
    plan = ask(make_customer()).json()
    assert [(each["id"], each["kind"], each["dwell_s"]) for each in plan["geofences"]] == [
        (f"GS{store.pk}", "store", 120),
        (f"GA{fresh.pk}", "aisle", 40),
    ]
    assert plan["beacons"] == []


def test_an_aisle_counts_where_the_categories_of_the_target_meet_its_own():
    dairy, wine = shop.make_category(ref="dairy"), shop.make_category(ref="wine")
    here, there = make_store("here", north_m=500), make_store("there", north_m=900)
    for store, category, major in ((here, wine, 1), (there, dairy, 2)):
        aisle = shop.make_aisle(store=store, now=NOW, ref=category.ref, categories=[category])
        Beacon.objects.create(aisle=aisle, uuid=UUID_ONE, major=major, minor=1)
    make_offer(trigger_places="aisle", target_category=dairy)
    plan = ask(make_customer()).json()
    assert [fence["id"] for fence in plan["geofences"]] == gs(there)
    assert [beacon["aisle"] for beacon in plan["beacons"]] == ["dairy"]


def test_only_a_store_where_this_customer_could_get_an_offer_takes_a_slot():
    bought, other, none = (
        make_store(ref, north_m=n) for ref, n in (("bought", 900), ("other", 600), ("none", 300))
    )
    make_offer("danone", stores=[bought], min_affinity_share=None, target_brand="Danone")
    make_offer("evian", stores=[other], min_affinity_share=None, target_brand="Evian")
    buyer = make_customer("buyer")
    shop.remember(customer=buyer, kind=AffinityKind.BRAND, key="danone", share=0.3, now=NOW)
    assert names(ask(buyer)) == gs(bought)
    answer = ask(make_customer("neighbour"))
    assert answer.json() == {
        "geofences": [],
        "beacons": [],
        "refresh": {"lat": LAT, "lon": LON, "radius_m": MAX_RING_M},
    }
    assert (
        ask(buyer, limit=1).json()["refresh"]["radius_m"] > 800
    )  # the others' stores do not shorten the ring
    assert none.pk


LASTING = {
    "a draft": {"state": "draft"},
    "paused": {"state": "paused"},
    "over": {"valid_from": NOW - timedelta(days=9), "valid_until": NOW - timedelta(days=1)},
    "removed": {"removed_at": NOW},
    "sold out": {"units": 0},
    "out of budget": {"budget_minor": 0},
    "for another segment": {"segments": ["gold"]},
    "on another topic": {"topics": ["wine"]},
    "for more loyal buyers": {"min_affinity_share": 0.5},
    "bought too long ago": {"bought_within_days": 5},
    "for those who never bought": {"never_bought": True},
    "muted": {"target_brand": "Evian"},
}


@pytest.mark.parametrize("changed", LASTING.values(), ids=LASTING.keys())
def test_an_offer_that_the_customer_cannot_get_takes_no_slot(changed):
    make_store("S1", north_m=500)
    make_offer(**changed)
    customer = make_customer(muted_brands=["Évian"], segments=["silver"])
    shop.remember(customer=customer, kind=AffinityKind.BRAND, key="danone", share=0.3, now=NOW)
    assert names(ask(customer)) == []


@pytest.mark.parametrize("muted", ["dairy", "fresh"])
def test_a_muted_category_of_the_target_or_above_it_takes_no_slot(muted):
    above = shop.make_category(ref="fresh")
    make_store("S1", north_m=500)
    make_offer(target_category=shop.make_category(ref="dairy", parent=above))
    assert names(ask(make_customer(muted_categories=[muted]))) == []


def test_an_offer_given_as_often_as_ever_takes_no_slot_and_one_that_comes_back_does():
    store = make_store("S1", north_m=500)
    customer = make_customer(granted=shop.ALL_PURPOSES)
    shop.make_phone(customer=customer, device_id="phone", seen_at=NOW, now=NOW)
    once = make_offer("once", per_customer=1)
    [made] = shop.run([shop.trigger_of(customer, store=store, now=NOW)], now=NOW)
    assert made.outcome == "issued"
    assert names(ask(customer)) == []
    Offer.objects.filter(pk=once.pk).update(per_customer_per_days=7)
    assert names(ask(customer)) == gs(store)
    Offer.objects.filter(pk=once.pk).update(per_customer=None, per_customer_per_days=None)
    assert names(ask(customer)) == gs(store)  # the coupon held now runs out within the hour


MOMENTARY = {
    "paused": {"paused_until": NOW + timedelta(days=30)},
    "caps": {"max_pushes_per_day": 0},
    "quiet all day": {"quiet_from": "00:00", "quiet_until": "00:00"},
}


@pytest.mark.parametrize("changed", MOMENTARY.values(), ids=MOMENTARY.keys())
def test_what_passes_by_itself_takes_no_place_from_the_plan(changed):
    store = make_store("S1", north_m=500, opening_hours="off")
    make_offer(holdout_share=1.0)
    assert names(ask(make_customer(**changed))) == gs(store)


NOBODY = {
    "no push": {"granted": ["geolocation", "profiling"]},
    "no geolocation": {"granted": ["push", "profiling"]},
    "no channel": {"channels": ["email"]},
    "no time zone": {"time_zone": ""},
    "a child": {"birth_year": NOW.year - 10},
}


@pytest.mark.parametrize("changed", NOBODY.values(), ids=NOBODY.keys())
def test_who_may_be_sent_nothing_watches_nothing(changed):
    make_store("S1")
    make_offer()
    answer = ask(make_customer(**changed))
    assert answer.json() == {
        "geofences": [],
        "beacons": [],
        "refresh": {"lat": LAT, "lon": LON, "radius_m": MAX_RING_M},
    }


def test_without_profiling_what_was_bought_counts_for_nothing():
    store = make_store("S1", north_m=500)
    make_offer("danone", min_affinity_share=None, target_brand="Danone")
    customer = make_customer(granted=["push", "geolocation"])
    shop.remember(customer=customer, kind=AffinityKind.BRAND, key="danone", share=0.3, now=NOW)
    assert names(ask(customer)) == []
    make_offer("all")
    assert names(ask(customer)) == gs(store)


def test_a_removed_store_or_aisle_is_not_there():
    make_store("S1", removed_at=NOW)
    store = make_store("S2", north_m=500)
    aisle = shop.make_aisle(store=store, now=NOW)
    Beacon.objects.create(aisle=aisle, uuid=UUID_ONE, major=1, minor=1)
    Aisle.objects.update(removed_at=NOW)
    make_offer(trigger_places="aisle")
    assert names(ask(make_customer())) == []


BAD = [
    ({"lat": "91"}, "lat"),
    ({"lat": "nan"}, "lat"),
    ({"lat": ""}, "lat"),
    ({"lon": "-180.5"}, "lon"),
    ({"lon": "2,35"}, "lon"),
    ({"lon": "inf"}, "lon"),
    ({"lat": "1_0"}, "lat"),
    ({"limit": "0"}, "limit"),
    ({"limit": "101"}, "limit"),
    ({"limit": "2.5"}, "limit"),
    ({"limit": "-1"}, "limit"),
]


@pytest.mark.parametrize(("given", "field"), BAD)
def test_a_bad_position_or_limit_is_invalid(given, field):
    answer = ask(make_customer(), **given)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_position_is_required_and_so_is_a_customer():
    answer = token_client(make_customer()).get("/v1/geofences")
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [
        ("lat", "required"),
        ("lon", "required"),
    ]
    assert APIClient().get("/v1/geofences?lat=1&lon=1").status_code == 401


def test_the_position_is_neither_stored_nor_logged(caplog):
    make_store("S1", north_m=500)
    make_offer()
    with caplog.at_level(0):
        assert ask(make_customer(), lat=48.123456, lon=2.654321).status_code == 200
        assert ask(make_customer("C2"), lat=98.123456, lon=2.654321).status_code == 400
    said = "".join(record.getMessage() for record in caplog.records if record.name != "django.db.backends")
    assert "123456" not in said
    assert "654321" not in said
    assert not Presence.objects.exists()


def test_a_plan_costs_as_many_queries_for_many_fences_as_for_two(count_queries):
    customer = make_customer()
    make_offer()
    counts = []
    for number in (2, 60):
        for n in range(number):
            store = make_store(f"S{number}-{n}", north_m=300.0 * n)
            aisle = shop.make_aisle(store=store, now=NOW)
            Beacon.objects.create(aisle=aisle, uuid=UUID_ONE, major=number, minor=n)
        with count_queries() as seen:
            plan_fences(customer_id=customer.pk, lat=LAT, lon=LON, limit=20, now=NOW, params=settings.RAYON)
        counts.append(len(seen))
    assert counts == [7, 7]  # of which a savepoint, made and released


def test_a_search_that_was_cut_looks_wider_and_never_promises_more_than_it_saw(monkeypatch, count_queries):
    monkeypatch.setattr(queries, "SEARCHES", (5, 14))
    monkeypatch.setattr(queries, "PER_SLOT", 0)
    for n in range(12):
        make_store(f"near-{n}", north_m=100.0 * n)
    wanted = [
        make_store("a", north_m=3_000),
        make_store("b", north_m=-20_000),
        make_store("c", north_m=80_000),
    ]
    make_offer("wanted", stores=wanted)
    customer = make_customer()
    with count_queries() as seen:
        plan = plan_fences(
            customer_id=customer.pk, lat=LAT, lon=LON, limit=20, now=NOW, params=settings.RAYON
        )
    assert [fence.row_id for fence in plan.fences] == [
        wanted[0].pk
    ]  # b is the last one seen, c was not looked at
    assert 19_500 < plan.ring_m < 19_950
    assert len(seen) == 12  # of which two savepoints, made and released
