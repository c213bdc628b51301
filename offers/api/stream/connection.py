"""One open socket: what is in flight on it, and how it ends. It knows nothing of what is said."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from enum import IntEnum
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable

FINISH_S = 5.0  # for what is in flight when a socket is ended
CLOSE_S = 2.0  # for the close frame to a client that may not be reading

log = logging.getLogger(__name__)


class Close(IntEnum):
    WRONG_PROTOCOL = 1002
    RESTART = 1012
    TRY_LATER = 1013
    CREDENTIALS = 4401
    UNKNOWN_STORE = 4404
    IDLE = 4408
    TOO_LARGE = 4413
    TOO_FAST = 4429


REASONS: Mapping[Close, str] = {
    Close.WRONG_PROTOCOL: "offer the subprotocol rayon.v1",
    Close.RESTART: "restart",
    Close.TRY_LATER: "try again later",
    Close.CREDENTIALS: "credentials",
    Close.UNKNOWN_STORE: "no such store",
    Close.IDLE: "idle",
    Close.TOO_LARGE: "frame too large",
    Close.TOO_FAST: "too fast",
}


class Connection:
    """Belongs to one event loop. Frames are read one by one; what they ask for runs beside the reading."""

    def __init__(self, *, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self._receive, self._send = receive, send
        self._work: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ending: asyncio.Task[None] | None = None
        self._is_accepted = asyncio.Event()
        self._is_closed = False
        self.last_heard = asyncio.get_running_loop().time()

    @property
    def in_flight(self) -> int:
        """How many pieces of work have not been answered yet; an answer that the client does not read is none."""
        return len(self._work)

    @property
    def is_ending(self) -> bool:
        return self._ending is not None

    async def accept(self, *, subprotocol: str | None = None) -> None:
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})
        self._is_accepted.set()

    async def serve(self, on_message: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
        """Hand in what the client says until it hangs up or the connection was ended."""
        reader = asyncio.create_task(self._read(on_message))
        try:
            await asyncio.wait({reader, self._over}, return_when=asyncio.FIRST_COMPLETED)
            if not reader.done() and self._ending is not None:
                await self._ending
        finally:
            self._is_closed = True
            reader.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await reader

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do a piece of work beside the reading; it counts as in flight until it is done. It must not raise."""
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def say(self, text: str) -> None:
        """Send one frame; a client that is gone is no error."""
        if not self._is_closed:
            with suppress(OSError):
                await self._send({"type": "websocket.send", "text": text, "bytes": None})

    async def quiet(self) -> None:
        """Return when what is in flight now has been answered."""
        others = self._work - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)

    def end(self, code: Close) -> None:
        """Stop reading, finish what is in flight, answer it, and close. The first code counts."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end(code))

    async def ended(self) -> None:
        """Return when the connection is over, or was never ended."""
        if self._ending is not None:
            await asyncio.wait({self._ending})

    async def _read(self, on_message: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            self.last_heard = asyncio.get_running_loop().time()
            if self._ending is None and message["type"] == "websocket.receive":
                await on_message(message)

    async def _end(self, code: Close) -> None:
        if self._work:
            _, stuck = await asyncio.wait(self._work, timeout=FINISH_S)
            for task in stuck:
                task.cancel()
        is_closed, self._is_closed = self._is_closed, True
        if not is_closed:
            # Before the handshake the client would not see the code. One that does not read must not hold us up.
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await self._is_accepted.wait()
                    await self._send({"type": "websocket.close", "code": int(code), "reason": REASONS[code]})
        if not self._over.done():
            self._over.set_result(None)


async def refuse(connection: Connection, code: Close, *, subprotocol: str | None = None) -> None:
    """Accept and close: browsers and most libraries show a close code only after the handshake."""
    with suppress(OSError):
        await connection.accept(subprotocol=subprotocol)
    connection.end(code)
    await connection.ended()
