"""The story of the yoghurt, told through HTTP alone: one right push, and a reason for the silence."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from providers.testing import running_fcm
from tests.acceptance.service import Service, beacon_event, now_text, running_service

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

BEACON = {"uuid": "5c1f9e1a-6b52-4b0e-9d43-6f1a0c0f5a10", "major": 12, "minor": 3}
YOGHURT, MILK = "3033490004521", "3428270000013"


@pytest.fixture(scope="module")
def running(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_fcm() as fcm, running_service(fcm=fcm, home=tmp_path_factory.mktemp("home")) as service:
        yield service


@pytest.fixture
def service(running: Service, transactional_db: None) -> Service:
    running.fcm.reset()
    running.new_key()
    return running


def made(response: Any, status: int = 201) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def stock_the_store(service: Service) -> None:
    made(service.office("PUT", "/v1/categories/fresh", {"name": "Frais", "parent": None}))
    made(service.office("PUT", "/v1/categories/yoghurts", {"name": "Yaourts", "parent": "fresh"}))
    made(service.office("PUT", "/v1/categories/milk", {"name": "Lait", "parent": "fresh"}))
    for gtin, name, brand, category in (
        (YOGHURT, "Yaourt au chocolat", "Danone", "yoghurts"),
        (MILK, "Lait demi-écrémé", "Lactel", "milk"),
    ):
        product = {"name": name, "brand": brand, "category": category, "price_minor": 250, "currency": "EUR"}
        made(service.office("PUT", f"/v1/products/{gtin}", product))
    store = {
        "name": "Hyper Rayon",
        "location": {"lat": 48.8566, "lon": 2.3522},
        "radius_m": 100,
        "time_zone": "Europe/Paris",
    }
    made(service.office("PUT", "/v1/stores/S1", store))
    aisle = {
        "name": "Rayon frais",
        "categories": ["yoghurts"],
        "area": None,
        "beacons": [BEACON],
        "dwell_s": 15,
    }
    made(service.office("PUT", "/v1/stores/S1/aisles/fresh", aisle))


def publish_the_offer(service: Service) -> None:
    now = datetime.now(UTC)
    offer = {
        "title": {"fr": "−30 % sur le yaourt au chocolat", "en": "30 % off chocolate yoghurt"},
        "body": {"fr": "Il est devant vous.", "en": "It is right in front of you."},
        "benefit": {"kind": "percent", "value_bp": 3000},
        "target": {"brand": "Danone"},
        "stores": ["S1"],
        "trigger": {"places": "aisle", "on": "enter"},
        "valid": {
            "from": (now - timedelta(hours=1)).isoformat(),
            "until": (now + timedelta(hours=6)).isoformat(),
            "minutes_after_issue": 60,
        },
        "limits": {"per_customer": 1, "units": 10},
        "holdout_share": 0,
    }
    assert made(service.office("PUT", "/v1/offers/choc", offer))["state"] == "draft"
    assert made(service.office("POST", "/v1/offers/choc/publish"), 200)["state"] == "live"


def welcome(service: Service, *, ref: str, bought: str, phone_token: str) -> str:
    """A customer with a phone, every consent, no quiet hours and three receipts; returns the phone's token."""
    made(service.office("PUT", f"/v1/customers/{ref}", {"language": "fr", "time_zone": "Europe/Paris"}))
    token = made(service.office("POST", f"/v1/customers/{ref}/tokens", {"device_id": "phone"}))["token"]
    device = {"platform": "fcm", "token": phone_token, "app_version": "1.0", "os_version": "16"}
    assert service.phone(token, "PUT", "/v1/me/devices/phone", device).status_code in (200, 201)
    for purpose in ("push", "geolocation", "profiling"):
        consent = {"purpose": purpose, "granted": True, "text_version": "2026-11", "source": "app"}
        made(service.phone(token, "POST", "/v1/me/consents", consent))
    made(service.phone(token, "PATCH", "/v1/me/preferences", {"quiet_hours": None}), 200)
    receipts = [
        {
            "receipt": f"{ref}-{day}",
            "store": "S1",
            "customer": ref,
            "purchased_at": (datetime.now(UTC) - timedelta(days=day)).isoformat(),
            "currency": "EUR",
            "lines": [{"gtin": bought, "quantity": 2, "unit_price_minor": 250}],
        }
        for day in (3, 10, 17)
    ]
    answer = made(service.office("POST", "/v1/purchases", {"purchases": receipts}), 200)
    assert [result["status"] for result in answer["results"]] == ["accepted"] * 3
    return str(token)


