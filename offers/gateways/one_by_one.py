"""What a gateway does around each message that it sends on its own: time, order, a halted or slowed lane, the log."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from .fcm_answers import Verdict, later
from .payload import CannotBuild
from .port import Outcome, PushMessage, Receipt

# Sends one message and says what it came to; the instant is the present one, aware UTC. May raise CannotBuild.
Attempt = Callable[[PushMessage, datetime], Awaitable[Verdict]]

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Batch:
    """One call of send: its clock, and what its messages learnt about the lane."""

    now: datetime
    started: float
    halt: Verdict | None = None  # what messages not sent yet come to without being sent


class OneByOne:
    """Takes messages to a provider one by one, several at a time.

    A stopped lane ends its batch: what was not sent yet gets the same answer unsent. A verdict that slows the lane is
    remembered: until its time nothing more is sent, by any call.
    """

    def __init__(self, *, gateway: str, concurrency: int, clock: Callable[[], float] = time.time) -> None:
        """`gateway` names it in the log; `clock` gives seconds, for the time that passes within a call."""
        self._gateway = gateway
        self._clock = clock
        self._places = asyncio.Semaphore(concurrency)
        self._slow_until: datetime | None = None

    async def send(
        self, messages: Sequence[PushMessage], *, now: datetime, attempt: Attempt
    ) -> list[Receipt]:
        """Return one receipt per message, in the same order; see PushGateway."""
        batch = _Batch(now=now, started=self._clock())
        return list(await asyncio.gather(*(self._receipt(message, batch, attempt) for message in messages)))

    async def _receipt(self, message: PushMessage, batch: _Batch, attempt: Attempt) -> Receipt:
        async with self._places:
            try:
                verdict = await self._verdict(message, batch, attempt)
            except CannotBuild as error:
                verdict = Verdict(outcome=Outcome.OUR_FAULT, code=error.code)
            # A defect met by one message must not lose its neighbours' receipts: they would be sent twice.
            except Exception as error:  # noqa: BLE001
                _log.error("push_gateway_defect", message_id=message.message_id, error=type(error).__name__)
                verdict = Verdict(outcome=Outcome.OUR_FAULT, code="GATEWAY_DEFECT")
        self._report(message, verdict)
        at = self._moment(batch)
        return Receipt(
            message_id=message.message_id,
            outcome=verdict.outcome,
            provider_message_id=verdict.provider_message_id,
            provider_code=verdict.code,
            status=verdict.status,
            retry_at=None if verdict.retry_in is None else at + verdict.retry_in,
        )

    async def _verdict(self, message: PushMessage, batch: _Batch, attempt: Attempt) -> Verdict:
        at = self._moment(batch)
        if message.expires_at <= at:
            return Verdict(outcome=Outcome.EXPIRED)
        if batch.halt is not None:
            return batch.halt
        if self._slow_until is not None and at < self._slow_until:
            return later("LANE_SLOWED", retry_in=self._slow_until - at)
        verdict = await attempt(message, at)
        if verdict.outcome is Outcome.LANE_STOPPED:
            batch.halt = verdict
        if verdict.slows_lane and verdict.retry_in is not None:
            self._slow_until = self._moment(batch) + verdict.retry_in
        return verdict

    def _moment(self, batch: _Batch) -> datetime:
        return batch.now + timedelta(seconds=max(self._clock() - batch.started, 0.0))

    def _report(self, message: PushMessage, verdict: Verdict) -> None:
        fields = {"message_id": message.message_id, "platform": message.platform, "gateway": self._gateway}
        if verdict.outcome is Outcome.ACCEPTED:
            _log.info("push_sent", **fields)
            return
        say = _log.error if verdict.outcome in (Outcome.OUR_FAULT, Outcome.LANE_STOPPED) else _log.info
        say(
            "push_not_sent", outcome=verdict.outcome.value, code=verdict.code, status=verdict.status, **fields
        )
