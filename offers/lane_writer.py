"""What one lane has to write down: answers in batches, dead letters, and what was not sent after all."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from offers.delivery import LEASE, settle
from offers.hands import Hands
from offers.stages.deliver import Answer, Parcel, release_parcels
from offers.worker import RECONNECT_S, is_database_away

LINGER_S = 0.2  # answers wait for each other, so that they are written down together
ENOUGH = 200  # answers that wait no longer
AT_ONCE = 400  # answers in one statement
GIVE_UP_AFTER = 4  # failures at the end: what is left is claimed again when its lease passes

_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class LaneWriter:
    """Writes while the lane sends on. Nothing is lost when the database is away: answers wait, up to their lease."""

    lane: str
    hands: Hands
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    on_written: Callable[[datetime | None], None]  # gets when the first of those queued again is due
    _answers: list[Answer] = field(default_factory=list)
    _malformed: dict[int, int] = field(default_factory=dict)
    _unsent: list[Parcel] = field(default_factory=list)
    _failures: int = 0
    _is_ending: bool = False
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)  # there is enough to write, or it is the end

    @property
    def has_room(self) -> bool:
        """Whether the lane may claim more: what waits here to be written keeps it from that."""
        return len(self._answers) < AT_ONCE

    def write(self, answer: Answer) -> None:
        """Write down what came of a message."""
        self._answers.append(answer)
        self._work.set()
        if len(self._answers) >= ENOUGH:
            self._hurry.set()

    def bury(self, malformed: Mapping[int, int]) -> None:
        """Write messages (attempts by id) down as dead letters."""
        if malformed:
            self._malformed |= malformed
            self._work.set()

    def put_back(self, parcels: Iterable[Parcel]) -> None:
        """Put back what is not sent after all."""
        self._unsent.extend(parcels)
        if self._unsent:
            self._work.set()

    def end(self) -> None:
        """Write what there is, and end."""
        self._is_ending = True
        self._work.set()
        self._hurry.set()

    async def run(self) -> None:
        """Write until told to end."""
        while True:
            await self._work.wait()
            self._work.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await self._hurry.wait()
            await self._write()
            if not self._is_ending and len(self._answers) < ENOUGH:
                self._hurry.clear()
            if self._answers or self._malformed or self._unsent:
                if self._is_ending and self._failures >= GIVE_UP_AFTER:
                    _log.error("answers_lost", lane=self.lane, messages=len(self._answers))
                    return
                self._work.set()
            elif self._is_ending:
                return

    async def _write(self) -> None:
        unsent, self._unsent = self._unsent, []
        malformed, self._malformed = self._malformed, {}
        answers, self._answers = self._answers[:AT_ONCE], self._answers[AT_ONCE:]
        try:
            if unsent:
                await self.hands.do(release_parcels, unsent)
                unsent = []
                self.on_written(self.clock())  # they are due
            due_at = await self._settle(answers, malformed) if answers or malformed else None
            self._failures = 0
            self.on_written(due_at)
        # The lane goes on whatever it is.
        except Exception as error:  # noqa: BLE001
            self._unsent[:0] = unsent
            self._failures += 1
            if is_database_away(error):
                _log.warning("worker_without_database", loop=self.lane, error=type(error).__name__)
                self._keep(answers, malformed)
            else:
                _log.error("worker_defect", loop=self.lane, exc_info=error)
                await self._settle_apart(answers)
            await asyncio.sleep(RECONNECT_S[min(self._failures, len(RECONNECT_S)) - 1])

    async def _settle(self, answers: list[Answer], malformed: Mapping[int, int]) -> datetime | None:
        return await self.hands.do(
            settle, answers, malformed, lane=self.lane, now=self.clock(), chance=self.chance
        )

    def _keep(self, answers: list[Answer], malformed: Mapping[int, int]) -> None:
        """Try again later; once their lease has passed, others have claimed them, and will know better."""
        now = self.clock()
        self._answers[:0] = [answer for answer in answers if answer.at + LEASE > now]
        self._malformed = {**malformed, **self._malformed}

    async def _settle_apart(self, answers: list[Answer]) -> None:
        """Write answers one by one, so that the one which cannot be written is left alone to its lease."""
        for answer in answers:
            try:
                self.on_written(await self._settle([answer], {}))
            except Exception as error:  # noqa: BLE001
                _log.error("answer_not_written", loop=self.lane, exc_info=error)
