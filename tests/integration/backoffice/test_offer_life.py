"""Publishing, pausing, changing and deleting offers; who may; and offers in bulk."""

import pytest

from offers.models import Capacity, Offer, OfferState
from tests.integration.backoffice.office import CIRCLE, OFFER, Office, codes, statuses

LIMITS = {"per_customer": 1, "per_customer_per_days": 7, "units": 10, "budget_minor": 5000}


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
            ("unit_cost_minor", "unit_cost_missing"),
            ("target", "price_unknown"),
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
