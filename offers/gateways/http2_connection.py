"""One HTTP/2 connection to a provider (RFC 9113), by h2 over an asyncio transport: many POSTs side by side, little work each.

docs/decisions/0012-apns-gateway.md says why neither httpx nor aioapns stands here.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

import structlog
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import NoAvailableStreamIDError, ProtocolError
from h2.settings import SettingCodes, Settings
from hpack import Encoder, HeaderTuple

from .http import Answer, NoAnswer
from .http2_frames import Frames, GoAway

MAX_BODY_BYTES = 1 << 14  # what every provider takes in one frame
MAX_ANSWER_BYTES = 16 * 1024  # an answer is a reason; below the window of a stream, so that none stalls
WINDOW_BYTES = 1 << 20
WINDOW_STEP_BYTES = 1 << 15  # the connection's window is opened again in steps of this size
_SETTINGS = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.MAX_CONCURRENT_STREAMS: 100,
    SettingCodes.MAX_HEADER_LIST_SIZE: 1 << 16,
}

_log = structlog.get_logger(__name__)


class NotProcessed(NoAnswer):
    """The provider says, or we know, that it did not look at the request: it may be sent again at once."""


class _PlainEncoder(Encoder):
    """HPACK without Huffman's code, which costs more time in Python than its bytes are worth."""

    def encode(self, headers: Iterable[HeaderTuple], huffman: bool = False) -> bytes:  # type: ignore[override]
        return super().encode(headers, huffman=huffman)


@dataclass(slots=True, eq=False)
class _Call:
    """One POST, waiting for a stream or under way."""

    headers: Sequence[HeaderTuple]
    body: bytes
    answer: "asyncio.Future[Answer]"
    stream_id: int = 0  # 0: waits for one
    timer: asyncio.TimerHandle | None = None
    status: int = 0
    retry_after: str | None = None
    received: bytearray = field(default_factory=bytearray)


