"""What gateways with one answer per message have in common: the bound, the clock, a lane that stops or rests, the receipts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from .fitting import CannotBuild
from .port import Outcome, PushMessage, Receipt
from .verdicts import Verdict, later

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Batch:
    """One call of send: its clock, and what its messages learnt about the lane."""

    now: datetime
    started: float
    halt: Verdict | None = None  # what messages not sent yet come to without being sent


Attempt = Callable[[PushMessage, Batch, datetime], Awaitable[Verdict]]


@dataclass(slots=True, kw_only=True)
class Lane:
    """One provider's lane. An answer that slows it is remembered: until its time nothing more is sent, by any call."""

    gateway: str  # for the log
    concurrency: int  # sends under way
    clock: Callable[[], float]  # Unix time: what passes within a call is measured by it
    # Whether one answer about the lane is believed of all of it; where False, `attempt` itself knows what to believe.
    believes: bool = True
    alarming: frozenset[str] = frozenset()  # codes that someone should hear of although only a device is lost
    _places: asyncio.Semaphore = field(init=False)
    _slow_until: datetime | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.concurrency)

    async def send(
        self, messages: Sequence[PushMessage], *, now: datetime, attempt: Attempt
    ) -> list[Receipt]:
        """Return one receipt per message, in the same order.

        `attempt` sends one message at an instant, which is given to it, before the message's end; CannotBuild is the
        one error it may raise. A lane that it finds stopped ends the batch: the messages not sent yet share the verdict.
        """
        batch = Batch(now=now, started=self.clock())
        if len(messages) == 1:
            return [await self._receipt(messages[0], batch, attempt)]
        return list(await asyncio.gather(*(self._receipt(message, batch, attempt) for message in messages)))

    def moment(self, batch: Batch) -> datetime:
        """Return the present instant, as the batch counts."""
        return batch.now + timedelta(seconds=max(self.clock() - batch.started, 0.0))

    async def _receipt(self, message: PushMessage, batch: Batch, attempt: Attempt) -> Receipt:
        async with self._places:
            try:
                verdict = await self._verdict(message, batch, attempt)
            # A defect met by one message must not lose its neighbours' receipts: they would be sent twice.
            except Exception as error:  # noqa: BLE001
                _log.error("push_gateway_defect", message_id=message.message_id, error=type(error).__name__)
                verdict = Verdict(outcome=Outcome.OUR_FAULT, code="GATEWAY_DEFECT")
        self._report(message, verdict)
        return Receipt(
            message_id=message.message_id,
            outcome=verdict.outcome,
            provider_message_id=verdict.provider_message_id,
            provider_code=verdict.code,
            status=verdict.status,
            retry_at=None if verdict.retry_in is None else self.moment(batch) + verdict.retry_in,
        )

    async def _verdict(self, message: PushMessage, batch: Batch, attempt: Attempt) -> Verdict:
        at = self.moment(batch)
        if message.expires_at <= at:
            return Verdict(outcome=Outcome.EXPIRED)
        if batch.halt is not None:
            return batch.halt
        if self._slow_until is not None and at < self._slow_until:
            return later("LANE_SLOWED", retry_in=self._slow_until - at)
        try:
            verdict = await attempt(message, batch, at)
        except CannotBuild as error:
            return Verdict(outcome=Outcome.OUR_FAULT, code=error.code)
        if self.believes:
            self._learn(verdict, batch)
        return verdict

    def _learn(self, verdict: Verdict, batch: Batch) -> None:
        if verdict.outcome is Outcome.LANE_STOPPED:
            batch.halt = verdict
        if verdict.slows_lane and verdict.retry_in is not None:
            self._slow_until = self.moment(batch) + verdict.retry_in

    def _report(self, message: PushMessage, verdict: Verdict) -> None:
        fields = {"message_id": message.message_id, "platform": message.platform, "gateway": self.gateway}
        if verdict.outcome is Outcome.ACCEPTED:
            _log.debug(
                "push_sent", **fields
            )  # the receipt says so, and a line each costs as much as half a send
            return
        alarming = verdict.outcome in (Outcome.OUR_FAULT, Outcome.LANE_STOPPED)
        say = _log.error if alarming or verdict.code in self.alarming else _log.info
        say(
            "push_not_sent", outcome=verdict.outcome.value, code=verdict.code, status=verdict.status, **fields
        )
