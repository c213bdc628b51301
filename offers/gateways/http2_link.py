"""A client's side of HTTP/2 (RFC 9113) without a network: requests become bytes, and bytes what is heard of streams.

A request is a block of headers and a body in one frame; so a stream's own window never matters once it is open.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from hpack import Decoder, HeaderTuple, HPACKError

from .http2_frames import (
    ACK,
    END_STREAM,
    MAX_FRAME_BYTES,
    MAX_STREAM_ID,
    MAX_WINDOW_BYTES,
    PREFACE,
    Code,
    ConnectionBroken,
    Frames,
    GoAway,
    HeaderBlocks,
    Kind,
    Setting,
    frame,
    goaway_frame,
    goaway_in,
    headers_frames,
    number_frame,
    number_in,
    settings_frame,
    settings_in,
    unpadded,
)
from .http2_headers import Block, BlockEncoder

MAX_BODY_BYTES = MAX_FRAME_BYTES
MAX_HEADERS_BYTES = 1 << 16
DEFAULT_WINDOW_BYTES = (1 << 16) - 1  # of a stream, and of the connection at first
WINDOW_BYTES = 1 << 20  # that the other end may send besides, over all streams
WINDOW_STEP_BYTES = 1 << 15  # the connection's window is opened again in steps of this size
_HELLO = (
    PREFACE
    + settings_frame({Setting.ENABLE_PUSH: 0, Setting.MAX_HEADER_LIST_SIZE: MAX_HEADERS_BYTES})
    + number_frame(Kind.WINDOW_UPDATE, WINDOW_BYTES)
)


class Ears(Protocol):
    """Who is told. Of streams that are over, more may be heard."""

    def on_headers(self, stream_id: int, headers: Sequence[HeaderTuple], *, ends: bool) -> None: ...
    def on_data(self, stream_id: int, data: bytes, *, ends: bool) -> None: ...
    def on_reset(self, stream_id: int, code: int) -> None: ...
    def on_goaway(self, goaway: GoAway) -> None: ...
    def on_pong(self) -> None: ...


class Link:
    """What is to be written gathers until `unwritten` is asked for it."""

    def __init__(self, ears: Ears) -> None:
        self.limit = 0  # streams that the other end allows; none before its first word
        self._ears = ears
        self._frames, self._blocks = Frames(), HeaderBlocks(most_bytes=MAX_HEADERS_BYTES)
        self._encoder, self._decoder = BlockEncoder(), Decoder(MAX_HEADERS_BYTES)
        self._unwritten = [_HELLO]
        self._next_stream_id = 1
        self._window = self._stream_window = DEFAULT_WINDOW_BYTES  # that the other end takes
        self._to_acknowledge = 0
        self._handlers: Mapping[int, Callable[[int, int, bytes], None]] = {
            Kind.DATA: self._data,
            Kind.HEADERS: self._headers,
            Kind.RST_STREAM: self._reset,
            Kind.SETTINGS: self._settings,
            Kind.PUSH_PROMISE: self._push_promise,
            Kind.PING: self._ping,
            Kind.GOAWAY: self._goaway,
            Kind.WINDOW_UPDATE: self._window_update,
            Kind.CONTINUATION: self._headers,
        }

    # --- out ------------------------------------------------------------------------------------------------

    @property
    def is_used_up(self) -> bool:
        """Whether there are no more streams to be had."""
        return self._next_stream_id > MAX_STREAM_ID

    def has_room(self, size: int) -> bool:
        """Whether a body of so many bytes may go now."""
        return size <= self._window and size <= self._stream_window

    def open(self, block: Block, body: bytes) -> int:
        """Open a stream with a whole request, for which there is room; return its number."""
        stream_id = self._next_stream_id
        self._next_stream_id += 2
        self._window -= len(body)
        self._unwritten += (
            headers_frames(stream_id, self._encoder.encoded(block)),
            frame(Kind.DATA, flags=END_STREAM, stream_id=stream_id, payload=body),
        )
        return stream_id

    def cancel(self, stream_id: int) -> None:
        """Tell the other end that the answer is of no use any more."""
        self._unwritten.append(number_frame(Kind.RST_STREAM, Code.CANCEL, stream_id=stream_id))

    def ping(self) -> None:
        """Ask the other end for a sign of life."""
        self._unwritten.append(frame(Kind.PING, payload=b"are you?"))

    def unwritten(self) -> bytes:
        """Return what is to be written, once."""
        data = b"".join(self._unwritten)
        self._unwritten.clear()
        return data

    # --- in -------------------------------------------------------------------------------------------------

    def take(self, data: bytes) -> None:
        """Take in what came, and tell the ears.

        Raises ConnectionBroken for what breaks the protocol; the other end's good-bye is then to be written.
        """
        handlers, blocks = self._handlers, self._blocks
        try:
            for kind, flags, stream_id, payload in self._frames.take(data):
                blocks.check(kind)
                handle = handlers.get(kind)
                if handle is not None:
                    handle(flags, stream_id, payload)
        except ConnectionBroken as error:
            self._unwritten.append(goaway_frame(error.code))
            raise
        if self._to_acknowledge >= WINDOW_STEP_BYTES:
            self._unwritten.append(number_frame(Kind.WINDOW_UPDATE, self._to_acknowledge))
            self._to_acknowledge = 0

    def _headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._check_stream(stream_id)
        whole = self._blocks.take(flags, stream_id, payload)
        if whole is None:
            return
        first_flags, block = whole
        try:
            # Also where nobody waits for it any more: the table is everybody's.
            headers = list(self._decoder.decode(block, raw=True))
        except HPACKError as error:
            raise ConnectionBroken(Code.COMPRESSION_ERROR) from error
        self._ears.on_headers(stream_id, headers, ends=bool(first_flags & END_STREAM))

    def _data(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._check_stream(stream_id)
        self._to_acknowledge += len(payload)
        self._ears.on_data(stream_id, unpadded(flags, payload), ends=bool(flags & END_STREAM))

    def _reset(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._check_stream(stream_id)
        self._ears.on_reset(stream_id, number_in(payload))

    def _settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            raise ConnectionBroken(Code.PROTOCOL_ERROR)
        if flags & ACK:
            return
        given = settings_in(payload)
        self.limit = given.get(Setting.MAX_CONCURRENT_STREAMS, self.limit or MAX_STREAM_ID)
        self._stream_window = given.get(Setting.INITIAL_WINDOW_SIZE, self._stream_window)
        if self._stream_window > MAX_WINDOW_BYTES:
            raise ConnectionBroken(Code.FLOW_CONTROL_ERROR)
        if Setting.HEADER_TABLE_SIZE in given:
            self._encoder.allow_table(given[Setting.HEADER_TABLE_SIZE])
        self._unwritten.append(frame(Kind.SETTINGS, flags=ACK))

    def _push_promise(self, flags: int, stream_id: int, payload: bytes) -> None:
        raise ConnectionBroken(Code.PROTOCOL_ERROR)  # we said that we want none

    def _ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        if len(payload) != 8:
            raise ConnectionBroken(Code.FRAME_SIZE_ERROR)
        if flags & ACK:
            self._ears.on_pong()
        else:
            self._unwritten.append(frame(Kind.PING, flags=ACK, payload=payload))

    def _goaway(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._ears.on_goaway(goaway_in(payload))

    def _window_update(self, flags: int, stream_id: int, payload: bytes) -> None:
        more = number_in(payload) & MAX_WINDOW_BYTES
        if stream_id == 0:
            self._window += more
            if more == 0 or self._window > MAX_WINDOW_BYTES:
                raise ConnectionBroken(Code.FLOW_CONTROL_ERROR if more else Code.PROTOCOL_ERROR)

    def _check_stream(self, stream_id: int) -> None:
        """Raise ConnectionBroken for a stream that we never opened."""
        if stream_id % 2 == 0 or stream_id >= self._next_stream_id:
            raise ConnectionBroken(Code.PROTOCOL_ERROR)
