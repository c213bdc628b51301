"""Answers that are meant to harm whoever reads them: without an end, or far too much."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from .http import Receive, Send
from .webpush_scripts import PushAnswer

HUGE_BYTES = 200 << 20
DRIP_EVERY_S = 0.05
_BLOCK = b"x" * (64 << 10)


async def flood(answer: PushAnswer, entry: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer with 200 MB, or with a byte at a time, until the reader has had enough.

    The entry of the wire log gets `flooded`: how many bytes were handed to the network so far.
    """
    entry["flooded"] = 0
    gone = asyncio.create_task(_until_gone(receive))
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": []})
        async for block in _blocks(answer):
            if gone.done():
                return
            await send({"type": "http.response.body", "body": block, "more_body": True})
            entry["flooded"] += len(block)
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def _blocks(answer: PushAnswer) -> AsyncIterator[bytes]:
    if answer.body == "huge":
        for _ in range(HUGE_BYTES // len(_BLOCK)):
            yield _BLOCK
            await asyncio.sleep(0)
        return
    while True:
        yield b"x"
        await asyncio.sleep(DRIP_EVERY_S)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
