"""From events to visits and triggers, on the real database."""

import pytest
from django.conf import settings

from customers.models import Customer
from offers import pipeline
from offers.flow import Event, EventResult
from offers.models import Decision, LocationEvent, Presence, Visit
from tests.integration.events.world import (
    LAT,
    M,
    Phone,
    at,
    make_aisle,
    make_customer,
    make_device,
    make_store,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    return make_store()


@pytest.fixture
def aisle(store):
    return make_aisle(store)


@pytest.fixture
def phone() -> Phone:
    return Phone(make_customer().id)


def run(*events: Event, s: float) -> list[EventResult]:
    return pipeline.run(list(events), now=at(s), params=settings.RAYON)


def told(result: EventResult) -> list[tuple[str | None, str | None, str]]:
    """What a result says: (transition, kind of place, reason) of each decision."""
    return [(each.transition, each.place and each.place.kind, each.reason) for each in result.decisions]


def visits() -> list[tuple]:
    rows = Visit.objects.order_by("entered_at", "aisle_id").values_list(
        "store__ref", "aisle__ref", "entered_at", "exited_at"
    )
    return [
        (store, aisle, (entered - at(0)).total_seconds(), exited and (exited - at(0)).total_seconds())
        for store, aisle, entered, exited in rows
    ]


def test_a_fix_inside_enters_and_one_far_away_leaves(store, phone):
    inside, outside = run(phone.fix(0), phone.fix(100, north_m=500), s=101)
    assert (inside.status, told(inside)) == ("accepted", [("enter", "store", "no_offer")])
    assert (outside.status, told(outside)) == ("accepted", [("exit", "store", "no_offer")])
    assert visits() == [("S1", None, 0, 100)]


def test_a_strong_beacon_enters_the_aisle_and_its_store(store, aisle, phone):
    (result,) = run(phone.beacon(0), s=1)
    assert told(result) == [("enter", "store", "no_offer"), ("enter", "aisle", "no_offer")]
    assert result.decisions[1].place.aisle_ref == "fresh"
    assert visits() == [("S1", "fresh", 0, None), ("S1", None, 0, None)]


def test_a_vague_fix_decides_nothing(store, phone):
    (result,) = run(phone.fix(0, accuracy_m=101), s=1)
    assert (result.status, result.decisions, visits()) == ("accepted", (), [])


def test_the_phones_own_enter_counts_half_without_a_position(store, phone):
    (result,) = run(phone.phone_says("enter", 0, geofence=f"GS{store.id}"), s=1)
    assert told(result) == [("enter", "store", "no_offer")]


def test_the_phones_own_enter_far_from_the_store_is_not_believed(store, phone):
    position = phone.fix(0, north_m=400).position
    (result,) = run(phone.phone_says("enter", 0, geofence=f"GS{store.id}", position=position), s=1)
    assert (result.status, result.decisions, visits()) == ("accepted", (), [])


def test_a_dwell_is_fired_by_the_deadline_once(store, phone):
    run(phone.fix(0), s=1)
    assert Presence.objects.get().due_at == at(120)
    assert pipeline.run_deadlines(now=at(119), limit=10, params=settings.RAYON) == 0
    assert pipeline.run_deadlines(now=at(121), limit=10, params=settings.RAYON) == 1
    assert pipeline.run_deadlines(now=at(122), limit=10, params=settings.RAYON) == 0
    last = Decision.objects.latest("id")
    assert (last.transition, last.reason, last.event_id, last.event_uid) == ("dwell", "no_offer", None, None)
    assert Decision.objects.count() == 2
    assert Visit.objects.get().dwelled_at == at(120)


def test_a_dwell_reached_within_a_batch_belongs_to_the_event_that_reached_it(store, phone):
    first, second = run(phone.fix(0), phone.fix(121), s=122)
    assert told(first) == [(None, None, "stale")]
    assert told(second) == [("dwell", "store", "no_offer")]


def test_twenty_minutes_of_silence_end_a_visit(store, phone):
    run(phone.fix(0), s=1)
    assert pipeline.run_deadlines(now=at(1200), limit=10, params=settings.RAYON) == 1
    assert visits() == [("S1", None, 0, 1200)]
    assert Presence.objects.get().due_at is None


def test_a_late_event_moves_the_visit_and_asks_for_nothing_twice(store, phone):
    run(phone.fix(30), s=31)
    (late,) = run(phone.fix(10), s=40)
    assert (late.status, late.decisions) == ("accepted", ())
    assert visits() == [("S1", None, 10, None)]
    assert Decision.objects.get().visit_id == Visit.objects.get().id


def test_an_event_over_two_minutes_late_has_one_decision_and_still_moves_the_visit(store, phone):
    (late,) = run(phone.fix(0), s=121)
    assert told(late) == [(None, None, "stale")]
    assert visits() == [("S1", None, 0, None)]
    told_to_the_phone, deadline = Decision.objects.order_by("id")
    assert (told_to_the_phone.transition, told_to_the_phone.event_uid is None) == ("", False)
    assert (deadline.transition, deadline.event_uid) == ("dwell", None)


@pytest.mark.parametrize("s", [-86_401, -1_781_000_000, 121])
def test_clocks_that_are_off_are_stored_and_not_acted_on(store, phone, s):
    (result,) = run(phone.fix(s), s=0)
    assert (result.status, told(result), visits()) == ("accepted", [(None, None, "stale")], [])
    assert LocationEvent.objects.get().verdict == "stale"


def test_a_mocked_position_is_implausible(store, phone):
    (result,) = run(phone.fix(0, mock=True), s=1)
    assert (told(result), visits()) == ([(None, None, "implausible_location")], [])
    assert LocationEvent.objects.get().verdict == "implausible_location"


def test_a_jump_is_implausible_also_from_batch_to_batch(store, phone):
    run(phone.fix(0, north_m=50_000), s=1)
    (result,) = run(phone.fix(10), s=11)
    assert (told(result), visits()) == ([(None, None, "implausible_location")], [])


def test_a_late_position_can_show_that_a_visit_never_was(store, phone):
    run(phone.fix(11), s=12)
    run(phone.fix(10, north_m=50_000), s=13)
    assert visits() == []
    assert list(LocationEvent.objects.order_by("occurred_at").values_list("verdict", flat=True)) == [
        "",
        "implausible_location",
    ]
    assert Decision.objects.get().visit_id is None


def test_nothing_is_sent_to_somebody_in_a_car(store, phone):
    run(phone.fix(0, north_m=400), s=1)
    (result,) = run(phone.fix(10), s=11)
    assert told(result) == [("enter", "store", "moving_too_fast")]


def test_without_consent_to_geolocation_no_position_is_kept(store, aisle):
    phone = Phone(make_customer(granted=["push"]).id)
    results = run(phone.fix(0), phone.beacon(1), s=2)
    assert [told(each) for each in results] == [[(None, None, "no_consent")]] * 2
    kept = LocationEvent.objects.values_list(
        "lat", "lon", "accuracy_m", "store", "aisle", "rssi_dbm", "verdict"
    )
    assert list(kept) == [(None, None, None, None, None, None, "no_consent")] * 2
    assert visits() == []


def test_a_position_out_of_reach_of_every_fence_does_nothing(store, phone):
    (result,) = run(phone.fix(0, north_m=3000), s=1)
    assert (result.status, result.decisions, visits()) == ("accepted", (), [])


def test_an_aisle_is_decided_by_its_area_where_a_fix_is_sharp_enough(store, phone):
    from django.contrib.gis.geos import Polygon

    area = Polygon.from_bbox((2.3499, LAT - 10 * M, 2.3501, LAT + 10 * M))
    make_aisle(store, ref="wine", minor=9, area=area)
    vague, sharp = run(phone.fix(0, accuracy_m=20), phone.fix(1, accuracy_m=2), s=2)
    assert told(vague) == [("enter", "store", "no_offer")]
    assert told(sharp) == [("enter", "aisle", "no_offer")]


def test_a_visit_that_ends_and_goes_on_within_one_batch_stays_open(store, phone):
    run(phone.fix(0), s=1)
    out, back = run(phone.fix(77, north_m=500), phone.fix(86), s=87)
    assert told(out) == [("exit", "store", "no_offer")]
    assert told(back) == []
    assert visits() == [("S1", None, 0, None)]


def test_positions_nobody_can_have_been_at_and_repeated_ones_are_counted_by_device(store, phone):
    device = make_device(Customer.objects.get(pk=phone.customer_id))
    first, again, far, mocked = run(
        phone.fix(0), phone.fix(10), phone.fix(20, north_m=9_000), phone.fix(30, mock=True), s=31
    )
    assert [told(each) for each in (first, again)] == [[("enter", "store", "no_offer")], []]
    assert [told(each) for each in (far, mocked)] == [[(None, None, "implausible_location")]] * 2
    device.refresh_from_db()
    assert (device.implausible_fixes, device.repeated_fixes) == (
        2,
        2,
    )  # the mocked one stands where the phone was
    run(phone.fix(40, north_m=3), s=41)
    device.refresh_from_db()
    assert (device.implausible_fixes, device.repeated_fixes) == (2, 2)
