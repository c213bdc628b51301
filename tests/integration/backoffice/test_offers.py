"""The shape of an offer: defaults, echoes, and what is refused."""

from typing import Any

import pytest

from offers.models import Offer, OfferState
from tests.integration.backoffice.office import CIRCLE, OFFER, Office, codes

DEAL = {
    "units": 40,
    "deadline": "2099-01-01T00:00:00Z",
    "regular_price_minor": 400,
    "expected_units_per_hour": 6,
    "elasticity": 2.5,
}
LIMITS = {"per_customer": 1, "per_customer_per_days": 7, "units": 10, "budget_minor": 5000}


def test_a_new_offer_is_a_draft_with_every_default_filled_in(office: Office) -> None:
    whole = {
        **OFFER,
        "ref": "O1",
        "benefit": {"kind": "percent", "value_bp": 2000, "currency": "EUR"},
        "image_url": None,
        "stores": [],
        "trigger": {"places": "aisle", "on": "enter", "within_m": None},
        "audience": {
            "min_affinity_share": None,
            "bought_within_days": None,
            "never_bought": False,
            "segments": [],
            "topics": [],
            "needs": False,
        },
        "valid": {**OFFER["valid"], "minutes_after_issue": 60},
        "limits": {"per_customer": None, "per_customer_per_days": None, "units": None, "budget_minor": None},
        "deal": None,
        "objective": "reward",
        "unit_cost_minor": None,
        "holdout_share": 0.1,
        "priority": 0,
        "state": "draft",
        "revision": 1,
        "published_at": None,
        "capacity": {
            "units": None,
            "claimed": 0,
            "units_left": None,
            "budget_minor": None,
            "spent_minor": 0,
            "budget_left_minor": None,
        },
        "legal": {"findings": [], "reference_prices": []},
    }
    assert office.put("offers/O1", OFFER) == (201, whole)
    assert office.put("offers/O1", OFFER) == (200, whole)
    assert office.get("offers/O1") == (200, whole)
    assert office.get("offers")[1]["results"] == [whole]


def test_an_offer_with_every_part_given_is_echoed(office: Office) -> None:
    office.put("stores/S1", CIRCLE)
    office.put("categories/dairy", {"name": "Dairy"})
    given = {
        "title": {"en": "Half price"},
        "body": {"en": "Today only."},
        "image_url": "https://example.com/y.png",
        "benefit": {"kind": "amount", "value_minor": 50, "currency": "CHF"},
        "target": {"category": "dairy"},
        "stores": ["S1"],
        "trigger": {"places": "store", "on": "dwell", "within_m": 300},
        "audience": {
            "min_affinity_share": 0.2,
            "bought_within_days": 90,
            "never_bought": True,
            "segments": ["gold"],
            "topics": ["bio"],
            "needs": True,
        },
        "valid": {
            "from": "2026-06-17T10:00:00+02:00",
            "until": "2098-06-17T10:00:00+02:00",
            "minutes_after_issue": 30,
        },
        "limits": LIMITS,
        "deal": None,
        "objective": "reward",
        "unit_cost_minor": 120,
        "holdout_share": 0.0,
        "priority": 7,
    }
    status, echoed = office.put("offers/O1", given)
    assert status == 201
    given["valid"] = {
        "from": "2026-06-17T08:00:00Z",
        "until": "2098-06-17T08:00:00Z",
        "minutes_after_issue": 30,
    }
    assert {name: echoed[name] for name in given} == given
    assert echoed["capacity"]["units_left"] == 10


