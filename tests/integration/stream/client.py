"""A client of the sockets, message by message, in the test's own event loop."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from asgiref.testing import ApplicationCommunicator
from django.conf import settings

from config.asgi import application
from offers.api.stream.hub import hub

T = TypeVar("T")
WITHIN_S = 5.0


class Client:
    """One socket; `said` is what the server accepted it with."""

    def __init__(
        self,
        *,
        path: str = "/v1/stream",
        token: str | None = "a-token",
        subprotocols: Sequence[str] = ("rayon.v1",),
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> None:
        given = {**({"authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
            "subprotocols": list(subprotocols),
        }
        self._talk = ApplicationCommunicator(application, scope)

    async def open(self) -> Any:
        """Return the server's first message: websocket.accept, or websocket.close."""
        await self._talk.send_input({"type": "websocket.connect"})
        return await self.next()

    async def next(self) -> Any:
        return await self._talk.receive_output(timeout=WITHIN_S)

    async def say(self, frame: Any) -> None:
        await self.say_text(json.dumps(frame))

    async def say_text(self, text: str) -> None:
        await self._talk.send_input({"type": "websocket.receive", "text": text})

    async def say_bytes(self, raw: bytes) -> None:
        await self._talk.send_input({"type": "websocket.receive", "bytes": raw})

    async def hear(self) -> Any:
        """Return the next frame."""
        message = await self.next()
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def ask(self, frame: Any) -> Any:
        await self.say(frame)
        return await self.hear()

    async def close_code(self) -> int:
        message = await self.next()
        assert message["type"] == "websocket.close", message
        await self._talk.wait(timeout=WITHIN_S)
        return int(message["code"])

    async def is_silent(self, *, for_s: float = 0.1) -> bool:
        return bool(await self._talk.receive_nothing(timeout=for_s, interval=0.02))

    async def hang_up(self) -> None:
        await self._talk.send_input({"type": "websocket.disconnect", "code": 1001})
        await self._talk.wait(timeout=WITHIN_S)


async def opened(**given: Any) -> Client:
    client = Client(**given)
    answer = await client.open()
    assert answer["type"] == "websocket.accept", answer
    return client


def play(scene: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a scene in an event loop of its own, and forget its sockets."""

    async def with_end() -> T:
        try:
            return await scene()
        finally:
            await hub().close()

    return asyncio.run(with_end())


@contextmanager
def limits(**changed: float) -> Iterator[None]:
    """Change settings of RAYON for a while."""
    params: dict[str, Any] = settings.RAYON
    before = dict(params)
    params.update(changed)
    try:
        yield
    finally:
        params.update(before)
