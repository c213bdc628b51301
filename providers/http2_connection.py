"""One connection of a local provider: HTTP/2 (RFC 9113) by h2 over an asyncio transport."""

import asyncio
import json
from typing import Generic, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from .http2 import Http2App, P, Reply

MOST_STREAMS = 1000  # of any application
MAX_BODY_BYTES = 1 << 20
WINDOW_STEP_BYTES = 1 << 15  # the connection's window is opened again in steps of this size
_SETTINGS = {SettingCodes.MAX_HEADER_LIST_SIZE: 8000, SettingCodes.ENABLE_CONNECT_PROTOCOL: 0}


class Http2Connection(asyncio.Protocol, Generic[P]):
    """Answers the streams of one client in the order in which their answers are due."""

    def __init__(self, app: Http2App[P]) -> None:
        self._app = app
        self._h2 = H2Connection(
            H2Configuration(
                client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False
            )
        )
        self._headers: dict[int, list[tuple[bytes, bytes]]] = {}  # of the open streams
        self._bodies: dict[int, bytearray] = {}
        self._unsent: dict[int, memoryview] = {}  # the rest of answers larger than the client's window
        self._to_acknowledge = 0
        self._limit = 1 if app.is_alone_first else app.streams
        self._last_stream: int | None = None  # of those to be processed; set once GOAWAY was sent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._peer = self._app.peers.join(self._transport.abort)
        self._h2.local_settings = self._settings(self._limit)
        self._h2.initiate_connection()
        # h2 ends the connection over a stream too many; providers refuse the stream, and so is it done below.
        self._h2.local_settings = self._settings(MOST_STREAMS)
        self._write()

    def connection_lost(self, exc: Exception | None) -> None:
        self._app.peers.leave(self._peer)
        self._headers.clear()

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._h2.receive_data(data):
                self._handle(event)
        except ProtocolError:
            self._write()
            self._transport.close()
            return
        if self._to_acknowledge >= WINDOW_STEP_BYTES:
            self._h2.increment_flow_control_window(self._to_acknowledge)
            self._to_acknowledge = 0
        self._write()

    def _handle(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._open(event)
        elif isinstance(event, DataReceived):
            self._take(event)
        elif isinstance(event, StreamEnded):
            self._answer(event.stream_id)
        elif isinstance(event, StreamReset):
            self._forget(event.stream_id)
        elif isinstance(event, WindowUpdated):
            for stream_id in list(self._unsent):
                self._send_rest(stream_id)

    def _open(self, event: RequestReceived) -> None:
        stream_id = event.stream_id
        if self._last_stream is not None and stream_id > self._last_stream:
            return
        if len(self._headers) >= self._limit:
            self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        self._headers[stream_id] = event.headers
        self._bodies[stream_id] = bytearray()

    def _take(self, event: DataReceived) -> None:
        stream_id, size = event.stream_id, event.flow_controlled_length
        self._to_acknowledge += size
        body = self._bodies.get(stream_id)
        if body is None:
            return
        body += event.data or b""
        if event.stream_ended is None:
            self._h2.increment_flow_control_window(size, stream_id=stream_id)
        if len(body) > MAX_BODY_BYTES:
            self._forget(stream_id)
            self._h2.reset_stream(stream_id, ErrorCodes.ENHANCE_YOUR_CALM)

    def _answer(self, stream_id: int) -> None:
        if stream_id not in self._headers:
            return
        reply = self._app.reply(self._headers[stream_id], bytes(self._bodies.pop(stream_id)), self._peer)
        if self._peer.is_trusted and self._limit == 1:
            self._limit = self._app.streams
            self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: self._limit})
        if reply.script.goaway is not None:
            self._go_away(reply.script.goaway, before=stream_id)
        elif reply.script.delay_s:
            later = asyncio.get_running_loop().call_later
            later(reply.script.delay_s, self._send_late, stream_id, reply)
        else:
            self._send(stream_id, reply)

    def _send_late(self, stream_id: int, reply: Reply) -> None:
        if stream_id in self._headers:
            self._send(stream_id, reply)
            self._write()

    def _send(self, stream_id: int, reply: Reply) -> None:
        del self._headers[stream_id]
        if reply.script.drop is not None:
            self._transport.abort()
        elif reply.script.reset is not None:
            refused = reply.script.reset == "before"
            code = ErrorCodes.REFUSED_STREAM if refused else ErrorCodes.INTERNAL_ERROR
            self._h2.reset_stream(stream_id, code)
        else:
            status = [(":status", str(reply.status)), *reply.headers]
            self._h2.send_headers(stream_id, status, end_stream=not reply.body)
            if reply.body:
                self._unsent[stream_id] = memoryview(reply.body)
                self._send_rest(stream_id)

    def _send_rest(self, stream_id: int) -> None:
        rest = self._unsent.pop(stream_id)
        try:
            while rest:
                window = self._h2.local_flow_control_window(stream_id)
                size = min(window, self._h2.max_outbound_frame_size, len(rest))
                if size <= 0:
                    self._unsent[stream_id] = rest
                    return
                self._h2.send_data(stream_id, rest[:size], end_stream=size == len(rest))
                rest = rest[size:]
        except StreamClosedError:
            return

    def _go_away(self, reason: str, *, before: int) -> None:
        """Tell the client that nothing from this stream on was processed; what came earlier is still answered."""
        self._last_stream = max((one for one in self._headers if one < before), default=max(before - 2, 0))
        for stream_id in [one for one in self._headers if one > self._last_stream]:
            self._forget(stream_id)
        # h2 would let nothing follow its own GOAWAY.
        frame = GoAwayFrame(
            last_stream_id=self._last_stream, additional_data=json.dumps({"reason": reason}).encode()
        )
        self._transport.write(self._h2.data_to_send() + frame.serialize())

    def _forget(self, stream_id: int) -> None:
        self._headers.pop(stream_id, None)
        self._bodies.pop(stream_id, None)
        self._unsent.pop(stream_id, None)

    def _write(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._transport.write(data)
        if self._last_stream is not None and not self._headers and not self._unsent:
            self._transport.close()

    @staticmethod
    def _settings(streams: int) -> Settings:
        return Settings(
            client=False, initial_values={**_SETTINGS, SettingCodes.MAX_CONCURRENT_STREAMS: streams}
        )
