"""An offer's life through the back office's doors."""

from typing import Any

import pytest

from offers.models import Capacity, Offer, OfferState
from tests.integration.backoffice.office import CIRCLE, OFFER, Office, codes, statuses

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
    assert codes(office.post("offers/O1/publish")) == (
        409,
        "not_publishable",
        [("deal", "deal_not_supported")],
    )
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


def test_an_offer_goes_from_draft_to_live_to_paused_to_live_to_ended(office: Office) -> None:
    office.put("offers/O1", OFFER)
    status, live = office.post("offers/O1/publish")
    assert (status, live["state"], live["revision"]) == (200, "live", 1)
    assert live["published_at"] is not None
    assert [office.post(f"offers/O1/{move}")[1]["state"] for move in ("pause", "resume", "end")] == [
        "paused",
        "live",
        "ended",
    ]
    assert office.get("offers/O1")[1]["published_at"] == live["published_at"]


@pytest.mark.parametrize(
    ("moves", "illegal"),
    [
        ([], "pause"),
        ([], "resume"),
        ([], "end"),
        (["publish"], "publish"),
        (["publish"], "resume"),
        (["publish", "pause"], "publish"),
        (["publish", "pause"], "pause"),
        (["publish", "end"], "publish"),
        (["publish", "end"], "pause"),
        (["publish", "end"], "resume"),
        (["publish", "end"], "end"),
    ],
)
def test_an_illegal_move_is_a_conflict_and_changes_nothing(
    office: Office, moves: list[str], illegal: str
) -> None:
    office.put("offers/O1", OFFER)
    for move in moves:
        assert office.post(f"offers/O1/{move}")[0] == 200
    before = office.get("offers/O1")
    assert codes(office.post(f"offers/O1/{illegal}")) == (409, "wrong_state", [])
    assert office.get("offers/O1") == before


def test_publishing_names_every_reason_against_it(office: Office) -> None:
    office.put("stores/S1", CIRCLE)
    body = {
        **OFFER,
        "title": {"fr": "Seul"},
        "body": {"en": "Alone"},
        "stores": ["S1"],
        "valid": {"from": "2020-01-01T00:00:00Z", "until": "2021-01-01T00:00:00Z"},
        "objective": "margin",
    }
    office.put("offers/O1", body)
    office.delete("stores/S1")
    assert codes(office.post("offers/O1/publish")) == (
        409,
        "not_publishable",
        [
            ("title", "texts_missing"),
            ("valid.until", "period_over"),
            ("stores", "unknown_store"),
            ("objective", "objective_not_supported"),
        ],
    )
    assert Offer.objects.get().state == OfferState.DRAFT


def test_moving_an_unknown_offer_is_not_found(office: Office) -> None:
    for move in ("publish", "pause", "resume", "end"):
        assert codes(office.post(f"offers/nothing/{move}")) == (404, "not_found", [])


def test_a_published_offer_that_is_put_again_is_a_new_revision_only_if_it_changed(office: Office) -> None:
    office.put("offers/O1", OFFER)
    office.post("offers/O1/publish")
    status, same = office.put("offers/O1", OFFER)
    assert (status, same["revision"], same["state"]) == (200, 1, "live")
    status, changed = office.put("offers/O1", {**OFFER, "target": {"brand": "Danone"}})
    assert (status, changed["revision"], changed["state"]) == (200, 2, "live")
    assert list(Offer.objects.get().affinity_keys.values_list("key", flat=True)) == ["danone"]


def test_a_published_offer_cannot_be_changed_into_one_that_could_not_be_published(office: Office) -> None:
    office.put("offers/O1", OFFER)
    office.post("offers/O1/publish")
    before = office.get("offers/O1")
    answer = office.put("offers/O1", {**OFFER, "title": {}, "limits": LIMITS})
    assert codes(answer) == (409, "not_publishable", [("title", "texts_missing")])
    assert office.get("offers/O1") == before


def test_an_ended_offer_is_closed(office: Office) -> None:
    office.put("offers/O1", OFFER)
    office.post("offers/O1/publish")
    office.post("offers/O1/end")
    assert codes(office.put("offers/O1", {**OFFER, "priority": 3})) == (409, "wrong_state", [])
    assert office.get("offers/O1")[1]["priority"] == 0


