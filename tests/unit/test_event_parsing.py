"""What the hot door takes for an event, and that the documented serializer takes exactly the same."""

import copy
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.api.problems import Problem
from offers.api.events.documented import EventBody
from offers.api.events.parsing import InvalidEvent, events_of, parse_event, sent_id
from offers.flow import Position, Sighting

ID = "0190d3a2-7c1e-7000-8000-00000000000a"
FIX = {
    "id": ID,
    "type": "fix",
    "location": {"lat": 48.85, "lon": 2.35, "accuracy_m": 12.0, "is_mock": False},
    "occurred_at": "2026-11-22T10:03:07+01:00",
}
BEACON = {
    "id": ID,
    "type": "beacon",
    "beacon": {"uuid": "F7826DA6-4FA2-4E98-8024-BC5B71E0893E", "major": 12, "minor": 3, "rssi_dbm": -61},
    "occurred_at": "2026-11-22T09:03:07Z",
}
ENTER = {"id": ID, "type": "enter", "geofence": "GS1", "occurred_at": "2026-11-22T09:03:07.5Z"}


def parse(raw):
    return parse_event(raw, customer_id=1, device_id="phone")


def changed(raw, path, value):
    """The event with one value at a dotted path; Ellipsis takes the field away."""
    event = copy.deepcopy(raw)
    *above, last = path.split(".")
    target = event
    for name in above:
        target = target[name]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return event


def test_a_fix_becomes_typed_values_in_utc():
    event = parse(FIX)
    assert event.event_id == ID
    assert event.position == Position(lat=48.85, lon=2.35, accuracy_m=12.0, is_mock=False)
    assert event.occurred_at == datetime(2026, 11, 22, 9, 3, 7, tzinfo=UTC)
    assert (event.customer_id, event.device_id, event.geofence, event.beacon) == (1, "phone", None, None)


def test_a_scanned_code_is_a_beacon_without_a_strength():
    event = parse(changed(BEACON, "beacon.rssi_dbm", ...))
    assert event.beacon == Sighting(uuid=BEACON["beacon"]["uuid"].lower(), major=12, minor=3, rssi_dbm=None)


GOOD = [
    FIX,
    BEACON,
    ENTER,
    changed(ENTER, "type", "exit"),
    changed(ENTER, "type", "dwell"),
    {**ENTER, "location": FIX["location"], "beacon": None},
    {**BEACON, "location": FIX["location"], "geofence": None},
    changed(FIX, "location.is_mock", ...),
    changed(FIX, "location.lat", 90),
    changed(FIX, "location.lat", -0.0),
    changed(FIX, "location.lon", -180.0),
    changed(FIX, "location.accuracy_m", 0),
    changed(FIX, "id", ID.upper()),
    changed(FIX, "occurred_at", "1970-01-01T00:00:00Z"),
    changed(FIX, "occurred_at", "9999-12-31T23:59:59Z"),
    changed(BEACON, "beacon.major", 0),
    changed(BEACON, "beacon.major", 12.0),
    changed(BEACON, "beacon.minor", 65_535),
    changed(BEACON, "beacon.rssi_dbm", None),
]
BAD = [
    None,
    [],
    "fix",
    7,
    {},
    changed(FIX, "id", ...),
    changed(FIX, "id", 5),
    changed(FIX, "id", None),
    changed(FIX, "id", "x"),
    changed(FIX, "id", "{" + ID + "}"),
    changed(FIX, "id", ID.replace("-", "")),
    changed(FIX, "id", f"urn:uuid:{ID}"),
    changed(FIX, "id", ID + "\n"),
    changed(FIX, "type", "teleport"),
    changed(FIX, "type", None),
    changed(FIX, "type", ["fix"]),
    changed(FIX, "location", ...),
    changed(FIX, "location", None),
    changed(FIX, "location", []),
    changed(FIX, "location", "48,2"),
    changed(FIX, "location.lat", ...),
    changed(FIX, "location.lat", None),
    changed(FIX, "location.lat", True),
    changed(FIX, "location.lat", "48.85"),
    changed(FIX, "location.lat", 90.000001),
    changed(FIX, "location.lon", -180.000001),
    changed(FIX, "location.lat", math.inf),
    changed(FIX, "location.lat", math.nan),
    changed(FIX, "location.lat", 10**400),
    changed(FIX, "location.accuracy_m", -0.1),
    changed(FIX, "location.accuracy_m", math.inf),
    changed(FIX, "location.accuracy_m", ...),
    changed(FIX, "location.is_mock", 1),
    changed(FIX, "location.is_mock", "true"),
    changed(FIX, "location.is_mock", None),
    {**FIX, "location": {**FIX["location"], "altitude": 3}},
    {**FIX, "speed": 3},
    {**FIX, "geofence": "GS1"},
    {**FIX, "beacon": BEACON["beacon"]},
    changed(FIX, "occurred_at", ...),
    changed(FIX, "occurred_at", 1_700_000_000),
    changed(FIX, "occurred_at", "2026-11-22T10:03:07"),
    changed(FIX, "occurred_at", "2026-11-22"),
    changed(FIX, "occurred_at", "2026-11-22T10:03:60Z"),
    changed(FIX, "occurred_at", "2026-13-22T10:03:07Z"),
    changed(FIX, "occurred_at", "0000-01-01T00:00:00Z"),
    changed(FIX, "occurred_at", "0001-01-01T00:00:00+01:00"),
    changed(FIX, "occurred_at", "20261122T100307Z"),
    changed(ENTER, "geofence", ...),
    changed(ENTER, "geofence", None),
    changed(ENTER, "geofence", ""),
    changed(ENTER, "geofence", 1),
    changed(ENTER, "geofence", "G" * 65),
    changed(ENTER, "geofence", "GS1\x00"),
    changed(BEACON, "beacon", ...),
    changed(BEACON, "beacon.uuid", 5),
    changed(BEACON, "beacon.major", -1),
    changed(BEACON, "beacon.major", 65_536),
    changed(BEACON, "beacon.major", True),
    changed(BEACON, "beacon.major", 1.5),
    changed(BEACON, "beacon.major", "1"),
    changed(BEACON, "beacon.minor", ...),
    changed(BEACON, "beacon.minor", math.inf),
    changed(BEACON, "beacon.rssi_dbm", -129),
    changed(BEACON, "beacon.rssi_dbm", 21),
    changed(BEACON, "beacon.rssi_dbm", -60.5),
    {**BEACON, "beacon": {**BEACON["beacon"], "tx": 1}},
    {**BEACON, "geofence": "GS1"},
]


