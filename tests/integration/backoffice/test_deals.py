"""A last-minute deal from the back office: what is asked at publishing, and what is read of it then."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from offers.models import Capacity, DealState, Offer, OfferState
from tests.integration.backoffice.office import OFFER, Office, codes

NOW = datetime(2026, 6, 17, 14, 0, tzinfo=UTC)
UNTIL = "2026-06-17T18:00:00Z"
DEAL: dict[str, Any] = {
    "units": 12,
    "deadline": UNTIL,
    "regular_price_minor": 400,
    "floor_price_minor": 0,
    "unit_cost_minor": 0,
    "unsold_value_minor": 0,
    "expected_units_per_hour": 2.0,
    "elasticity": 2.5,
    "menu_bp": [1000, 2000, 3000, 4000, 5000],
    "perishable": True,
    "in_store_only": True,
}
LAST_MINUTE = {
    **{name: value for name, value in OFFER.items() if name != "benefit"},
    "valid": {"from": "2026-06-17T08:00:00Z", "until": UNTIL},
    "deal": DEAL,
}


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def publish(office: Office, **changed: Any) -> tuple[int, Any]:
    deal = {**DEAL, **changed}
    body = {**LAST_MINUTE, "valid": {**LAST_MINUTE["valid"], "until": deal["deadline"]}, "deal": deal}
    assert office.put("offers/O1", body)[0] in (200, 201)
    return office.post("offers/O1/publish")


@pytest.mark.usefixtures("clock")
def test_a_published_deal_says_what_it_does_now_and_what_it_expects(office: Office) -> None:
    status, draft = office.put("offers/O1", LAST_MINUTE)
    assert (status, draft["deal"]) == (201, DEAL)
    status, live = office.post("offers/O1/publish")
    assert (status, live["state"]) == (200, "live")
    now = live["deal"].pop("now")
    assert live["deal"] == DEAL
    assert now == {
        "units_left": 12,
        "depth_bp": 1000,
        "bid_price_minor": 184,
        "send_now": 7,
        "expected_sold": 11.43,
        "expected_left": 0.57,
        "expected_left_band": [0, 2],
        "expected_margin_minor": 3706,
        "margin_doing_nothing_minor": 3148,
        "ladder": [
            {"at": "2026-06-17T14:00:00Z", "depth_bp": 1000},
            {"at": "2026-06-17T17:15:00Z", "depth_bp": 2000},
            {"at": "2026-06-17T17:45:00Z", "depth_bp": 4000},
        ],
        "learned": None,
        "stopped": False,
        "stop_reason": None,
        "reviewed_at": "2026-06-17T14:00:00Z",
    }
    assert office.get("offers/O1")[1]["deal"] == {**DEAL, "now": now}
    assert office.get("offers")[1]["results"][0]["deal"] == {**DEAL, "now": now}
    assert Capacity.objects.get().wave_left == 7


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("changed", "depth", "bid"),
    [
        ({"units": 4}, 0, 386),  # scarce: nobody needs a discount
        ({"deadline": "2026-06-17T16:00:00Z"}, 4000, 81),
        ({"deadline": "2026-06-17T15:00:00Z"}, 5000, 8),
        ({"deadline": "2026-06-17T15:00:00Z", "floor_price_minor": 240}, 4000, 2),
        ({"deadline": "2026-06-17T15:00:00Z", "floor_price_minor": 400}, 0, 0),
        ({"deadline": "2026-06-17T15:00:00Z", "unsold_value_minor": 200}, 1000, 200),
        ({"deadline": "2026-06-17T15:00:00Z", "unsold_value_minor": -100}, 5000, -86),
        ({"deadline": "2099-01-01T00:00:00Z"}, 0, 400),
    ],
)
def test_depth_and_bid_price_follow_stock_time_floor_and_leftovers(
    office: Office, changed: dict[str, Any], depth: int, bid: int
) -> None:
    status, live = publish(office, **changed)
    assert status == 200
    now = live["deal"]["now"]
    assert (now["depth_bp"], now["bid_price_minor"]) == (depth, bid)
    assert (now["send_now"] > 0) == (depth > 0)
    assert now["ladder"][0] == {"at": "2026-06-17T14:00:00Z", "depth_bp": depth}
    assert now["expected_margin_minor"] >= now["margin_doing_nothing_minor"]


@pytest.mark.parametrize(
    ("at", "errors"),
    [
        ("2026-06-17T17:59:59Z", []),
        ("2026-06-17T18:00:00Z", [("valid.until", "period_over"), ("deal.deadline", "deadline_over")]),
    ],
)
def test_a_deal_is_published_before_its_deadline_only(
    office: Office, at: str, errors: list[tuple[str, str]]
) -> None:
    office.put("offers/O1", LAST_MINUTE)
    with time_machine.travel(at, tick=False):
        answer = office.post("offers/O1/publish")
    if not errors:
        assert answer[0] == 200
        assert answer[1]["deal"]["now"]["stop_reason"] == "too_late"
        return
    assert codes(answer) == (409, "not_publishable", errors)
    assert Offer.objects.get().state == OfferState.DRAFT
    assert not DealState.objects.exists()


@pytest.mark.usefixtures("clock")
def test_a_deal_ends_within_a_second_of_its_deadline(office: Office) -> None:
    until = {"from": "2026-06-17T08:00:00Z", "until": "2026-06-17T18:00:01Z"}
    assert office.put("offers/O1", {**LAST_MINUTE, "valid": until})[0] == 201
    until = {"from": "2026-06-17T08:00:00Z", "until": "2026-06-17T18:00:02Z"}
    answer = office.put("offers/O1", {**LAST_MINUTE, "valid": until})
    assert codes(answer) == (400, "invalid", [("valid", "after_deadline")])


@pytest.mark.usefixtures("clock")
def test_a_change_of_a_published_deal_is_reviewed_at_once(office: Office) -> None:
    publish(office)
    body = {**LAST_MINUTE, "deal": {**DEAL, "units": 40}}
    status, changed = office.put("offers/O1", body)
    now = changed["deal"]["now"]
    assert (status, changed["revision"], now["units_left"], now["depth_bp"]) == (200, 2, 40, 5000)
    assert office.put("offers/O1", body)[1]["deal"]["now"] == now
    assert changed["capacity"]["units"] == 40


@pytest.mark.usefixtures("clock")
def test_a_deal_that_becomes_an_ordinary_offer_has_no_waves_left(office: Office) -> None:
    publish(office)
    body = {**LAST_MINUTE, "deal": None, "benefit": {"kind": "percent", "value_bp": 500}}
    status, changed = office.put("offers/O1", body)
    assert (status, changed["deal"], changed["objective"]) == (200, None, "reward")
    assert Capacity.objects.get().wave_left is None
    assert not DealState.objects.get().is_open


@pytest.mark.usefixtures("clock")
def test_paused_and_ended_deals_give_nothing_and_are_not_reviewed(office: Office) -> None:
    publish(office)
    for move, is_open in (("pause", False), ("resume", True), ("end", False)):
        assert office.post(f"offers/O1/{move}")[0] == 200
        assert DealState.objects.get().is_open is is_open
        assert Capacity.objects.get().wave_left == (7 if is_open else 0)


def test_an_offer_weighed_by_its_margin_needs_a_cost_and_a_price(office: Office) -> None:
    body = {**OFFER, "objective": "margin"}
    office.put("offers/O1", body)
    assert codes(office.post("offers/O1/publish")) == (
        409,
        "not_publishable",
        [("unit_cost_minor", "unit_cost_missing"), ("target", "price_unknown")],
    )
    for gtin, price in (("3033490004521", 200), ("3033490004538", 301), ("3033490004545", None)):
        product = {"name": "Yaourt", "brand": "alsace-lait", "price_minor": price, "currency": "EUR"}
        assert office.put(f"products/{gtin}", product)[0] == 201
    office.put("offers/O1", {**body, "unit_cost_minor": 120})
    assert office.post("offers/O1/publish")[1]["state"] == "live"
    assert Offer.objects.get().unit_price_minor == 251  # the mean of 200 and 301; the third has none
    assert not DealState.objects.exists()
