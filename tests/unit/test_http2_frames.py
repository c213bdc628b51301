"""GOAWAY, taken out of what comes in, however the bytes are cut."""

import json
from typing import Any

import pytest
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame
from hypothesis import given
from hypothesis import strategies as st

from offers.gateways.http2_frames import MAX_FRAME_BYTES, Frames, GoAway


def goaway(last_stream_id: int, debug: bytes = b"") -> GoAwayFrame:
    return GoAwayFrame(last_stream_id=last_stream_id, additional_data=debug)


OTHERS: list[Frame] = [
    SettingsFrame(0, settings={3: 100}),
    HeadersFrame(1, data=b"\x88", flags=["END_HEADERS"]),
    DataFrame(1, data=b"x" * 300, flags=["END_STREAM"]),
    PingFrame(0, opaque_data=b"8 bytes!"),
]


@given(data=st.data())
def test_however_the_bytes_are_cut_the_frames_are_the_same(data: st.DataObject) -> None:
    frames = data.draw(st.lists(st.sampled_from([*OTHERS, goaway(5), goaway(9)]), max_size=8))
    raw = b"".join(frame.serialize() for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    reader, known, seen = Frames(), b"", []
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        whole, found = reader.take(raw[start:end])
        known += whole
        seen += [found.last_stream_id] if found else []

    assert known == b"".join(frame.serialize() for frame in frames if not isinstance(frame, GoAwayFrame))
    said = [frame.last_stream_id for frame in frames if isinstance(frame, GoAwayFrame)]
    assert seen[-1:] == said[-1:]


@pytest.mark.parametrize(
    ("debug", "reason"),
    [
        (json.dumps({"reason": "Shutdown"}).encode(), "Shutdown"),
        (b"", ""),
        (b"gone", ""),
        (b"[]", ""),
        (b'{"reason": 7}', ""),
        (b'{"reason": "a token: abc"}', ""),
        (b"[" * 5000, ""),
    ],
)
def test_a_reason_is_taken_only_if_it_looks_like_one(debug: bytes, reason: str) -> None:
    assert Frames().take(goaway(7, debug).serialize()) == (b"", GoAway(last_stream_id=7, reason=reason))


def test_the_reserved_bit_is_not_part_of_the_stream() -> None:
    raw: Any = bytearray(goaway(7).serialize())
    raw[9] |= 0x80

    assert Frames().take(bytes(raw))[1] == GoAway(last_stream_id=7, reason="")


def test_a_frame_larger_than_we_allow_is_passed_on_at_once_for_h2_to_refuse() -> None:
    head = (MAX_FRAME_BYTES + 1).to_bytes(3) + b"\x00\x00" + (1).to_bytes(4)

    assert Frames().take(head) == (head, None)