@pytest.mark.parametrize("raw", GOOD)
def test_what_the_contract_says_is_taken_here_and_by_the_documented_view(raw):
    parse(raw)
    documented = EventBody(data=raw)
    assert documented.is_valid(), documented.errors


@pytest.mark.parametrize("raw", BAD)
def test_anything_else_is_refused_here_and_by_the_documented_view(raw):
    with pytest.raises(InvalidEvent):
        parse(raw)
    assert not EventBody(data=raw).is_valid()


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just([]) | st.just({})
)
PATHS = ["id", "type", "geofence", "location", "beacon", "occurred_at", "other"]


@settings(max_examples=300, deadline=None)
@given(
    raw=st.sampled_from([FIX, BEACON, ENTER]),
    path=st.sampled_from(PATHS),
    inner=st.sampled_from(["", "lat", "lon", "accuracy_m", "is_mock", "uuid", "major", "minor", "rssi_dbm"]),
    value=SCALARS,
)
def test_both_agree_on_whatever_is_sent(raw, path, inner, value):
    event = copy.deepcopy(raw)
    if inner and isinstance(event.get(path), dict):
        event[path][inner] = value
    else:
        event[path] = value
    try:
        parse(event)
        taken = True
    except InvalidEvent:
        taken = False
    assert EventBody(data=event).is_valid() is taken


def test_the_digest_is_of_what_is_said_and_not_of_how():
    same = [
        FIX,
        changed(FIX, "occurred_at", "2026-11-22T09:03:07.000Z"),
        changed(FIX, "location.accuracy_m", 12),
        changed(FIX, "location.is_mock", ...),
        {**FIX, "geofence": None},
        dict(reversed(FIX.items())),
    ]
    assert len({parse(raw).digest for raw in same}) == 1
    others = [
        changed(FIX, "location.lat", 48.86),
        changed(FIX, "location.is_mock", True),
        changed(FIX, "occurred_at", "2026-11-22T10:03:08+01:00"),
    ]
    assert len({parse(raw).digest for raw in [FIX, *others]}) == 4


@pytest.mark.parametrize(
    ("raw", "expected"), [(FIX, ID), ({"id": "x"}, "x"), ({"id": 5}, ""), ({}, ""), (None, ""), ([], "")]
)
def test_a_result_carries_the_id_as_it_was_sent(raw, expected):
    assert sent_id(raw) == expected


@pytest.mark.parametrize(
    "body",
    [None, [], "x", {}, {"events": None}, {"events": {}}, {"events": []}, {"events": [FIX], "x": 1}],
)
def test_a_body_that_is_no_list_of_events_is_invalid_as_a_whole(body):
    with pytest.raises(Problem) as refused:
        events_of(body)
    assert (refused.value.status_code, refused.value.body["code"]) == (400, "invalid")


def test_one_to_five_hundred_events_are_taken():
    assert len(events_of({"events": [FIX] * 500})) == 500
    with pytest.raises(Problem) as refused:
        events_of({"events": [FIX] * 501})
    assert refused.value.body["errors"][0]["code"] == "max_length"