def test_units_and_budget_cannot_fall_below_what_was_given(office: Office) -> None:
    office.put("offers/O1", {**OFFER, "limits": LIMITS})
    Capacity.objects.update(claimed=4, spent_minor=900)
    few = office.put("offers/O1", {**OFFER, "priority": 9, "limits": {**LIMITS, "units": 3}})
    assert codes(few) == (400, "invalid", [("limits.units", "units_below_claimed")])
    poor = office.put("offers/O1", {**OFFER, "priority": 9, "limits": {**LIMITS, "budget_minor": 899}})
    assert codes(poor) == (400, "invalid", [("limits.budget_minor", "budget_below_spent")])
    assert office.get("offers/O1")[1]["priority"] == 0
    status, enough = office.put("offers/O1", {**OFFER, "limits": {**LIMITS, "units": 4}})
    assert (status, enough["capacity"]["units_left"]) == (200, 0)
    assert office.put("offers/O1", OFFER)[1]["capacity"]["units_left"] is None


def test_a_deleted_draft_is_gone_and_a_deleted_live_offer_is_ended_and_hidden(office: Office) -> None:
    office.put("offers/draft", OFFER)
    office.put("offers/live", OFFER)
    office.post("offers/live/publish")
    for ref in ("draft", "live"):
        assert office.delete(f"offers/{ref}") == (204, None)
        assert codes(office.get(f"offers/{ref}")) == (404, "not_found", [])
        assert codes(office.delete(f"offers/{ref}")) == (404, "not_found", [])
    assert list(Offer.objects.values_list("ref", "state")) == [("live", "ended")]
    assert codes(office.post("offers/live/publish")) == (404, "not_found", [])
    status, again = office.put("offers/live", OFFER)
    assert (status, again["state"], again["revision"], again["published_at"]) == (201, "draft", 2, None)
    assert office.delete("offers/live") == (204, None)


def test_a_key_limited_to_stores_has_only_offers_of_these(office: Office) -> None:
    for ref in ("S1", "S2"):
        office.put(f"stores/{ref}", CIRCLE)
    office.put("offers/everywhere", OFFER)
    office.put("offers/both", {**OFFER, "stores": ["S1", "S2"]})
    limited = Office(stores=("S1",))
    assert limited.put("offers/mine", {**OFFER, "stores": ["S1"]})[0] == 201
    assert [offer["ref"] for offer in limited.get("offers")[1]["results"]] == ["mine"]
    assert codes(limited.put("offers/more", OFFER)) == (400, "invalid", [("stores", "required")])
    assert codes(limited.put("offers/more", {**OFFER, "stores": ["S1", "S2"]})) == (
        400,
        "invalid",
        [("stores.1", "unknown_store")],
    )
    for ref in ("everywhere", "both"):
        for answer in (
            limited.get(f"offers/{ref}"),
            limited.put(f"offers/{ref}", {**OFFER, "stores": ["S1"]}),
            limited.delete(f"offers/{ref}"),
            limited.post(f"offers/{ref}/publish"),
        ):
            assert codes(answer) == (404, "not_found", [])
    assert office.get("offers/both")[1]["stores"] == ["S1", "S2"]


def test_offers_in_bulk_are_judged_alone(office: Office) -> None:
    lines = [
        {"ref": "O1", **OFFER},
        {"ref": "O2", **OFFER, "target": {"category": "nothing"}},
        {"ref": "O3", **OFFER, "benefit": {}},
        {"ref": "O4", **OFFER},
        {"ref": "O1", **OFFER, "priority": 1},
    ]
    assert statuses(office.bulk("offers/bulk", lines)) == [
        (1, "created", None),
        (2, "rejected", "invalid"),
        (3, "rejected", "invalid"),
        (4, "created", None),
        (5, "updated", None),
    ]
    assert sorted(Offer.objects.values_list("ref", "priority")) == [("O1", 1), ("O4", 0)]


def test_publishing_with_one_key_twice_gives_the_first_answer_again(office: Office) -> None:
    office.put("offers/O1", OFFER)
    first = office.post("offers/O1/publish", Idempotency_Key="k")
    assert first[0] == 200
    assert office.post("offers/O1/publish", Idempotency_Key="k") == first
    other = office.post("offers/O1/pause", Idempotency_Key="k")
    assert codes(other) == (422, "idempotency_key_reused", [])
    assert office.get("offers/O1")[1]["state"] == "live"
