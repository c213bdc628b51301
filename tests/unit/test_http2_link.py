"""Our side of HTTP/2 against h2's, which is strict: requests, answers, windows, tables, and what is not to be borne."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    PingAckReceived,
    PingReceived,
    RequestReceived,
    SettingsAcknowledged,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes
from hpack import Decoder, HeaderTuple, NeverIndexedHeaderTuple
from hyperframe.frame import DataFrame, Frame, HeadersFrame, PingFrame, RstStreamFrame, WindowUpdateFrame
from hypothesis import given
from hypothesis import strategies as st

from offers.gateways.http2_frames import MAX_STREAM_ID, ConnectionBroken, GoAway
from offers.gateways.http2_headers import BlockEncoder, Fixed, never_indexed
from offers.gateways.http2_link import WINDOW_STEP_BYTES, Link

FIXED = (
    HeaderTuple(b":method", b"POST"),
    HeaderTuple(b":scheme", b"https"),
    HeaderTuple(b":authority", b"push.example"),
    HeaderTuple(b":path", b"/send"),
)


@dataclass
class Ears:
    heard: list[tuple[Any, ...]] = field(default_factory=list)

    def on_headers(self, stream_id: int, headers: Sequence[HeaderTuple], *, ends: bool) -> None:
        self.heard.append(("headers", stream_id, [tuple(header) for header in headers], ends))

    def on_data(self, stream_id: int, data: bytes, *, ends: bool) -> None:
        self.heard.append(("data", stream_id, data, ends))

    def on_reset(self, stream_id: int, code: int) -> None:
        self.heard.append(("reset", stream_id, code))

    def on_goaway(self, goaway: GoAway) -> None:
        self.heard.append(("goaway", goaway))

    def on_pong(self) -> None:
        self.heard.append(("pong",))


@dataclass
class Pair:
    """The two ends, and what passes between them."""

    settings: dict[SettingCodes, int] = field(default_factory=dict)
    ears: Ears = field(default_factory=Ears)

    def __post_init__(self) -> None:
        self.link = Link(self.ears)
        self.server = H2Connection(H2Configuration(client_side=False))
        self.server.initiate_connection()
        self.server.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 100, **self.settings})
        self.events = self.exchange()

    def exchange(self) -> list[Any]:
        """Let everything that waits pass; return what the server saw."""
        events: list[Any] = []
        for _ in range(4):
            events += self.server.receive_data(self.link.unwritten())
            self.link.take(self.server.data_to_send())
        return events


def test_a_request_and_its_answer() -> None:
    pair = Pair()
    secret = never_indexed(b"authorization", b"Bearer abc")

    stream_id = pair.link.open((FIXED, secret), b'{"a":1}')
    events = pair.exchange()
    pair.server.send_headers(stream_id, [(":status", "200"), ("retry-after", "7")])
    pair.server.send_data(stream_id, b"well", end_stream=True)
    pair.exchange()

    [request] = [event for event in events if isinstance(event, RequestReceived)]
    [data] = [event for event in events if isinstance(event, DataReceived)]
    assert request.headers == [*FIXED, (b"authorization", b"Bearer abc")]
    assert isinstance(request.headers[-1], NeverIndexedHeaderTuple)
    assert (data.data, [e.stream_id for e in events if isinstance(e, StreamEnded)]) == (b'{"a":1}', [1])
    assert pair.ears.heard == [
        ("headers", 1, [(b":status", b"200"), (b"retry-after", b"7")], False),
        ("data", 1, b"well", True),
    ]


def test_the_settings_are_acknowledged_and_the_streams_counted() -> None:
    pair = Pair()

    assert any(isinstance(event, SettingsAcknowledged) for event in pair.events)
    assert pair.link.limit == 100


def test_before_the_other_end_s_first_word_no_stream_is_allowed() -> None:
    assert Link(Ears()).limit == 0


@given(
    lists=st.lists(st.sampled_from([("a", 1), ("a", 2), ("b", 900), ("c", 3000)]), min_size=1, max_size=12),
    table=st.sampled_from([0, 100, 4096, 65_536]),
    change_at=st.integers(0, 12),
)
def test_whatever_lists_alternate_and_however_the_table_changes_the_headers_arrive(
    lists: list[tuple[str, int]], table: int, change_at: int
) -> None:
    encoder, decoder = BlockEncoder(), Decoder(1 << 20)
    decoder.max_allowed_table_size = 1 << 16
    for number, (name, size) in enumerate(lists):
        if number == change_at:
            encoder.allow_table(table)
            decoder.max_allowed_table_size = table
        fixed: Fixed = (*FIXED, HeaderTuple(name.encode(), b"x" * size))
        own = b"token-%d" % number
        block = encoder.encoded((fixed, never_indexed(b"authorization", own), never_indexed(b"x-id", own)))

        assert decoder.decode(block, raw=True) == [
            *fixed,
            (b"authorization", own),
            (b"x-id", own),
        ]


def test_a_list_that_was_sent_before_costs_a_byte_a_header() -> None:
    encoder = BlockEncoder()
    sizes = [len(encoder.encoded((FIXED,))) for _ in range(3)]

    assert sizes[1:] == [len(FIXED), len(FIXED)] < [sizes[0]] * 2


@given(value=st.binary(max_size=600), name=st.sampled_from([b":path", b"authorization", b"x" * 130]))
def test_a_value_of_any_size_is_read_back_and_marked(name: bytes, value: bytes) -> None:
    [header] = Decoder().decode(never_indexed(name, value), raw=True)

    assert header == (name, value)
    assert isinstance(header, NeverIndexedHeaderTuple)


def test_a_body_waits_for_the_window_and_goes_when_it_opens() -> None:
    pair = Pair()
    for _ in range(4):
        assert pair.link.has_room(16_000)
        pair.link.open((FIXED,), b"x" * 16_000)
    assert not pair.link.has_room(16_000)

    pair.exchange()
    pair.server.increment_flow_control_window(64_000)
    pair.exchange()

    assert pair.link.has_room(16_000)


def test_a_body_larger_than_a_stream_s_window_waits() -> None:
    pair = Pair(settings={SettingCodes.INITIAL_WINDOW_SIZE: 100})

    assert (pair.link.has_room(100), pair.link.has_room(101)) == (True, False)


def test_what_comes_is_acknowledged_so_that_the_other_end_never_stalls() -> None:
    pair = Pair()
    stream_id = pair.link.open((FIXED,), b"{}")
    pair.exchange()
    pair.server.send_headers(stream_id, [(":status", "200")])
    before = pair.server.outbound_flow_control_window

    for _ in range(WINDOW_STEP_BYTES // 16_000 + 1):
        pair.server.send_data(stream_id, b"x" * 16_000)
        pair.exchange()

    assert pair.server.outbound_flow_control_window >= before - WINDOW_STEP_BYTES


def test_a_ping_is_answered_both_ways() -> None:
    pair = Pair()
    pair.server.ping(b"theirs!!")
    pair.link.ping()

    events = pair.exchange()

    assert [e.ping_data for e in events if isinstance(e, PingAckReceived)] == [b"theirs!!"]
    assert [e.ping_data for e in events if isinstance(e, PingReceived)] == [b"are you?"]
    assert pair.ears.heard == [("pong",)]


def test_a_reset_and_a_good_bye_are_told_and_a_cancelled_stream_is_over_there() -> None:
    pair = Pair()
    first, second = (pair.link.open((FIXED,), b"{}") for _ in range(2))
    pair.exchange()
    pair.server.reset_stream(first, error_code=7)
    pair.link.cancel(second)
    events = pair.exchange()
    pair.server.close_connection(last_stream_id=second, additional_data=b'{"reason":"Shutdown"}')
    pair.link.take(pair.server.data_to_send())

    assert [(e.stream_id, e.error_code) for e in events if isinstance(e, StreamReset)] == [(second, 8)]
    assert pair.ears.heard == [
        ("reset", first, 7),
        ("goaway", GoAway(last_stream_id=second, reason="Shutdown")),
    ]


def test_answers_to_streams_that_are_over_are_borne() -> None:
    pair = Pair()
    stream_id = pair.link.open((FIXED,), b"{}")
    pair.exchange()
    pair.link.take(RstStreamFrame(stream_id, error_code=0).serialize())
    pair.link.take(DataFrame(stream_id, data=b"late").serialize())

    assert [what[0] for what in pair.ears.heard] == ["reset", "data"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (HeadersFrame(1, data=b"\x88", flags=["END_HEADERS"]), "PROTOCOL_ERROR"),  # never opened
        (HeadersFrame(2, data=b"\x88", flags=["END_HEADERS"]), "PROTOCOL_ERROR"),
        (DataFrame(1, data=b"x"), "PROTOCOL_ERROR"),
        (RstStreamFrame(7), "PROTOCOL_ERROR"),
        (WindowUpdateFrame(0, window_increment=MAX_STREAM_ID), "FLOW_CONTROL_ERROR"),
        (b"\0\0\4\x08\0\0\0\0\0" + bytes(4), "PROTOCOL_ERROR"),  # a window opened by nothing
        (b"\0\0\x06\4\0\0\0\0\0" + b"\0\4\x80\0\0\0", "FLOW_CONTROL_ERROR"),  # a window that is too large
        (b"\0\0\0\4\0\0\0\0\1", "PROTOCOL_ERROR"),  # settings of a stream
        (b"\0\0\3\6\0\0\0\0\0abc", "FRAME_SIZE_ERROR"),  # a short ping
        (b"\0\0\4\5\4\0\0\0\1" + b"\0\0\0\2", "PROTOCOL_ERROR"),  # a push
    ],
)
def test_what_breaks_the_protocol_ends_the_connection_with_a_word(frame: Frame | bytes, code: str) -> None:
    link, server = Link(Ears()), H2Connection(H2Configuration(client_side=False))
    server.receive_data(link.unwritten())

    with pytest.raises(ConnectionBroken, match=code):
        link.take(frame if isinstance(frame, bytes) else frame.serialize())

    [end] = [e for e in server.receive_data(link.unwritten()) if isinstance(e, ConnectionTerminated)]
    assert end.error_code.name == code


def test_a_block_that_cannot_be_read_ends_the_connection() -> None:
    pair = Pair()
    pair.link.open((FIXED,), b"{}")

    with pytest.raises(ConnectionBroken, match="COMPRESSION_ERROR"):
        pair.link.take(HeadersFrame(1, data=b"\xff\xff\xff", flags=["END_HEADERS"]).serialize())


def test_frames_of_kinds_that_are_unknown_are_passed_over() -> None:
    pair = Pair()
    pair.link.take(b"\0\0\3\x2a\0\0\0\0\0abc" + PingFrame(0, opaque_data=b"8 bytes!").serialize())

    assert pair.link.unwritten() == PingFrame(0, opaque_data=b"8 bytes!", flags=["ACK"]).serialize()
