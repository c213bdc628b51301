"""POST /v1/events, from bytes to rows: what is taken, what is refused and how, and that neighbours survive."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from customers.models import ApiKey, Customer, Device
from offers import pipeline
from offers.models import Decision, LocationEvent, Visit
from tests.integration.events.phone import call, call_later, calls, make_token
from tests.integration.events.world import (
    BEACONS,
    LAT,
    LON,
    make_aisle,
    make_customer,
    make_device,
    make_store,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer() -> Customer:
    found = make_customer(ref="buyer")
    make_token(found)
    return found


@pytest.fixture
def aisle():
    return make_aisle(make_store())


def sighting(**fields):
    return {
        "id": str(uuid4()),
        "type": "beacon",
        "beacon": {"uuid": str(BEACONS), "major": 1, "minor": 1, "rssi_dbm": -60},
        "occurred_at": timezone.now().isoformat(),
    } | fields


def fix(**location):
    return {
        "id": str(uuid4()),
        "type": "fix",
        "location": {"lat": LAT, "lon": LON, "accuracy_m": 10.0} | location,
        "occurred_at": timezone.now().isoformat(),
    }


def test_a_sighting_is_decided_and_on_disk_when_it_is_answered(customer, aisle):
    event = sighting()
    answer = call({"events": [event]})
    nothing = {"outcome": "none", "reason": "no_offer", "coupon": None}
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.body == {
        "results": [
            {
                "id": event["id"],
                "status": "accepted",
                "error": None,
                "decisions": [
                    {"transition": "enter", "place": {"kind": "store", "store": "S1", "aisle": None}}
                    | nothing,
                    {"transition": "enter", "place": {"kind": "aisle", "store": "S1", "aisle": "fresh"}}
                    | nothing,
                ],
            }
        ]
    }
    assert LocationEvent.objects.get().event_id.hex == event["id"].replace("-", "")
    assert Visit.objects.count() == 2


def test_the_same_event_again_is_a_duplicate_with_the_first_decisions(customer, aisle):
    event = sighting()
    first = call({"events": [event]})
    again = call({"events": [event, event]})
    assert [each["status"] for each in again.body["results"]] == ["duplicate", "duplicate"]
    assert {json.dumps(each["decisions"]) for each in [*first.body["results"], *again.body["results"]]} == {
        json.dumps(first.body["results"][0]["decisions"])
    }
    assert (LocationEvent.objects.count(), Decision.objects.count()) == (1, 2)


def test_the_same_event_twice_in_one_batch_is_stored_once(customer, aisle):
    event = sighting()
    results = call({"events": [event, event]}).body["results"]
    assert [each["status"] for each in results] == ["accepted", "duplicate"]
    assert results[0]["decisions"] == results[1]["decisions"] != []
    assert LocationEvent.objects.count() == 1


def test_an_id_with_another_body_is_refused_in_one_batch_and_in_the_next(customer, aisle):
    event = sighting()
    other = {**event, "beacon": {**event["beacon"], "rssi_dbm": -61}}
    results = call({"events": [event, other]}).body["results"]
    assert [(each["status"], each["error"]) for each in results] == [
        ("accepted", None),
        ("rejected", "event_id_reused"),
    ]
    (late,) = call({"events": [other]}).body["results"]
    assert (late["status"], late["error"], late["decisions"]) == ("rejected", "event_id_reused", [])


def test_the_same_id_may_be_used_by_another_customer(customer, aisle):
    make_token(make_customer(ref="neighbour"), token="theirs")
    event = sighting()
    answers = [call({"events": [event]}), call({"events": [event]}, token="theirs")]
    assert [each.body["results"][0]["status"] for each in answers] == ["accepted", "accepted"]


BAD = [
    ({"id": "x"}, "invalid"),
    ({"beacon": None}, "invalid"),
    ({"beacon": {"uuid": str(BEACONS), "major": True, "minor": 1}}, "invalid"),
    ({"beacon": {"uuid": str(BEACONS), "major": 1, "minor": 2}}, "unknown_beacon"),
    ({"type": "enter", "beacon": None, "geofence": "GS999999"}, "unknown_geofence"),
    ({"type": "enter", "beacon": None, "geofence": "GS" + "9" * 30}, "unknown_geofence"),
    ({"type": "enter", "beacon": None, "geofence": "elsewhere"}, "unknown_geofence"),
    ({"occurred_at": "yesterday"}, "invalid"),
    ({"location": {"lat": 95, "lon": 2, "accuracy_m": 1}}, "invalid"),
    ({"extra": 1}, "invalid"),
]


def test_each_bad_event_is_rejected_and_its_neighbours_survive(customer, aisle):
    sent = [sighting(), *(sighting() | bad for bad, _ in BAD), fix()]
    first, *rejected, last = call({"events": sent}).body["results"]
    assert [(each["status"], each["error"], each["decisions"]) for each in rejected] == [
        ("rejected", error, []) for _, error in BAD
    ]
    assert (first["status"], last["status"]) == ("accepted", "accepted")
    assert LocationEvent.objects.count() == 2


def test_a_clock_years_off_is_stored_and_named(customer, aisle):
    times = ["1970-01-01T00:00:00Z", "2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
    stale = {"transition": None, "place": None, "outcome": "none", "reason": "stale", "coupon": None}
    results = call({"events": [sighting(occurred_at=when) for when in times]}).body["results"]
    assert [(each["status"], each["decisions"]) for each in results] == [("accepted", [stale])] * 4
    assert LocationEvent.objects.count() == 4
    assert Visit.objects.count() == 0


NOT_JSON = [
    b"",
    b"{",
    b'{"events": [{"id": "x"',
    b'{"events": [NaN]}',
    b'{"events": [{"lat": Infinity}]}',
    b'\xff\xfe{"events": []}',
    b'{"events": ["\\ud800"]}',
    b'{"events": ' + b"[" * 40 + b"]" * 40 + b"}",
    b'{"events": ' + b"[" * 100_000,
]


def test_what_is_not_json_is_refused_as_a_whole(customer):
    for body in NOT_JSON:
        answer = call(body)
        assert (answer.status, answer.body["code"]) == (400, "malformed_json"), body[:40]
        assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_no_list_of_events_is_invalid(customer):
    for body in [{"events": []}, {"events": [{}] * 501}, {}, [], 1, {"events": [{}], "x": 1}]:
        answer = call(body)
        assert (answer.status, answer.body["code"]) == (400, "invalid")


def test_numbers_beyond_a_float_are_invalid_and_nothing_else(customer, aisle):
    body = json.dumps({"events": [fix(), fix()]}).replace("10.0", "1e400", 1).encode()
    assert [each["status"] for each in call(body).body["results"]] == ["rejected", "accepted"]


def test_twenty_megabytes_are_refused_before_they_are_read(customer):
    answer = call(b"", declared=20 * 1024 * 1024)
    assert (answer.status, answer.body["code"]) == (413, "too_large")
    chunks = [b" " * 65_536] * 320
    answer = call(b"", chunks=chunks)
    assert (answer.status, answer.body["code"]) == (413, "too_large")


def test_without_a_valid_token_nothing_is_taken(customer, aisle):
    for authorization in [None, "", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer a-token x", "Bearer é"]:
        answer = call({"events": [sighting()]}, token=None, authorization=authorization)
        assert (answer.status, answer.body["code"]) == (401, "invalid_credentials")
        assert "www-authenticate" in answer.headers
    assert LocationEvent.objects.count() == 0


def test_an_api_key_is_known_and_may_not_send_events(aisle):
    _, key = ApiKey.objects.create_key(name="till", scopes=["purchases:write"])
    answer = call({"events": [sighting()]}, authorization=f"Api-Key {key}")
    assert (answer.status, answer.body["code"]) == (403, "missing_scope")
    assert call({"events": [sighting()]}, authorization="Api-Key no.key").status == 401


def test_an_expired_token_is_no_token(customer):
    customer.tokens.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert call({"events": [sighting()]}).status == 401


def test_other_methods_are_named(customer):
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"]:
        answer = call(b"", method=method)
        assert (answer.status, answer.body["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "POST"


def test_only_json_is_read(customer):
    for content_type in [None, "", "text/plain", "application/x-www-form-urlencoded"]:
        answer = call({"events": [sighting()]}, content_type=content_type)
        assert (answer.status, answer.body["code"]) == (415, "unsupported_media_type")


def test_a_charset_beside_the_type_does_no_harm(customer, aisle):
    assert call({"events": [sighting()]}, content_type="Application/JSON; charset=utf-8").status == 200


def test_a_database_that_cannot_be_reached_is_503_for_all(customer, aisle, monkeypatch):
    def away(events, **_):
        raise OperationalError("connection refused")

    monkeypatch.setattr(pipeline, "run", away)
    answers = calls([call_later({"events": [sighting()]}) for _ in range(3)])
    assert [(each.status, each.body["code"]) for each in answers] == [(503, "unavailable")] * 3
    assert all(int(each.headers["retry-after"]) > 0 for each in answers)


def test_many_phones_at_once_are_each_answered_about_their_own(aisle):
    tokens = [make_token(make_customer(), token=f"token-{n}") for n in range(8)]
    events = [sighting() for _ in tokens]
    answers = calls([call_later({"events": [e]}, token=t) for e, t in zip(events, tokens, strict=True)])
    assert [each.body["results"][0]["id"] for each in answers] == [event["id"] for event in events]
    assert {each.body["results"][0]["status"] for each in answers} == {"accepted"}
    assert Visit.objects.count() == 16


def test_a_poisoned_event_takes_no_other_phone_along(customer, aisle, monkeypatch):
    make_token(make_customer(), token="theirs")
    poison, good, theirs = sighting(), sighting(), sighting()
    run = pipeline.run

    def choking(events, **named):
        if any(str(each.event_id) == poison["id"] for each in events):
            raise ValueError("cannot be processed")
        return run(events, **named)

    monkeypatch.setattr(pipeline, "run", choking)
    mine, other = calls(
        [call_later({"events": [good, poison]}), call_later({"events": [theirs]}, token="theirs")]
    )
    assert [(each["status"], each["error"]) for each in mine.body["results"]] == [
        ("accepted", None),
        ("rejected", "invalid"),
    ]
    assert [each["status"] for each in other.body["results"]] == ["accepted"]


def test_the_sending_device_is_seen(customer, aisle):
    device = make_device(customer)
    before = device.last_seen_at
    call({"events": [sighting()]})
    assert Device.objects.get().last_seen_at > before


def test_an_id_comes_back_as_it_was_sent(customer, aisle):
    event = sighting()
    event["id"] = event["id"].upper()
    assert call({"events": [event]}).body["results"][0]["id"] == event["id"]
