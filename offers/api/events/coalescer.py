"""Joins what many phones send at once into one batch: cheap under load, and never waited for when idle.

A batch starts at once if none is under way; what arrives meanwhile forms the next. Only right after a batch of
several requests does the next one linger a few milliseconds, until as many have come back.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from offers.flow import Event, EventResult

Outcome = list[EventResult] | Exception
RunRequests = Callable[[Sequence[Sequence[Event]]], list[Outcome]]


class TooBusy(Exception):
    """More events wait than can be decided soon; the phone should come back."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    events: Sequence[Event]
    answer: "asyncio.Future[list[EventResult]]"


class Coalescer:
    """Belongs to one event loop. `run_requests` is called in the executor, one call at a time."""

    def __init__(
        self,
        *,
        run_requests: RunRequests,
        executor: Executor,
        max_batch_events: int,
        max_waiting_events: int,
        window_s: float,
    ) -> None:
        self._run_requests = run_requests
        self._executor = executor
        self._max_batch = max_batch_events
        self._max_waiting = max_waiting_events
        self._window_s = window_s
        self._waiting: deque[_Waiting] = deque()
        self._waiting_events = 0
        self._is_running = False
        self._expected = 0  # requests of the last batch: as many may come back at once
        self._linger_until = 0.0  # on the loop's clock
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, events: Sequence[Event]) -> list[EventResult]:
        """Return the results of one phone's events, in order. Raises TooBusy, or what the batch raised for them."""
        if not events:
            return []
        if self._waiting_events + len(events) > self._max_waiting:
            raise TooBusy
        waiting = _Waiting(events, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_events += len(events)
        self._consider()
        return await waiting.answer

    def _consider(self) -> None:
        """Start a batch if none is under way and nothing is gained by waiting."""
        if self._is_running or not self._waiting:
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
        self._is_running = True
        task = asyncio.get_running_loop().create_task(self._run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        # One turn of the loop: requests that are ready now join.
        await asyncio.sleep(0)
        batch = self._next_batch()
        try:
            outcomes: Sequence[Outcome] = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._run_requests, [waiting.events for waiting in batch]
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
        self._is_running = False
        self._expected = len(batch)
        self._linger_until = asyncio.get_running_loop().time() + self._window_s if len(batch) > 1 else 0.0
        self._consider()

    def _next_batch(self) -> list[_Waiting]:
        """Return as many waiting requests as fit, the oldest first, at least one."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].events) <= self._max_batch):
            waiting = self._waiting.popleft()
            self._waiting_events -= len(waiting.events)
            if waiting.answer.done():
                continue  # hung up while waiting: its phone will send again
            batch.append(waiting)
            size += len(waiting.events)
        return batch
