"""One lane at work: while a batch is being sent, the next is claimed and looked at, and the last is written down.

A lane has a thread and an event loop of its own, so that a provider that hangs holds up nobody else's messages; its
database work is done by the worker's hands. docs/delivery/worker.md draws it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import random
from typing import Any

import structlog
import uvloop

from offers.delivery import Taken, take
from offers.hands import Hands
from offers.lane_breaker import LaneBreaker
from offers.lane_writer import LaneWriter
from offers.queries.due import LaneNews, lane_news
from offers.rules.lanes import LaneSettings
from offers.stages.deliver import Answer, Lanes, Looked, Parcel, release_parcels, unknown
from offers.stages.deliver.gate import give_tokens_back, take_probe, take_tokens
from offers.wakeups import Stop
from offers.worker import BUSY_S, RECONNECT_S, is_database_away

AHEAD = 4  # times the concurrency: what is claimed ahead of being sent, at most; more is claimed when half is left
READY_S = 10.0  # what was looked at longer ago is put back instead of sent
NOTHING = Taken(Looked(), claimed=0)
DRAIN_S = 10.0  # after being told to stop: for answers still owed
PROBE_S = 30.0  # a probe that is not heard of is made again

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filled:
    taken: Taken
    news: LaneNews | None = None  # None: there may be more that is due
    rest_s: float = 0.0  # until the lane's rate allows more
    probe_until: datetime | None = None  # its message probes the provider


@dataclass(slots=True, kw_only=True)
class LaneWorker:
    """Delivers one lane's messages. `hear` may be called from any thread; all else runs in the lane's own."""

    name: str
    settings: LaneSettings
    lanes: Lanes  # its own: a gateway lives in one event loop
    hands: Hands
    clock: Callable[[], datetime]
    batch: int
    params: Mapping[str, Any]
    chance: Callable[[], float] = random

    _loop: asyncio.AbstractEventLoop | None = None
    _breaker: LaneBreaker = field(init=False)
    _writer: LaneWriter = field(init=False)
    _ready: deque[tuple[Parcel, datetime]] = field(default_factory=deque)  # with when they were looked at
    _sends: set[asyncio.Task[None]] = field(default_factory=set)
    _due_at: datetime | None = None
    _not_before: datetime | None = None
    _is_stopped: bool = False
    _is_told: bool = False
    _failures: int = 0
    _changes: int = 0  # what a claim under way does not know of: news of the watch, a breaker that opened
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._breaker = LaneBreaker(lane=self.name, hands=self.hands, clock=self.clock, chance=self.chance)
        self._writer = LaneWriter(
            lane=self.name,
            hands=self.hands,
            clock=self.clock,
            chance=self.chance,
            on_written=self._hear_due,
        )

    def run(self, *, stop: Stop) -> None:
        """Work until told to stop; then finish what is under way, and put back what is not. Takes DRAIN_S at most."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run(stop))

    def hear(self, news: LaneNews) -> None:
        """Take in how the lane stands."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it ended just now
                self._loop.call_soon_threadsafe(self._take_in, news)

    async def _run(self, stop: Stop) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(stop.fileno(), self._told_to_stop, stop)
        writing = asyncio.create_task(self._writer.run())
        try:
            await self._feed()
            self._put_back()
            if self._sends:
                await asyncio.wait(self._sends, timeout=DRAIN_S)
            for send in self._sends:
                send.cancel()
            await asyncio.gather(*self._sends, return_exceptions=True)
        finally:
            self._writer.end()
            await writing
            await self._breaker.finish()
            await self.lanes.aclose()
            self._loop = None

    def _told_to_stop(self, stop: Stop) -> None:
        asyncio.get_running_loop().remove_reader(stop.fileno())
        self._is_told = True
        self._wake.set()

    # --- what it hears --------------------------------------------------------------------------------------

    def _take_in(self, news: LaneNews) -> None:
        """Take in the watch's word. It may have looked before a claim that is known of already: what is due can only be sooner.

        That nothing is due, or only later, is a claim's to say; a claim in vain costs a query, a message forgotten an offer.
        """
        self._changes += 1
        self._adopt(news)
        self._not_before = None
        self._hear_due(news.due_at)

    def _adopt(self, news: LaneNews) -> None:
        self._is_stopped = news.is_stopped
        self._breaker.take_in(news.open_until)

    def _hear_due(self, due_at: datetime | None) -> None:
        if due_at is not None and (self._due_at is None or due_at < self._due_at):
            self._due_at = due_at
        self._wake.set()

    # --- claim and look -------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        while not self._is_told:
            self._wake.clear()
            rest_s = await self._fill()
            if rest_s == 0:
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(rest_s):
                    await self._wake.wait()

    async def _fill(self) -> float | None:
        """Claim what there is room for; return for how long to rest, 0: not at all, None: until woken."""
        now = self.clock()
        if self._is_stopped or self._due_at is None or not self._has_room():
            return None
        rest_s = max(
            (self._due_at - now).total_seconds(),
            self._breaker.closed_for_s(now=now),
            (self._not_before - now).total_seconds() if self._not_before is not None else 0.0,
        )
        if rest_s > 0:
            return rest_s
        limit = min(self.batch, AHEAD * self.settings.concurrency - len(self._ready))
        changes = self._changes
        try:
            filled = await self.hands.do(self._take, limit, is_probe=self._breaker.is_open)
        # A defect must not end the lane: other batches may be well, and what this one holds is leased anew.
        except Exception as error:  # noqa: BLE001
            return self._troubled(error)
        self._failures = 0
        self._took(filled, at=now, is_latest=changes == self._changes)
        return 0

    def _take(self, limit: int, *, is_probe: bool) -> _Filled:
        """Claim and look, in one of the hands: within the lane's rate, and one message alone where it is a probe."""
        limit = 1 if is_probe else limit
        now, rate = self.clock(), self.settings.rate_per_s
        granted = take_tokens(lane=self.name, wanted=limit, rate_per_s=rate, now=now) if rate else limit
        if not granted:
            return _Filled(taken=NOTHING, rest_s=1 / rate)
        taken = take(lane=self.name, clock=self.clock, limit=granted, params=self.params)
        parcels = taken.looked.parcels
        probe_until = now + timedelta(seconds=PROBE_S) if is_probe and parcels else None
        if probe_until is not None and not take_probe(lane=self.name, now=now, until=probe_until):
            release_parcels(parcels)
            parcels.clear()
            probe_until = None
        if rate:
            give_tokens_back(lane=self.name, unused=granted - len(parcels))
        if taken.claimed == granted and not is_probe:
            return _Filled(taken=taken)
        return _Filled(taken=taken, news=lane_news([self.name])[0], probe_until=probe_until)

    def _took(self, filled: _Filled, *, at: datetime, is_latest: bool) -> None:
        """Take in what a claim brought; `is_latest`: nothing changed meanwhile."""
        looked = filled.taken.looked
        if self._breaker.is_open and filled.probe_until is None:
            self._writer.put_back(looked.parcels)  # it opened meanwhile
        else:
            self._ready.extend((parcel, at) for parcel in looked.parcels)
        self._writer.bury(looked.malformed)
        if filled.news is not None and is_latest:
            self._adopt(filled.news)
            self._due_at = filled.news.due_at
            # What is due now and was not to be had is in another worker's hands.
            self._not_before = at + timedelta(seconds=BUSY_S)
        # Otherwise the watch may know of messages that came after this claim: they are claimed at once.
        if filled.probe_until is not None:
            self._breaker.probe(until=filled.probe_until)
        if filled.rest_s:
            self._not_before = at + timedelta(seconds=filled.rest_s)
        self._pump()

    def _troubled(self, error: Exception) -> float:
        if is_database_away(error):
            _log.warning("worker_without_database", loop=self.name, error=type(error).__name__)
        else:
            _log.error("worker_defect", loop=self.name, exc_info=error)
        self._failures += 1
        return RECONNECT_S[min(self._failures, len(RECONNECT_S)) - 1]

    def _has_room(self) -> bool:
        return len(self._ready) <= AHEAD * self.settings.concurrency // 2 and self._writer.has_room

    # --- send -----------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Begin to send as many as may be under way at once."""
        oldest = self.clock() - timedelta(seconds=READY_S)
        while self._ready and len(self._sends) < self.settings.concurrency:
            parcel, looked_at = self._ready.popleft()
            if looked_at < oldest:
                self._writer.put_back([parcel])
                continue
            send = asyncio.create_task(self._send(parcel))
            self._sends.add(send)
            send.add_done_callback(self._sent)

    async def _send(self, parcel: Parcel) -> None:
        try:
            [answer] = await self.lanes.on_lane(self.name, [parcel], clock=self.clock)
        except asyncio.CancelledError:  # told to stop, and waited for long enough
            answer = self._unknown(parcel, code="WORKER_STOPPED")
        except Exception:
            _log.exception("worker_defect", loop=self.name)
            answer = self._unknown(parcel, code="WORKER_DEFECT")
        self._writer.write(answer)
        if self._breaker.after(answer.receipt):
            self._changes += 1
            self._put_back()

    def _sent(self, send: asyncio.Task[None]) -> None:
        self._sends.discard(send)
        if not self._is_told:
            self._pump()
            if self._due_at is not None and self._has_room():
                self._wake.set()

    def _put_back(self) -> None:
        self._writer.put_back([parcel for parcel, _ in self._ready])
        self._ready.clear()

    def _unknown(self, parcel: Parcel, *, code: str) -> Answer:
        at = self.clock()
        return Answer(parcel=parcel, receipt=unknown(parcel.push, code=code, at=at), at=at)
