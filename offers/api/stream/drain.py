"""A restart without loss: sockets are drained before the server hears that it is to stop.

The server itself would close sockets with what is in flight on them unanswered.
"""

import asyncio
import logging
import signal
import threading
from types import FrameType
from typing import Any

from offers.api.stream.hub import hub_if_any

DRAIN_S = 8.0
SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger(__name__)


def drain_before_stop() -> None:
    """Put the draining of this loop's sockets before what SIGTERM and SIGINT do now.

    A second signal does not wait. Outside a main thread, where no signal can be had, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        handler = signal.getsignal(number)
        if callable(handler):
            signal.signal(number, _Drainer(loop=loop, then=handler))


async def stop_sockets() -> None:
    """Forget this process's sockets; for the very end of its life."""
    house = hub_if_any()
    if house is not None:
        await house.close()


class _Drainer:
    def __init__(self, *, loop: asyncio.AbstractEventLoop, then: Any) -> None:
        self._loop, self._then = loop, then
        self._task: asyncio.Task[None] | None = None
        self._is_told = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._is_told:
            self._then(number, frame)
            return
        self._is_told = True
        self._loop.call_soon_threadsafe(self._start, number)

    def _start(self, number: int) -> None:
        self._task = self._loop.create_task(self._drain(number))

    async def _drain(self, number: int) -> None:
        house = hub_if_any()
        try:
            if house is not None:
                async with asyncio.timeout(DRAIN_S):
                    await house.drain()
        except TimeoutError:
            log.warning("some sockets were not drained in time")
        finally:
            self._then(number, None)
