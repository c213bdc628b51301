"""A well-formed body is read in one compiled pass to the same events as event by event, or left to that."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.api.events.parsing import InvalidEvent, event_of, events_of, parse_event
from offers.api.events.wire import well_formed_body, well_formed_frame
from offers.flow import Event
from tests.unit.test_event_parsing import BAD, BEACON, ENTER, FIX, GOOD


def judged(read: Any, raw: Any) -> Event | str:
    try:
        return read(raw, customer_id=1, device_id="phone")
    except InvalidEvent:
        return "invalid"


def body_of(*events: Any) -> bytes:
    return json.dumps({"events": events}).encode()


@pytest.mark.parametrize("raw", [*GOOD, *BAD], ids=str)
def test_what_is_read_in_one_pass_is_what_is_read_event_by_event(raw):
    events = well_formed_body(body_of(raw))
    if events is not None:
        assert [judged(event_of, each) for each in events] == [judged(parse_event, raw)]


@pytest.mark.parametrize("raw", [FIX, BEACON, ENTER], ids=["fix", "beacon", "enter"])
def test_what_phones_usually_send_is_read_in_one_pass(raw):
    events = well_formed_body(body_of(raw, raw))
    assert events is not None
    assert [judged(event_of, each) for each in events] == [judged(parse_event, raw)] * 2


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-200, 70_000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "fix", "enter", "beacon", "2026-11-22T09:03:07Z", "GS1", FIX["id"], "é", "a\\b", '"']
    ),
)


@given(data=st.data())
def test_whatever_one_value_becomes_both_ways_agree(data):
    raw = copy.deepcopy(data.draw(st.sampled_from(GOOD)))
    target = data.draw(st.sampled_from([raw, *(value for value in raw.values() if isinstance(value, dict))]))
    target[data.draw(st.sampled_from([*target, "other"]))] = data.draw(leaves)
    body = body_of(raw)
    events = well_formed_body(body)
    if events is not None:
        [parsed] = events_of(json.loads(body))
        assert [judged(event_of, each) for each in events] == [judged(parse_event, parsed)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"events": []}',
        b'{"events": [{}]}',
        b'{"events": [1]}',
        body_of(FIX)[:-1],
        body_of(FIX) + b"x",
        b"\xef\xbb\xbf" + body_of(FIX),
        body_of(FIX).replace(b"12.0", b"NaN"),
        body_of(FIX).replace(b'"fix"', b'"\\u0066ix"'),
        body_of(FIX).replace(b'"type": "fix"', b'"type": "fix", "type": "fix"'),
        body_of(FIX).replace(b'"lat": 48.85', b'"lat": 48.85, "lat": 48.85'),
        body_of(BEACON).replace(b'"major": 12', b'"major": 11, "major": 12'),
        body_of(ENTER).replace(b'"GS1"', b'"GS\xff"'),
        b'{"events": [], "events": ' + body_of(FIX)[11:],
        body_of(*[FIX] * 501),
    ],
)
def test_what_is_not_well_formed_is_left_to_be_looked_at_closer(body):
    assert well_formed_body(body) is None


def test_a_socket_s_frame_has_a_number_beside_its_events():
    raw = json.dumps({"type": "events", "seq": 7, "events": [FIX]}).encode()
    frame = well_formed_frame(raw)
    assert frame is not None
    assert (frame.seq, [judged(event_of, each) for each in frame.events]) == (7, [judged(parse_event, FIX)])
    for other in (
        b'{"type":"ping"}',
        raw.replace(b"7", b"-1"),
        raw.replace(b"7", b"true"),
        raw.replace(b'"seq": 7', b'"seq": 7, "seq": 7'),
        raw.replace(b"events", b"event", 1),
    ):
        assert well_formed_frame(other) is None
