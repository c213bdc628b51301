"""One worker's hold on a lane's circuit breaker: what it heard of the provider, and what all workers agreed on."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from django.db import Error as DatabaseError

from offers.gateways.port import Receipt
from offers.hands import Hands
from offers.rules.breaker import Breaker, Sign, open_for_s
from offers.stages.deliver import LANE_SLOWED, LANE_WAIT, sign_of
from offers.stages.deliver.gate import close_breaker, open_breaker

STEPS = 6  # waits that grow; the last one stays

_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class LaneBreaker:
    """Lives in the lane's event loop. What it decides holds here at once, and for other workers when it is written."""

    lane: str
    hands: Hands
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    _heard: Breaker = field(default_factory=Breaker)
    _open_until: datetime | None = None
    _is_probing: bool = False
    _writing: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        """Whether messages are kept from the provider, save one now and then that probes it."""
        return self._open_until is not None

    def closed_for_s(self, *, now: datetime) -> float:
        """Return the seconds until a message may go; 0: now."""
        return 0.0 if self._open_until is None else max((self._open_until - now).total_seconds(), 0.0)

    def take_in(self, open_until: datetime | None) -> None:
        """Take in what all workers agreed on."""
        self._open_until = open_until

    def probe(self, *, until: datetime) -> None:
        """Take in that a message of ours probes the provider, and that nobody else does until then."""
        self._open_until, self._is_probing = until, True

    def after(self, receipt: Receipt) -> bool:
        """Take in one more answer; return whether the lane is closed by it."""
        if receipt.provider_code == LANE_SLOWED and receipt.retry_at is not None:
            return self._open([receipt.retry_at - self.clock()], cause=LANE_SLOWED)
        sign = sign_of(receipt)
        self._heard = self._heard.after(sign)
        if sign is Sign.WELL and self.is_open:
            self._open_until, self._is_probing = None, False
            self._write(self._close_for_all())
        has_failed = self._is_probing and sign in (Sign.FAILED, Sign.STOPPED)
        if not (self._heard.is_tripped or has_failed):
            return False
        waits = [LANE_WAIT]
        if sign is not Sign.STOPPED:
            chance = self.chance()
            waits = [timedelta(seconds=open_for_s(openings=n, chance=chance)) for n in range(STEPS)]
        return self._open(waits, cause=receipt.provider_code or sign.value)

    async def finish(self) -> None:
        """Wait until what was decided is written."""
        if self._writing:
            await asyncio.wait(self._writing)

    def _open(self, waits: Sequence[timedelta], *, cause: str) -> bool:
        now = self.clock()
        self._heard = Breaker()
        if self.closed_for_s(now=now) > 0 and not self._is_probing:
            return False  # answers still owed when it opened
        self._open_until, self._is_probing = now + waits[0], False
        self._write(self._open_for_all(waits, cause=cause, now=now))
        return True

    async def _open_for_all(self, waits: Sequence[timedelta], *, cause: str, now: datetime) -> None:
        until = await self.hands.do(open_breaker, lane=self.lane, waits=waits, cause=cause, now=now)
        if until is not None:
            self._open_until = until
            _log.error(
                "lane_closed", lane=self.lane, cause=cause, for_s=round((until - now).total_seconds(), 1)
            )

    async def _close_for_all(self) -> None:
        if await self.hands.do(close_breaker, lane=self.lane):
            _log.info("lane_reopened", lane=self.lane)

    def _write(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._tried(work))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _tried(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (DatabaseError, psycopg.Error) as error:
            # It holds here all the same; other workers find out for themselves.
            _log.warning("breaker_without_database", lane=self.lane, error=type(error).__name__)
