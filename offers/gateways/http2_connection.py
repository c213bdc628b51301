"""One HTTP/2 connection to a provider, over an asyncio transport: many POSTs side by side, little work for each.

docs/decisions/0012-apns-gateway.md says why no library's connection stands here.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import structlog
from hpack import HeaderTuple

from .http import Answer, NoAnswer
from .http2_frames import MAX_STREAM_ID, Code, ConnectionBroken, GoAway
from .http2_headers import Block
from .http2_link import Link

WRITE_AT = 8  # requests that wait no longer for the turn to end: the provider is at work while we make more
MAX_ANSWER_BYTES = 16 * 1024  # an answer is a few words; below the window of a stream, so that none stalls

_log = structlog.get_logger(__name__)


class NotProcessed(NoAnswer):
    """The provider says, or we know, that it did not look at the request: it may be sent again at once."""


@dataclass(slots=True, eq=False)
class _Call:
    """One POST, waiting for a stream or under way."""

    block: Block
    body: bytes
    answer: "asyncio.Future[Answer]"
    stream_id: int = 0  # 0: waits for one
    timer: asyncio.TimerHandle | None = None
    status: int = 0
    retry_after: str | None = None
    received: bytearray = field(default_factory=bytearray)


class Http2Connection(asyncio.Protocol):
    """Sends POSTs side by side, as many as the provider allows, and writes once for several that one turn of the loop asks.

    `is_open` tells whether it takes further ones.
    """

    def __init__(self, *, gateway: str, timeout_s: float) -> None:
        self._gateway = gateway  # for the log
        self._loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        self._link = Link(self)
        self._waiting: deque[_Call] = deque()
        self._calls: dict[int, _Call] = {}  # under way, by stream
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

    def post(self, block: Block, body: bytes) -> "asyncio.Future[Answer]":
        """Return what will hold the answer, or raise: NotProcessed, or NoAnswer where nobody knows.

        The block begins with the pseudo-headers; `body` has at most MAX_BODY_BYTES.
        """
        call = _Call(block=block, body=body, answer=self._loop.create_future())
        if not self.is_open:
            call.answer.set_exception(NotProcessed("CONNECTION_LOST"))
            return call.answer
        self._used_at = self._loop.time()
        call.timer = self._loop.call_later(self._timeout_s, self._time_out, call)
        self._waiting.append(call)
        if len(self._waiting) >= WRITE_AT:
            self._flush()
        else:
            self._flush_soon()
        return call.answer

    async def responds(self, *, within_s: float) -> bool:
        """Return whether the connection is still good for calls, by the other end's word.

        What has come in while the event loop stood still (a good-bye, an end) is heard by this, too.
        """
        if self.is_open and self._pong is None:
            self._pong = self._loop.create_future()
            self._link.ping()
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

    # --- what comes in --------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._link.unwritten())

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._gone.set_result(None)
        self.on_pong()
        self._fail_waiting("CONNECTION_LOST")
        for call in list(self._calls.values()):
            self._fail(call, NoAnswer("CONNECTION_LOST"))

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        try:
            self._link.take(data)
        except ConnectionBroken as error:
            _log.error("http2_protocol_error", gateway=self._gateway, error=error.code.name)
            self._transport.write(self._link.unwritten())
            self.close()
            return
        self._flush_soon()

    def on_headers(self, stream_id: int, headers: Sequence[HeaderTuple], *, ends: bool) -> None:
        call = self._calls.get(stream_id)
        if call is None:
            return
        if call.status < 200:  # nothing yet, or a word in between; what comes after the answer is a trailer
            for name, value in headers:
                if name == b":status":
                    call.status = int(value) if value.isdigit() else 0
                elif name == b"retry-after":
                    call.retry_after = bytes(value).decode("latin-1")
        if ends:
            self._succeed(call)

    def on_data(self, stream_id: int, data: bytes, *, ends: bool) -> None:
        call = self._calls.get(stream_id)
        if call is None:
            return
        call.received += data
        if ends:
            self._succeed(call)
        elif len(call.received) > MAX_ANSWER_BYTES:
            self._link.cancel(stream_id)
            self._succeed(call)

    def on_reset(self, stream_id: int, code: int) -> None:
        call = self._calls.get(stream_id)
        if call is not None:
            was_refused = code == Code.REFUSED_STREAM
            self._fail(call, NotProcessed("STREAM_REFUSED") if was_refused else NoAnswer("STREAM_RESET"))

    def on_goaway(self, goaway: GoAway) -> None:
        """Open no more streams; those up to the last one that the provider took are still answered."""
        _log.info("http2_goaway", gateway=self._gateway, reason=goaway.reason)
        self.is_open = False
        self._fail_waiting("GOAWAY")
        for call in [call for call in self._calls.values() if call.stream_id > goaway.last_stream_id]:
            self._fail(call, NotProcessed("GOAWAY"))

    def on_pong(self) -> None:
        if self._pong is not None:
            self._pong.set_result(None)
            self._pong = None

    # --- what goes out --------------------------------------------------------------------------------------

    def _flush_soon(self) -> None:
        if not self._flushes:
            self._flushes = True
            self._loop.call_soon(self._flush_due)

    def _flush_due(self) -> None:
        self._flushes = False
        self._flush()

    def _flush(self) -> None:
        link, waiting, calls = self._link, self._waiting, self._calls
        while waiting and len(calls) < link.limit and link.has_room(len(waiting[0].body)):
            if link.is_used_up:
                self.on_goaway(GoAway(last_stream_id=MAX_STREAM_ID, reason="STREAMS_USED_UP"))
                break
            call = waiting.popleft()
            if call.answer.done():
                self._leave(call)
                continue
            call.stream_id = link.open(call.block, call.body)
            calls[call.stream_id] = call
        data = link.unwritten()
        if data and not self._transport.is_closing():
            self._transport.write(data)
        if not self.is_open and not calls:
            self._transport.close()

    def _fail_waiting(self, code: str) -> None:
        while self._waiting:
            self._fail(self._waiting.popleft(), NotProcessed(code))

    def _time_out(self, call: _Call) -> None:
        is_deaf = self._heard_at <= self._loop.time() - self._timeout_s
        if call.stream_id and self.is_open:
            self._link.cancel(call.stream_id)
        self._fail(call, NoAnswer("TIMEOUT"))
        if is_deaf:
            # Nothing at all came back meanwhile: the other end is gone, and nobody told us.
            self.close()
        else:
            self._flush_soon()

    def _succeed(self, call: _Call) -> None:
        if call.status < 200:
            self._fail(call, NoAnswer("MALFORMED_ANSWER"))
            return
        self._leave(call)
        if not call.answer.done():
            answer = Answer(status=call.status, body=bytes(call.received), retry_after=call.retry_after)
            call.answer.set_result(answer)

    def _fail(self, call: _Call, error: NoAnswer) -> None:
        self._leave(call)
        if not call.answer.done():
            call.answer.set_exception(error)

    def _leave(self, call: _Call) -> None:
        self._calls.pop(call.stream_id, None)
        if call.timer is not None:
            call.timer.cancel()
