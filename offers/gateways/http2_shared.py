"""The one connection to a provider that all sends of a gateway share: made when needed, left when it is no more."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from hpack import HeaderTuple

from .http import Answer
from .http2_connection import Http2Connection, NotProcessed

IDLE_S = 5.0  # a connection unused for longer is asked first whether it still lives
PING_S = 2.0


class NoConnection(NotProcessed):
    """The provider cannot be reached, with this request or another."""


@dataclass(slots=True, kw_only=True)
class SharedConnection:
    """Keeps one connection; however many wait for a new one, one attempt makes it."""

    gateway: str  # for the log
    host: str
    port: int
    trust: ssl.SSLContext  # its own, which is told to speak HTTP/2
    timeout_s: float
    _connection: Http2Connection | None = None
    _connecting: "asyncio.Task[Http2Connection] | None" = None

    def __post_init__(self) -> None:
        self.trust.set_alpn_protocols(["h2"])

    async def post(self, headers: Sequence[HeaderTuple], body: bytes) -> Answer:
        """Return the answer; raises NoAnswer. What the provider did not look at is sent once more, as it was."""
        connection = self._connection
        if connection is None or not connection.is_open:
            connection = await self.current()
        try:
            return await connection.post(headers, body)
        except NotProcessed:
            connection = await self.current()
            return await connection.post(headers, body)

    async def current(self) -> Http2Connection:
        """Return a connection that takes calls; raises NoConnection."""
        if self._connection is not None and self._connection.is_open:
            return self._connection
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._connected)
        # Shielded: one waiter that gives up does not take the connection from the others.
        return await asyncio.shield(self._connecting)

    async def look(self) -> None:
        """Find out what the provider, or a router between, did to an idle connection: a send on it would have no answer."""
        connection = self._connection
        if connection is None or not connection.is_open or connection.idle_s <= IDLE_S:
            return
        if not await connection.responds(within_s=min(PING_S, self.timeout_s)):
            connection.close()

    async def aclose(self) -> None:
        """Close the connection."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._connection is not None:
            await self._connection.aclose()
            self._connection = None

    async def _connect(self) -> Http2Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.timeout_s):
                _, connection = await loop.create_connection(
                    lambda: Http2Connection(gateway=self.gateway, timeout_s=self.timeout_s),
                    self.host,
                    self.port,
                    ssl=self.trust,
                )
        except TimeoutError as error:
            raise NoConnection("TIMEOUT") from error
        except OSError as error:
            raise NoConnection("CONNECT_FAILED") from error
        if not connection.speaks_http2:
            await connection.aclose()
            raise NoConnection("NO_HTTP2")
        self._connection = connection
        return connection

    def _connected(self, task: "asyncio.Task[Http2Connection]") -> None:
        self._connecting = None
        if not task.cancelled():
            task.exception()