class Http2Connection(asyncio.Protocol):
    """Sends POSTs side by side, as many as the provider allows, and writes once for all that one turn of the loop asks.

    `is_open` tells whether it takes further ones.
    """

    def __init__(self, *, gateway: str, timeout_s: float) -> None:
        self._gateway = gateway  # for the log
        self._loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        # The gateways make their headers as they must be on the wire.
        self._h2 = H2Connection(
            H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
        )
        self._h2.encoder = _PlainEncoder()
        self._h2.local_settings = Settings(client=True, initial_values=_SETTINGS)
        self._frames = Frames()
        self._waiting: deque[_Call] = deque()
        self._calls: dict[int, _Call] = {}  # under way, by stream
        self._limit = 0  # streams that the provider allows; none before its first word
        self._to_acknowledge = 0
        self._flushes = False
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._pong: asyncio.Future[None] | None = None
        self._used_at = self._heard_at = self._loop.time()
        self.is_open = True

    @property
    def speaks_http2(self) -> bool:
        tls = self._transport.get_extra_info("ssl_object")
        return tls is not None and tls.selected_alpn_protocol() == "h2"

    @property
    def idle_s(self) -> float:
        """How long it has not been asked for anything, in seconds."""
        return self._loop.time() - self._used_at

    def post(self, headers: Sequence[HeaderTuple], body: bytes) -> "asyncio.Future[Answer]":
        """Return what will hold the answer, or raise: NotProcessed, or NoAnswer where nobody knows.

        Headers begin with the pseudo-headers; names in lower case, all of them bytes. `body` has at most MAX_BODY_BYTES.
        """
        call = _Call(headers=headers, body=body, answer=self._loop.create_future())
        if not self.is_open:
            call.answer.set_exception(NotProcessed("CONNECTION_LOST"))
            return call.answer
        self._used_at = self._loop.time()
        call.timer = self._loop.call_later(self._timeout_s, self._time_out, call)
        self._waiting.append(call)
        self._flush_soon()
        return call.answer

    async def responds(self, *, within_s: float) -> bool:
        """Return whether the connection is still good for calls, by the other end's word.

        What has come in while the event loop stood still (a good-bye, an end) is heard by this, too.
        """
        if self.is_open and self._pong is None:
            self._pong = self._loop.create_future()
            self._h2.ping(b"are you?")
            self._flush_soon()
        if self._pong is not None:
            await asyncio.wait([self._pong], timeout=within_s)
        return self.is_open and self._pong is None

    def close(self) -> None:
        """Take no further calls, and close; what is under way has no answer."""
        self.is_open = False
        self._transport.abort()

    async def aclose(self) -> None:
        """Close, and return when nothing is left of it."""
        self.close()
        await asyncio.shield(self._gone)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(WINDOW_BYTES)
        self._transport.write(self._h2.data_to_send())

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._gone.set_result(None)
        self._ponged()
        self._fail_waiting("CONNECTION_LOST")
        for call in list(self._calls.values()):
            self._fail(call, NoAnswer("CONNECTION_LOST"))

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        known, goaway = self._frames.take(data)
        try:
            for event in self._h2.receive_data(known):
                self._handle(event)
        except (ProtocolError, ValueError) as error:
            _log.error("http2_protocol_error", gateway=self._gateway, error=type(error).__name__)
            self._transport.write(self._h2.data_to_send())
            self.close()
            return
        if goaway is not None:
            self._go(goaway)
        if self._to_acknowledge >= WINDOW_STEP_BYTES:
            self._h2.increment_flow_control_window(self._to_acknowledge)
            self._to_acknowledge = 0
        self._flush_soon()

    def _handle(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged):
            self._limit = self._h2.remote_settings.max_concurrent_streams
            return
        if isinstance(event, PingAckReceived):
            self._ponged()
            return
        if isinstance(event, DataReceived):
            self._to_acknowledge += event.flow_controlled_length
        call = self._calls.get(getattr(event, "stream_id", None) or 0)
        if call is None:
            return
        if isinstance(event, ResponseReceived):
            for name, value in event.headers:
                if name == b":status":
                    call.status = int(value)
                elif name == b"retry-after":
                    call.retry_after = value.decode("latin-1")
        elif isinstance(event, DataReceived):
            call.received += event.data or b""
            if len(call.received) > MAX_ANSWER_BYTES:
                self._h2.reset_stream(call.stream_id, ErrorCodes.CANCEL)
                self._succeed(call)
        elif isinstance(event, StreamEnded):
            self._succeed(call)
        elif isinstance(event, StreamReset):
            was_refused = event.error_code == ErrorCodes.REFUSED_STREAM
            self._fail(call, NotProcessed("STREAM_REFUSED") if was_refused else NoAnswer("STREAM_RESET"))

    def _ponged(self) -> None:
        if self._pong is not None:
            self._pong.set_result(None)
            self._pong = None

    def _flush_soon(self) -> None:
        if not self._flushes:
            self._flushes = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushes = False
        while self._waiting and len(self._calls) < self._limit and self._has_room(self._waiting[0]):
            call = self._waiting.popleft()
            if call.answer.done():
                self._leave(call)
                continue
            try:
                call.stream_id = self._h2.get_next_available_stream_id()
            except NoAvailableStreamIDError:
                self._waiting.appendleft(call)
                self._go(GoAway(last_stream_id=self._h2.HIGHEST_ALLOWED_STREAM_ID, reason="STREAMS_USED_UP"))
                break
            self._calls[call.stream_id] = call
            self._h2.send_headers(call.stream_id, call.headers)
            self._h2.send_data(call.stream_id, call.body, end_stream=True)
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)
        self._close_if_done()

    def _has_room(self, call: _Call) -> bool:
        # A payload is small enough to go whole, in one frame, once the windows let it.
        window = min(self._h2.outbound_flow_control_window, self._h2.remote_settings.initial_window_size)
        return len(call.body) <= window

    def _go(self, goaway: GoAway) -> None:
        """Open no more streams; those up to the last one that the provider took are still answered."""
        _log.info("http2_goaway", gateway=self._gateway, reason=goaway.reason)
        self.is_open = False
        self._fail_waiting("GOAWAY")
        for call in [call for call in self._calls.values() if call.stream_id > goaway.last_stream_id]:
            self._fail(call, NotProcessed("GOAWAY"))

    def _close_if_done(self) -> None:
        if not self.is_open and not self._calls:
            self._transport.close()

    def _fail_waiting(self, code: str) -> None:
        while self._waiting:
            self._fail(self._waiting.popleft(), NotProcessed(code))

    def _time_out(self, call: _Call) -> None:
        is_deaf = self._heard_at <= self._loop.time() - self._timeout_s
        if call.stream_id and self.is_open:
            self._h2.reset_stream(call.stream_id, ErrorCodes.CANCEL)
        self._fail(call, NoAnswer("TIMEOUT"))
        if is_deaf:
            # Nothing at all came back meanwhile: the other end is gone, and nobody told us.
            self.close()
        else:
            self._flush_soon()

    def _succeed(self, call: _Call) -> None:
        self._leave(call)
        if not call.answer.done():
            call.answer.set_result(
                Answer(status=call.status, body=bytes(call.received), retry_after=call.retry_after)
            )

    def _fail(self, call: _Call, error: NoAnswer) -> None:
        self._leave(call)
        if not call.answer.done():
            call.answer.set_exception(error)

    def _leave(self, call: _Call) -> None:
        self._calls.pop(call.stream_id, None)
        if call.timer is not None:
            call.timer.cancel()
