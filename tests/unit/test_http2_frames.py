"""HTTP/2's frames, cut out of what comes in, however the bytes are cut."""

import json

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    SettingsFrame,
)
from hypothesis import given
from hypothesis import strategies as st

from offers.gateways.http2_frames import (
    MAX_FRAME_BYTES,
    Code,
    ConnectionBroken,
    Frames,
    GoAway,
    HeaderBlocks,
    Kind,
    goaway_in,
    headers_frames,
    number_in,
    settings_in,
    unpadded,
)

SOME: list[tuple[Frame, tuple[int, int, int, bytes]]] = [
    (SettingsFrame(0, settings={3: 100}), (Kind.SETTINGS, 0, 0, b"\0\3\0\0\0\x64")),
    (HeadersFrame(1, data=b"\x88", flags=["END_HEADERS"]), (Kind.HEADERS, 4, 1, b"\x88")),
    (DataFrame(3, data=b"x" * 300, flags=["END_STREAM"]), (Kind.DATA, 1, 3, b"x" * 300)),
    (PingFrame(0, opaque_data=b"8 bytes!"), (Kind.PING, 0, 0, b"8 bytes!")),
    (GoAwayFrame(last_stream_id=5), (Kind.GOAWAY, 0, 0, b"\0\0\0\5\0\0\0\0")),
]


@given(data=st.data())
def test_however_the_bytes_are_cut_the_frames_are_the_same(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(SOME), max_size=8))
    raw = b"".join(frame.serialize() for frame, _ in chosen)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    reader, seen = Frames(), []
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        seen += reader.take(raw[start:end])

    assert seen == [read for _, read in chosen]


def test_a_frame_larger_than_we_allow_breaks_the_connection_by_its_head() -> None:
    head = (MAX_FRAME_BYTES + 1).to_bytes(3) + b"\x00\x00" + (1).to_bytes(4)

    with pytest.raises(ConnectionBroken, match="FRAME_SIZE_ERROR"):
        list(Frames().take(head))


def test_the_reserved_bit_is_not_part_of_the_stream() -> None:
    raw = bytearray(PingFrame(0, opaque_data=b"8 bytes!").serialize())
    raw[5] |= 0x80

    assert list(Frames().take(bytes(raw))) == [(Kind.PING, 0, 0, b"8 bytes!")]


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
    payload = GoAwayFrame(last_stream_id=7, additional_data=debug).serialize_body()

    assert goaway_in(payload) == GoAway(last_stream_id=7, reason=reason)
    assert goaway_in(b"\x80" + payload[1:]).last_stream_id == 7  # the reserved bit is not part of it


@given(
    block=st.binary(max_size=40_000),
    pad=st.integers(0, 255),
    cut=st.integers(0, 16_000),
)
def test_a_block_is_the_same_in_one_frame_or_several(block: bytes, pad: int, cut: int) -> None:
    first, rest = block[:cut], block[cut:]
    sent = [HeadersFrame(1, data=first, pad_length=pad, flags=["PADDED", "END_STREAM"])]
    parts = [rest[at : at + MAX_FRAME_BYTES] for at in range(0, len(rest), MAX_FRAME_BYTES)] or [b""]
    sent += [ContinuationFrame(1, data=part) for part in parts]
    sent[-1].flags.add("END_HEADERS")

    assert _read(b"".join(frame.serialize() for frame in sent)) == block
    assert _read(headers_frames(1, block)) == block


def _read(raw: bytes) -> bytes:
    blocks, found = HeaderBlocks(most_bytes=1 << 16), None
    for kind, flags, stream_id, payload in Frames().take(raw):
        assert found is None
        blocks.check(kind)
        found = blocks.take(flags, stream_id, payload)
    assert found is not None
    return found[1]


def test_nothing_may_come_between_the_frames_of_a_block_nor_after_it_more_of_it() -> None:
    blocks = HeaderBlocks(most_bytes=1 << 16)
    with pytest.raises(ConnectionBroken, match="PROTOCOL_ERROR"):
        blocks.check(Kind.CONTINUATION)

    assert blocks.take(0, 1, b"half") is None
    for kind in (Kind.DATA, Kind.HEADERS, Kind.PING):
        with pytest.raises(ConnectionBroken, match="PROTOCOL_ERROR"):
            blocks.check(kind)
    with pytest.raises(ConnectionBroken, match="PROTOCOL_ERROR"):
        blocks.take(4, 3, b"of another stream")


def test_a_block_without_end_is_not_gathered_for_ever() -> None:
    blocks = HeaderBlocks(most_bytes=100)
    blocks.take(0, 1, b"x" * 60)

    with pytest.raises(ConnectionBroken, match="ENHANCE_YOUR_CALM"):
        blocks.take(0, 1, b"x" * 60)


@pytest.mark.parametrize(
    ("read", "code"),
    [
        (lambda: number_in(b"\0\0\0"), Code.FRAME_SIZE_ERROR),
        (lambda: settings_in(b"\0\3\0\0\0"), Code.FRAME_SIZE_ERROR),
        (lambda: goaway_in(b"\0\0\0\1"), Code.FRAME_SIZE_ERROR),
        (lambda: unpadded(8, b""), Code.PROTOCOL_ERROR),
        (lambda: unpadded(8, b"\3abc"), None),
        (lambda: unpadded(8, b"\4abc"), Code.PROTOCOL_ERROR),
    ],
)
def test_a_payload_that_is_none_breaks_the_connection(read, code: Code | None) -> None:
    if code is None:
        assert read() == b""
        return
    with pytest.raises(ConnectionBroken) as caught:
        read()
    assert caught.value.code is code
