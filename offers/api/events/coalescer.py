"""Joins what many phones send at once into batches: cheap under load, and never waited for when idle.

A batch starts at once if none is under way; what arrives meanwhile forms the next. Only right after a batch of
several requests does the next one linger a few milliseconds, until as many have come back. A second batch runs beside
the first where enough waits to fill it: one is then computed while the database works on the other.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence, Sized
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

Request = TypeVar("Request", bound=Sized)  # its length is the number of its events
Answer = TypeVar("Answer")


class TooBusy(Exception):
    """More events wait than can be decided soon; the phone should come back."""


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Request, Answer]):
    request: Request
    answer: "asyncio.Future[Answer]"


class Coalescer(Generic[Request, Answer]):
    """Belongs to one event loop. `run_requests` is called in the executor, `max_batches` calls at a time at most."""

    def __init__(
        self,
        *,
        run_requests: Callable[[Sequence[Request]], Sequence[Answer | Exception]],
        executor: Executor,
        max_batch_events: int,
        max_waiting_events: int,
        window_s: float,
        max_batches: int = 1,
        beside_events: int = 0,
    ) -> None:
        """`beside_events` must wait before a further batch starts beside one that is under way."""
        self._run_requests = run_requests
        self._executor = executor
        self._max_batch = max_batch_events
        self._max_waiting = max_waiting_events
        self._window_s = window_s
        self._max_batches = max_batches
        self._beside = beside_events
        self._waiting: deque[_Waiting[Request, Answer]] = deque()
        self._waiting_events = 0
        self._running = 0
        self._expected = 0  # requests of the last batch: as many may come back at once
        self._linger_until = 0.0  # on the loop's clock
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, request: Request) -> Answer:
        """Return the answer to one phone's events. Raises TooBusy, or what the batch raised for them."""
        if self._waiting_events + len(request) > self._max_waiting:
            raise TooBusy
        waiting: _Waiting[Request, Answer] = _Waiting(request, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_events += len(request)
        self._consider()
        return await waiting.answer

    def _consider(self) -> None:
        """Start a batch if there is room for one and nothing is gained by waiting."""
        if not self._waiting:
            return
        if self._running:
            if self._running < self._max_batches and self._waiting_events >= self._beside:
                self._start()
            return
        loop = asyncio.get_running_loop()
        is_full = len(self._waiting) >= self._expected or self._waiting_events >= self._max_batch
        if is_full or loop.time() >= self._linger_until:
            self._start()
        elif self._timer is None:
            self._timer = loop.call_at(self._linger_until, self._window_is_over)

    def _window_is_over(self) -> None:
        self._timer, self._linger_until = None, 0.0
        self._consider()

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._running += 1
        task = asyncio.get_running_loop().create_task(self._run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        # One turn of the loop: requests that are ready now join.
        await asyncio.sleep(0)
        batch = self._next_batch()
        outcomes: Sequence[Answer | Exception] = []
        if batch:
            try:
                outcomes = await asyncio.get_running_loop().run_in_executor(
                    self._executor, self._run_requests, [waiting.request for waiting in batch]
                )
            except Exception as error:
                outcomes = [error] * len(batch)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.answer.done():
                continue  # the phone hung up; its events are on disk
            if isinstance(outcome, Exception):
                waiting.answer.set_exception(outcome)
            else:
                waiting.answer.set_result(outcome)
        self._running -= 1
        self._expected = len(batch)
        self._linger_until = asyncio.get_running_loop().time() + self._window_s if len(batch) > 1 else 0.0
        self._consider()

    def _next_batch(self) -> list[_Waiting[Request, Answer]]:
        """Return as many waiting requests as fit, the oldest first, at least one of those that still wait."""
        batch: list[_Waiting[Request, Answer]] = []
        events = 0
        while self._waiting:
            waiting = self._waiting[0]
            size = len(waiting.request)
            if batch and events + size > self._max_batch:
                break
            self._waiting.popleft()
            self._waiting_events -= size
            if waiting.answer.cancelled():
                continue  # the phone hung up before its events were taken in
            batch.append(waiting)
            events += size
        return batch