def test_a_deal_is_kept_in_its_shape_and_weighed_by_margin(office: Office) -> None:
    given = {name: value for name, value in OFFER.items() if name != "benefit"}
    status, offer = office.put("offers/O1", {**given, "deal": DEAL})
    assert (status, offer["objective"]) == (201, "margin")
    assert offer["deal"] == {
        **DEAL,
        "expected_units_per_hour": 6.0,
        "floor_price_minor": 0,
        "unit_cost_minor": 0,
        "unsold_value_minor": 0,
        "menu_bp": [1000, 2000, 3000, 4000, 5000],
        "perishable": True,
        "in_store_only": True,
    }
    assert offer["capacity"]["units_left"] == 40
    assert Offer.objects.get().state == OfferState.DRAFT


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"surprise": 1}, [("surprise", "unknown_field")]),
        ({"title": {"de": "Hallo"}}, [("title.de", "unknown_field")]),
        ({"benefit": {"kind": "percent"}}, [("benefit.value_bp", "required")]),
        ({"benefit": {"kind": "percent", "value_bp": 10_001}}, [("benefit.value_bp", "max_value")]),
        ({"benefit": {"kind": "percent", "value_bp": 0}}, [("benefit.value_bp", "min_value")]),
        ({"benefit": {"kind": "percent", "value_bp": True}}, [("benefit.value_bp", "invalid")]),
        ({"benefit": {"kind": "amount", "value_minor": 5}}, [("benefit.currency", "required")]),
        (
            {"benefit": {"kind": "amount", "value_minor": 0, "currency": "EUR"}},
            [("benefit.value_minor", "min_value")],
        ),
        ({"benefit": {"kind": "price", "value_bp": 5}}, [("benefit.value_minor", "required")]),
        ({"benefit": {"kind": "gift"}}, [("benefit.kind", "invalid_choice")]),
        ({"target": {}}, [("target", "one_target")]),
        ({"target": {"brand": "A", "category": "dairy"}}, [("target", "one_target")]),
        ({"target": {"gtins": []}}, [("target.gtins", "min_length")]),
        ({"target": {"gtins": ["123"]}}, [("target.gtins.0", "invalid_gtin")]),
        ({"target": {"category": "nothing"}}, [("target.category", "unknown_category")]),
        ({"stores": ["nowhere"]}, [("stores.0", "unknown_store")]),
        (
            {"valid": {"from": "2026-01-02T00:00:00Z", "until": "2026-01-02T00:00:00Z"}},
            [("valid.until", "empty_period")],
        ),
        ({"valid": {"from": "2026-01-02", "until": "2027-01-02T00:00:00Z"}}, [("valid.from", "invalid")]),
        ({"trigger": {"places": "street"}}, [("trigger.places", "invalid_choice")]),
        ({"audience": {"min_affinity_share": 1.1}}, [("audience.min_affinity_share", "max_value")]),
        ({"limits": {"units": 0}}, [("limits.units", "min_value")]),
        ({"limits": {"per_customer_per_days": 3}}, [("limits.per_customer", "required")]),
        ({"holdout_share": -0.1}, [("holdout_share", "min_value")]),
        ({"priority": 1.5}, [("priority", "invalid")]),
        ({"deal": {**DEAL, "deadline": "2098-12-31T23:59:58Z"}}, [("valid", "after_deadline")]),
        ({"deal": DEAL, "objective": "reward"}, [("objective", "deal_needs_margin")]),
        ({"deal": {**DEAL, "floor_price_minor": 401}}, [("deal.floor_price_minor", "floor_above_price")]),
        ({"deal": {**DEAL, "menu_bp": []}}, [("deal.menu_bp", "min_length")]),
    ],
)
def test_a_bad_offer_is_refused_by_field_and_nothing_is_written(
    office: Office, change: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    assert codes(office.put("offers/O1", {**OFFER, **change})) == (400, "invalid", errors)
    assert not Offer.objects.exists()


def test_an_offer_without_benefit_or_period_is_refused(office: Office) -> None:
    assert codes(office.put("offers/O1", {"target": {"brand": "A"}}))[2] == [("valid", "required")]
    body = {name: value for name, value in OFFER.items() if name != "benefit"}
    assert codes(office.put("offers/O1", body)) == (400, "invalid", [("benefit", "required")])
