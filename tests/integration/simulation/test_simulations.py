"""A walk through the real pipeline: who would get what and why, at any time, with drafts, and nothing stays of it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from customers.models import Customer
from offers import locks
from offers.api.serializers.simulations import steps_of
from offers.models import Capacity, Coupon, Decision, Exposure, LocationEvent, Offer, OutboxMessage, Presence
from offers.simulation import walking
from offers.simulation.values import Walk
from tests.integration.backoffice.office import OFFER, Office, codes
from tests.integration.decisions.shop import make_offer, run, trigger_of
from tests.integration.simulation.town import make_town, passes_by, places, sighting, whole_database

DRAFT = {**OFFER, "ref": "draft", "target": {"brand": "Danone"}, "holdout_share": 0, "priority": 5}


@pytest.fixture
def office(db: None) -> Office:
    return Office(scopes=("simulations:run",))


def simulation(office: Office, **given: Any) -> dict[str, Any]:
    status, body = office.post("simulations", given)
    assert status == 200, body
    return dict(body)


def at_the_aisle(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the decisions at the aisle; entering it is entering the store, too, where nothing runs."""
    return [one for one in body["decisions"] if one["place"] and one["place"]["aisle"] == "fresh"]


def outcomes(body: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    return [(one["customer"], one["transition"], one["reason"]) for one in at_the_aisle(body)]


def checks(candidate: dict[str, Any]) -> dict[str, str]:
    """Return the refusals of a candidate by check."""
    return {check["check"]: check["reason"] for check in candidate["checks"] if not check["passed"]}


def test_the_buyer_would_get_it_and_reads_why_with_every_check(office: Office, now: datetime) -> None:
    make_town(now=now)
    path = passes_by(now)
    body = simulation(office, customer="B", path=path, now=now.isoformat())
    assert [(one["customer"], one["id"], one["status"]) for one in body["results"]] == [
        ("B", event["id"], "accepted") for event in path
    ]
    first = at_the_aisle(body)[0]
    assert (first["event"], first["transition"], first["outcome"], first["at"]) == (
        path[0]["id"],
        "enter",
        "issued",
        "2026-06-17T08:00:00Z",
    )
    assert first["place"] == {"kind": "aisle", "store": "S1", "aisle": "fresh"}
    assert first["coupon"]["offer"] == "yoghurt-20"
    assert first["text"].startswith("Vous achetez souvent du Danone.")
    [candidate] = first["candidates"]
    assert (candidate["offer"], candidate["reason"], candidate["is_winner"]) == ("yoghurt-20", "issued", True)
    assert candidate["numbers"]["affinity_share"] == 0.4
    assert [check["check"] for check in candidate["checks"]] == [
        *("consent", "channel", "time_zone", "age", "sending_switch", "pause"),
        *("law", "mute", "profiling", "relevance", "worth", "customer_limit", "capacity"),
        *("store_time_zone", "opening_hours", "device", "quiet_hours", "frequency", "holdout"),
    ]
    assert checks(candidate) == {}
    seen = {check["check"]: check["numbers"] for check in candidate["checks"]}
    assert seen["quiet_hours"] == {"local_time": "10:00", "quiet": {"from": "21:00", "until": "08:00"}}
    assert (seen["relevance"]["affinity_share"], seen["relevance"]["min_affinity_share"]) == (0.4, None)


def test_dwell_and_exit_fall_due_between_and_after_the_events(office: Office, now: datetime) -> None:
    make_town(now=now, trigger_on="dwell")
    body = simulation(office, customer="B", path=passes_by(now), now=now.isoformat())
    assert [(one["transition"], one["reason"], one["at"]) for one in at_the_aisle(body)] == [
        ("enter", "no_offer", "2026-06-17T08:00:00Z"),
        ("dwell", "issued", "2026-06-17T08:00:15Z"),
        ("exit", "no_offer", "2026-06-17T08:00:50Z"),
    ]
    [dwell] = [one for one in body["decisions"] if one["reason"] == "issued"]
    assert dwell["event"] is None  # a deadline


def test_two_customers_walk_side_by_side(office: Office, now: datetime) -> None:
    make_town(now=now)
    body = simulation(office, customers=["B", "N"], path=[sighting(now)], now=now.isoformat())
    assert outcomes(body)[:2] == [("B", "enter", "issued"), ("N", "enter", "not_relevant")]
    neighbour = at_the_aisle(body)[1]["candidates"][0]
    assert checks(neighbour) == {"relevance": "not_relevant"}
    assert not neighbour["is_winner"]


def test_every_no_is_listed_and_not_only_the_first(office: Office, now: datetime) -> None:
    make_town(now=now, units=0)
    Customer.objects.filter(ref="N").update(birth_year=2015, granted=["geolocation"])
    night = now.replace(hour=21)
    body = simulation(office, customer="N", path=[sighting(now)], now=night.isoformat())
    first = at_the_aisle(body)[0]
    assert first["reason"] == "no_consent"
    assert checks(first["candidates"][0]) == {
        "channel": "no_consent",
        "age": "legal_guard",
        "profiling": "no_consent",
        "relevance": "not_relevant",
        "capacity": "sold_out",
        "device": "no_device",
        "quiet_hours": "quiet_hours",
    }


@pytest.mark.parametrize(
    ("clock", "reason"),
    [
        ("2026-06-17T19:00:00+02:00", "issued"),
        ("2026-06-17T21:00:00+02:00", "quiet_hours"),
        ("2026-06-18T03:00:00+02:00", "quiet_hours"),
        ("2026-06-30T10:00:00+02:00", "no_offer"),  # the offer is over
        ("2026-06-10T10:00:00+02:00", "no_offer"),  # or has not begun
    ],
)
def test_the_same_path_at_any_time_of_the_clock(
    office: Office, now: datetime, clock: str, reason: str
) -> None:
    make_town(now=now)
    body = simulation(office, customer="B", path=[sighting(now)], now=clock)
    assert at_the_aisle(body)[0]["reason"] == reason
    assert body["started_at"] == datetime.fromisoformat(clock).astimezone(UTC).isoformat().replace(
        "+00:00", "Z"
    )


def test_what_was_sent_after_the_simulated_clock_has_not_been_sent_yet(office: Office, now: datetime) -> None:
    make_town(now=now)
    store, aisle = places()
    [made] = run([trigger_of(Customer.objects.get(ref="B"), store=store, aisle=aisle, now=now)], now=now)
    assert made.reason == "issued"
    before, after = now - timedelta(hours=1), now + timedelta(hours=1)
    earlier = simulation(office, customer="B", path=[sighting(now)], now=before.isoformat())
    later = simulation(office, customer="B", path=[sighting(now)], now=after.isoformat())
    assert (at_the_aisle(earlier)[0]["reason"], at_the_aisle(later)[0]["reason"]) == (
        "issued",
        "frequency_cap",
    )


def test_where_the_customer_really_is_does_not_matter(office: Office, now: datetime) -> None:
    make_town(now=now)
    Presence.objects.create(
        customer=Customer.objects.get(ref="B"),
        state={"states": {}, "fix": None},
        due_at=now - timedelta(days=1),
    )
    body = simulation(office, customer="B", path=[sighting(now)], now=now.isoformat())
    assert at_the_aisle(body)[0]["reason"] == "issued"


def test_a_draft_competes_with_what_is_live(office: Office, now: datetime) -> None:
    make_town(now=now)
    body = simulation(office, customer="B", path=[sighting(now)], now=now.isoformat(), offers=[DRAFT])
    first = at_the_aisle(body)[0]
    assert first["coupon"]["offer"] == "draft"
    assert [(one["offer"], one["reason"], one["is_winner"]) for one in first["candidates"]] == [
        ("draft", "issued", True),
        ("yoghurt-20", "frequency_cap", False),
    ]
    assert list(Offer.objects.values_list("ref", flat=True)) == ["yoghurt-20"]


def test_a_draft_without_a_key_and_a_draft_that_exists(office: Office, now: datetime) -> None:
    make_town(now=now)
    make_offer(now=now, ref="kept", state="draft", published_at=None, priority=9)
    nameless = {name: value for name, value in DRAFT.items() if name != "ref"}
    body = simulation(
        office, customer="B", path=[sighting(now)], now=now.isoformat(), offers=[nameless, {"ref": "kept"}]
    )
    assert [one["offer"] for one in at_the_aisle(body)[0]["candidates"]] == [
        "kept",
        "simulated-1",
        "yoghurt-20",
    ]
    assert Offer.objects.get(ref="kept").state == "draft"


def test_a_changed_live_offer_is_the_next_revision_in_the_simulation_alone(
    office: Office, now: datetime
) -> None:
    make_town(now=now)
    changed = {**DRAFT, "ref": "yoghurt-20", "benefit": {"kind": "percent", "value_bp": 3000}}
    body = simulation(office, customer="B", path=[sighting(now)], now=now.isoformat(), offers=[changed])
    first = at_the_aisle(body)[0]
    assert (first["candidates"][0]["revision"], first["coupon"]["benefit"]["value_bp"]) == (2, 3000)
    assert Offer.objects.values_list("revision", "benefit_value").get() == (1, 2000)


def test_a_draft_against_the_law_is_refused_by_its_place(office: Office, now: datetime) -> None:
    make_town(now=now)
    deep = {**DRAFT, "benefit": {"kind": "percent", "value_bp": 5000}}
    before = whole_database()
    answer = office.post("simulations", {"customer": "B", "path": [sighting(now)], "offers": [DRAFT, deep]})
    assert codes(answer) == (409, "not_publishable", [("offers.1.benefit", "legal_guard")])
    assert whole_database() == before


def test_two_walkers_share_what_is_left(office: Office, now: datetime) -> None:
    make_town(now=now, units=1, min_affinity_share=0.0)
    body = simulation(office, customers=["B", "N"], path=[sighting(now)], now=now.isoformat())
    assert outcomes(body)[:2] == [("B", "enter", "issued"), ("N", "enter", "sold_out")]
    assert Capacity.objects.values_list("claimed", flat=True).get() == 0


# --- nothing stays -------------------------------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own that hears what the outbox would be woken by."""
    params = connection.get_connection_params()
    raw = psycopg.connect(
        **{name: params[name] for name in ("dbname", "user", "password", "host", "port") if params.get(name)},
        autocommit=True,
    )
    raw.execute("LISTEN rayon_outbox")
    yield raw
    raw.close()


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_simulation_stays(now: datetime, listening: psycopg.Connection[Any]) -> None:
    """The whole database, every table of every schema, before and after: with issued coupons, drafts and deadlines."""
    office = Office(scopes=("simulations:run",))
    make_town(now=now, units=3)
    before = whole_database()
    assert before["public.offers_offer"][0] == 1
    body = simulation(
        office,
        customers=["B", "N"],
        path=passes_by(now, seconds=(0, 5, 10, 20, 60, 130, 2000)),
        now=now.isoformat(),
        offers=[{**DRAFT, "audience": {"min_affinity_share": 0}}],
    )
    assert {one["reason"] for one in body["decisions"]} >= {"issued", "no_offer"}
    assert whole_database() == before
    assert not (
        Decision.objects.exists()
        or Coupon.objects.exists()
        or Exposure.objects.exists()
        or OutboxMessage.objects.exists()
        or LocationEvent.objects.exists()
    )
    assert [note.payload for note in listening.notifies(timeout=0.2)] == []


@pytest.mark.django_db(transaction=True)
def test_the_control_a_walk_that_is_not_taken_back_leaves_traces_and_wakes_the_worker(
    now: datetime, listening: psycopg.Connection[Any]
) -> None:
    make_town(now=now)
    before = whole_database()
    with transaction.atomic():
        walking.rehearse(_walk("B", now=now), params=settings.RAYON)
    changed = {table for table, told in whole_database().items() if told != before[table]}
    assert {"public.offers_decision", "public.offers_coupon", "public.offers_exposure"} <= changed
    assert len(list(listening.notifies(timeout=1, stop_after=1))) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.concurrency
def test_a_simulation_in_progress_holds_up_nobody_who_issues_the_same_offer(now: datetime) -> None:
    offer = make_town(now=now, units=5)
    granted: list[dict[int, int]] = []

    def claim() -> None:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = 500")
                granted.append(locks.claim_units({offer.pk: 1}))
        finally:
            connection.close()

    with walking.taken_back():
        simulated = walking.rehearse(_walk("B", now=now), params=settings.RAYON)
        assert simulated.decisions[1].made.reason == "issued"
        other = threading.Thread(target=claim)
        other.start()
        other.join()
    assert granted == [{offer.pk: 1}]
    assert Capacity.objects.values_list("claimed", flat=True).get() == 1


def _walk(*customers: str, now: datetime) -> Walk:
    return Walk(customers=customers, path=steps_of([sighting(now)]), now=now)


# --- hostile input -------------------------------------------------------------------------------------------


def test_bad_events_are_rejected_alone(office: Office, now: datetime) -> None:
    make_town(now=now)
    twice = sighting(now)
    path: list[Any] = [
        twice,
        twice,
        {**twice, "occurred_at": (now + timedelta(seconds=1)).isoformat()},
        {"surprise": 1},
        7,
        sighting(now, beacon={"uuid": twice["beacon"]["uuid"], "major": 9, "minor": 9}),
        sighting(now, type="enter", beacon=None, geofence="G-nowhere"),
        sighting(now, occurred_at="9999-12-31T23:59:59Z"),
        sighting(now, occurred_at="0001-01-01T00:00:00Z"),
        sighting(now + timedelta(seconds=9)),
    ]
    body = simulation(office, customer="B", path=path, now="2099-12-31T23:00:00Z")
    assert [(one["status"], one["error"]) for one in body["results"]] == [
        ("accepted", None),
        ("duplicate", None),
        ("rejected", "event_id_reused"),
        ("rejected", "invalid"),
        ("rejected", "invalid"),
        ("rejected", "unknown_beacon"),
        ("rejected", "unknown_geofence"),
        ("rejected", "invalid"),  # beyond all calendars
        ("accepted", None),  # and stale
        ("accepted", None),
    ]


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"path": []}, [("path", "min_length")]),
        ({"path": [{}] * 501}, [("path", "max_length")]),
        ({"path": {}}, [("path", "not_a_list")]),
        ({"customer": "nobody"}, [("customer", "unknown_customer")]),
        ({"customer": None}, [("customer", "null")]),
        ({"customers": ["B", "N"]}, [("customer", "one_of")]),
        ({"now": "yesterday"}, [("now", "invalid")]),
        ({"now": "1999-12-31T00:00:00Z"}, [("now", "out_of_range")]),
        ({"now": True}, [("now", "invalid")]),
        ({"surprise": 1}, [("surprise", "unknown_field")]),
        ({"offers": [{"ref": "nothing"}]}, [("offers.0.ref", "unknown_offer")]),
        ({"offers": [{}] * 21}, [("offers", "max_length")]),
        ({"offers": [DRAFT, {**DRAFT, "benefit": {}}]}, [("offers.1.benefit.kind", "required")]),
        ({"offers": [7]}, [("offers.0", "invalid")]),
        ({"offers": [{**DRAFT, "stores": ["S9"]}]}, [("offers.0.stores.0", "unknown_store")]),
    ],
)
def test_a_bad_request_is_refused_by_field_and_changes_nothing(
    office: Office, now: datetime, change: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    make_town(now=now)
    before = whole_database()
    given = {"customer": "B", "path": [sighting(now)], "now": now.isoformat(), **change}
    assert codes(office.post("simulations", given)) == (400, "invalid", errors)
    assert whole_database() == before


def test_it_needs_its_scope(office: Office, now: datetime) -> None:
    make_town(now=now)
    other = Office(scopes=("offers:write", "reports:read"))
    assert codes(other.post("simulations", {"customer": "B", "path": [sighting(now)]})) == (
        403,
        "missing_scope",
        [],
    )


def test_a_key_limited_to_stores_sees_decisions_of_these_alone(office: Office, now: datetime) -> None:
    make_town(now=now)
    body = simulation(Office(stores=("S2",)), customer="B", path=[sighting(now)], now=now.isoformat())
    assert body["decisions"] == []
    body = simulation(Office(stores=("S1",)), customer="B", path=[sighting(now)], now=now.isoformat())
    assert at_the_aisle(body)[0]["reason"] == "issued"


def test_an_event_that_was_really_sent_can_be_walked_again(office: Office, now: datetime) -> None:
    make_town(now=now)
    event = sighting(now)
    for _ in range(2):
        body = simulation(office, customer="B", path=[event], now=now.isoformat())
        assert (body["results"][0]["status"], at_the_aisle(body)[0]["reason"]) == ("accepted", "issued")


def test_a_walk_may_have_500_events(office: Office, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MAX_S", 60.0)  # this machine may have other work to do
    make_town(now=now)
    path = [sighting(now + timedelta(seconds=s)) for s in range(500)]
    body = simulation(office, customer="B", path=path, now=now.isoformat())
    assert {one["status"] for one in body["results"]} == {"accepted"}
    assert [(one["transition"], one["reason"]) for one in at_the_aisle(body)] == [
        ("enter", "issued"),
        ("dwell", "no_offer"),
        ("exit", "no_offer"),
    ]


def test_a_walk_that_takes_too_long_is_given_up(
    office: Office, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_town(now=now)
    before = whole_database()
    monkeypatch.setattr(walking, "MAX_S", -1.0)
    answer = office.post("simulations", {"customer": "B", "path": [sighting(now)]})
    assert codes(answer) == (503, "unavailable", [])
    assert whole_database() == before
