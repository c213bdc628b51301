"""Pushes through FCM HTTP v1: one shared client, bounded concurrency, every answer classified, no waiting."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from .fcm_answers import FAILURE_WAIT, Verdict, lane_stopped, later, retry_wait, verdict_for
from .google_tokens import AccessTokens, NoToken, ServiceAccount
from .http import NoAnswer, new_client, post
from .payload import CannotBuild, fcm_request
from .port import Outcome, PushMessage, Receipt
from .settings import GOOGLE_BASE_URL

DEFAULT_TIMEOUT_S = 8.0
DEFAULT_CONCURRENCY = 64

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Batch:
    """One call of send: its clock, and what its messages learnt about the lane."""

    now: datetime
    started: float
    halt: Verdict | None = None  # what messages not sent yet come to without being sent


class FcmGateway:
    """FCM over HTTP. A quota answer is remembered: until its time nothing more is sent, by any call."""

    def __init__(
        self,
        *,
        credentials_file: Path,
        base_url: str = GOOGLE_BASE_URL,
        ca_file: Path | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        concurrency: int = DEFAULT_CONCURRENCY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Read the service account; raises BadCredentialsFile.

        `timeout_s` bounds each request whole, `concurrency` the requests under way; `clock` gives Unix time, for
        credentials and for the time that passes within a call.
        """
        account = ServiceAccount.from_file(credentials_file)
        self._path = f"/v1/projects/{account.project_id}/messages:send"
        self._timeout_s = timeout_s
        self._clock = clock
        self._places = asyncio.Semaphore(concurrency)
        self._client = new_client(
            base_url=base_url, timeout_s=timeout_s, concurrency=concurrency, ca_file=ca_file
        )
        self._tokens = AccessTokens(account=account, client=self._client, timeout_s=timeout_s, clock=clock)
        self._slow_until: datetime | None = None

    async def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[Receipt]:
        """Send the messages and return one receipt per message, in the same order; see PushGateway."""
        batch = _Batch(now=now, started=self._clock())
        return list(await asyncio.gather(*(self._receipt(message, batch) for message in messages)))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _receipt(self, message: PushMessage, batch: _Batch) -> Receipt:
        async with self._places:
            try:
                verdict = await self._verdict(message, batch)
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

    async def _verdict(self, message: PushMessage, batch: _Batch) -> Verdict:
        at = self._moment(batch)
        if message.expires_at <= at:
            return Verdict(outcome=Outcome.EXPIRED)
        if batch.halt is not None:
            return batch.halt
        if self._slow_until is not None and at < self._slow_until:
            return later("LANE_SLOWED", retry_in=self._slow_until - at)
        try:
            body = fcm_request(message, now=at)
        except CannotBuild as error:
            return Verdict(outcome=Outcome.OUR_FAULT, code=error.code)
        verdict = await self._sent(body, batch)
        if verdict.outcome is Outcome.LANE_STOPPED:
            batch.halt = verdict
        if verdict.slows_lane and verdict.retry_in is not None:
            self._slow_until = self._moment(batch) + verdict.retry_in
        return verdict

    async def _sent(self, body: bytes, batch: _Batch) -> Verdict:
        try:
            token = await self._tokens.current()
            verdict = await self._posted(body, token=token, batch=batch)
            if verdict.refuses_credentials and batch.halt is None:
                token = await self._tokens.current(refused=token)
                verdict = await self._posted(body, token=token, batch=batch)
        except NoToken as error:
            return self._without_token(error, batch)
        except NoAnswer as error:
            return later(error.code)
        return verdict

    async def _posted(self, body: bytes, *, token: str, batch: _Batch) -> Verdict:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json; charset=UTF-8"}
        answer = await post(
            self._client, self._path, timeout_s=self._timeout_s, content=body, headers=headers
        )
        return verdict_for(
            status=answer.status,
            body=answer.body,
            retry_after=answer.retry_after,
            now=self._moment(batch),
        )

    def _without_token(self, error: NoToken, batch: _Batch) -> Verdict:
        if error.refused:
            return lane_stopped(error.code, status=error.status)
        wait = retry_wait(error.retry_after, now=self._moment(batch))
        # Without a token nobody can be reached: the rest of the batch need not ask again.
        batch.halt = later(error.code, status=error.status, retry_in=FAILURE_WAIT if wait is None else wait)
        return batch.halt

    def _moment(self, batch: _Batch) -> datetime:
        return batch.now + timedelta(seconds=max(self._clock() - batch.started, 0.0))

    def _report(self, message: PushMessage, verdict: Verdict) -> None:
        fields = {"message_id": message.message_id, "platform": message.platform, "gateway": "fcm"}
        if verdict.outcome is Outcome.ACCEPTED:
            _log.info("push_sent", **fields)
            return
        alarming = verdict.outcome in (Outcome.OUR_FAULT, Outcome.LANE_STOPPED)
        alarming = alarming or verdict.code in ("SENDER_ID_MISMATCH", "THIRD_PARTY_AUTH_ERROR")
        say = _log.error if alarming else _log.info
        say(
            "push_not_sent", outcome=verdict.outcome.value, code=verdict.code, status=verdict.status, **fields
        )