def pass_the_aisle(service: Service, token: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = made(service.phone(token, "POST", "/v1/events", {"events": [event]}), 200)
    assert len(answer["results"]) == 1
    result: dict[str, Any] = answer["results"][0]
    return result


def test_the_buyer_gets_one_push_and_the_neighbour_a_reason(service: Service) -> None:
    stock_the_store(service)
    publish_the_offer(service)
    buyer = welcome(service, ref="buyer", bought=YOGHURT, phone_token="buyers-phone-token")
    neighbour = welcome(service, ref="neighbour", bought=MILK, phone_token="neighbours-phone-token")

    theirs = pass_the_aisle(service, neighbour, beacon_event(beacon=BEACON))
    event = beacon_event(beacon=BEACON)
    ours = pass_the_aisle(service, buyer, event)

    aisle_place = {"kind": "aisle", "store": "S1", "aisle": "fresh"}
    [theirs_at_aisle] = [found for found in theirs["decisions"] if found["place"] == aisle_place]
    [ours_at_aisle] = [found for found in ours["decisions"] if found["place"] == aisle_place]
    assert (theirs["status"], ours["status"]) == ("accepted", "accepted")
    assert (theirs_at_aisle["outcome"], theirs_at_aisle["reason"]) == ("none", "not_relevant")
    assert theirs_at_aisle["coupon"] is None
    assert (ours_at_aisle["transition"], ours_at_aisle["outcome"]) == ("enter", "issued")
    assert ours_at_aisle["reason"] == "issued"
    coupon = ours_at_aisle["coupon"]

    [push] = service.wait_for_pushes(1)
    assert push["token"] == "buyers-phone-token"
    assert push["notification"]["title"] == "−30 % sur le yaourt au chocolat"
    assert push["data"]["code"] == coupon["code"]

    wallet = made(service.phone(buyer, "GET", "/v1/coupons"), 200)["results"]
    assert [held["code"] for held in wallet] == [coupon["code"]]
    assert made(service.phone(neighbour, "GET", "/v1/coupons"), 200)["results"] == []
    assert service.phone(neighbour, "GET", f"/v1/coupons/{coupon['code']}").status_code == 404
    why = made(service.phone(neighbour, "GET", "/v1/me/decisions"), 200)["results"]
    assert "not_relevant" in [decision["reason"] for decision in why]

    again = pass_the_aisle(service, buyer, event)
    assert again == {**ours, "status": "duplicate"}
    assert made(service.phone(buyer, "GET", "/v1/coupons"), 200)["results"] == wallet
    left = made(service.office("GET", "/v1/offers/choc"), 200)
    assert left["capacity"]["units_left"] == 9
    assert len(service.wait_for_pushes(2, within_s=2.0)) == 1


def test_nobody_gets_anything_from_an_offer_that_was_paused(service: Service) -> None:
    stock_the_store(service)
    publish_the_offer(service)
    made(service.office("POST", "/v1/offers/choc/pause"), 200)
    buyer = welcome(service, ref="buyer", bought=YOGHURT, phone_token="buyers-phone-token")

    result = pass_the_aisle(service, buyer, beacon_event(beacon=BEACON))

    assert {decision["reason"] for decision in result["decisions"]} == {"no_offer"}
    assert service.wait_for_pushes(1, within_s=1.0) == []


def test_a_bad_event_is_refused_alone(service: Service) -> None:
    stock_the_store(service)
    buyer = welcome(service, ref="buyer", bought=YOGHURT, phone_token="buyers-phone-token")
    good = {
        "id": str(uuid4()),
        "type": "fix",
        "location": {"lat": 48.8566, "lon": 2.3522, "accuracy_m": 12.0},
        "occurred_at": now_text(),
    }
    off_the_map = {**good, "id": str(uuid4()), "location": {"lat": 95.0, "lon": 2.3522, "accuracy_m": 12.0}}
    unknown = {**beacon_event(beacon={**BEACON, "minor": 999})}

    answer = made(service.phone(buyer, "POST", "/v1/events", {"events": [off_the_map, good, unknown]}), 200)

    assert [(result["status"], result["error"]) for result in answer["results"]] == [
        ("rejected", "invalid"),
        ("accepted", None),
        ("rejected", "unknown_beacon"),
    ]
