"""Pushes to browsers: guarded, encrypted for one subscription, every answer classified, no waiting."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpcore
import structlog

from .fcm_answers import Verdict, later
from .http import NoAnswer, post, trust
from .payload import CannotBuild
from .port import Outcome, PushMessage, Receipt
from .webpush_answers import KEY_MISMATCH, verdict_for
from .webpush_crypto import BadSubscription, Subscription, encrypted
from .webpush_guard import Endpoint, Guard, GuardRefused
from .webpush_payload import topic_of, webpush_headers, webpush_text
from .webpush_services import Services, Streak, learnt
from .webpush_transport import Resolver, guarded_client, system_resolver
from .webpush_vapid import Vapid, load_key

DEFAULT_TIMEOUT_S = 8.0
DEFAULT_CONCURRENCY = 64

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Batch:
    """One call of send: its clock, and what its messages met at each push service."""

    now: datetime
    started: float
    streaks: dict[str, Streak] = field(default_factory=lambda: defaultdict(Streak))  # by origin


@dataclass(frozen=True, slots=True)
class _Letter:
    """A message ready to leave."""

    endpoint: Endpoint
    headers: dict[str, str]
    body: bytes


class WebPushGateway:
    """Web Push (RFC 8030) over HTTPS, to whatever push service the subscription names and the guard lets through."""

    def __init__(
        self,
        *,
        guard: Guard,
        vapid_key_file: Path,
        vapid_subject: str,
        ca_file: Path | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        concurrency: int = DEFAULT_CONCURRENCY,
        clock: Callable[[], float] = time.time,
        resolve: Resolver = system_resolver,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """Read the key; raises BadCredentialsFile.

        `timeout_s` bounds each request whole, looking up the name included, `concurrency` the requests under way;
        `clock` gives Unix time, for what is signed and for the time that passes within a call. `ca_file` (PEM) is
        trusted besides the system's. `resolve` and `network`: see guarded_client.
        """
        self._guard = guard
        self._timeout_s = timeout_s
        self._clock = clock
        self._places = asyncio.Semaphore(concurrency)
        self._vapid = Vapid(key=load_key(vapid_key_file), subject=vapid_subject, clock=clock)
        self._services = Services()
        self._client = guarded_client(
            guard=guard,
            timeout_s=timeout_s,
            concurrency=concurrency,
            trusted=trust(ca_file),
            resolve=resolve,
            network=network,
        )

    async def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[Receipt]:
        """Send the messages and return one receipt per message, in the same order; see PushGateway.

        A message's token is `{"endpoint", "p256dh", "auth"}` as JSON.
        """
        batch = _Batch(now=now, started=self._clock())
        return list(await asyncio.gather(*(self._receipt(message, batch) for message in messages)))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _receipt(self, message: PushMessage, batch: _Batch) -> Receipt:
        async with self._places:
            try:
                verdict = await self._verdict(message, batch)
            except (BadSubscription, CannotBuild, GuardRefused) as error:
                verdict = Verdict(outcome=Outcome.OUR_FAULT, code=error.code)
            # A defect met by one message must not lose its neighbours' receipts: they would be sent twice.
            except Exception as error:  # noqa: BLE001
                _log.error("push_gateway_defect", message_id=message.message_id, error=type(error).__name__)
                verdict = Verdict(outcome=Outcome.OUR_FAULT, code="GATEWAY_DEFECT")
        self._report(message, verdict)
        at = self._moment(batch)
        is_accepted = verdict.outcome is Outcome.ACCEPTED
        return Receipt(
            message_id=message.message_id,
            outcome=verdict.outcome,
            # The Location in the answer is a key to the message, good for deleting it: it is not kept.
            provider_message_id=topic_of(message) if is_accepted else None,
            provider_code=verdict.code,
            status=verdict.status,
            retry_at=None if verdict.retry_in is None else at + verdict.retry_in,
        )

    async def _verdict(self, message: PushMessage, batch: _Batch) -> Verdict:
        at = self._moment(batch)
        if message.expires_at <= at:
            return Verdict(outcome=Outcome.EXPIRED)
        subscription = Subscription.from_token(message.token)
        endpoint = self._guard.endpoint(subscription.endpoint)
        service, streak = self._services.at(endpoint.origin), batch.streaks[endpoint.origin]
        if streak.halt is not None:
            return streak.halt
        if service.slow_until is not None and at < service.slow_until:
            return later("LANE_SLOWED", retry_in=service.slow_until - at)
        letter = _Letter(
            endpoint=endpoint,
            headers=webpush_headers(message, now=at),
            body=encrypted(webpush_text(message), to=subscription),
        )
        try:
            verdict = await self._sent(letter, batch)
        except NoAnswer as error:
            return later(error.code)
        return learnt(verdict, service=service, streak=streak, at=self._moment(batch))

    async def _sent(self, letter: _Letter, batch: _Batch) -> Verdict:
        origin = letter.endpoint.origin
        header = self._vapid.header(origin)
        verdict = await self._posted(letter, authorization=header, batch=batch)
        if verdict.refuses_credentials and self._vapid.renew(origin, refused=header):
            verdict = await self._posted(letter, authorization=self._vapid.header(origin), batch=batch)
        return verdict

    async def _posted(self, letter: _Letter, *, authorization: str, batch: _Batch) -> Verdict:
        answer = await post(
            self._client,
            letter.endpoint.url,
            timeout_s=self._timeout_s,
            content=letter.body,
            headers={**letter.headers, "authorization": authorization},
        )
        return verdict_for(
            status=answer.status,
            body=answer.body,
            retry_after=answer.retry_after,
            now=self._moment(batch),
        )

    def _moment(self, batch: _Batch) -> datetime:
        return batch.now + timedelta(seconds=max(self._clock() - batch.started, 0.0))

    def _report(self, message: PushMessage, verdict: Verdict) -> None:
        fields = {"message_id": message.message_id, "platform": message.platform, "gateway": "webpush"}
        if verdict.outcome is Outcome.ACCEPTED:
            _log.info("push_sent", **fields)
            return
        alarming = (
            verdict.outcome in (Outcome.OUR_FAULT, Outcome.LANE_STOPPED) or verdict.code == KEY_MISMATCH
        )
        say = _log.error if alarming else _log.info
        say(
            "push_not_sent", outcome=verdict.outcome.value, code=verdict.code, status=verdict.status, **fields
        )
