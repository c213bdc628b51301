"""Pushes to browsers: guarded, encrypted for one subscription, every answer classified, no waiting."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import httpcore

from .http import NoAnswer, post, trust
from .lane import Batch, Lane
from .port import Outcome, PushMessage, Receipt
from .verdicts import Verdict, later
from .webpush_answers import KEY_MISMATCH, verdict_for
from .webpush_crypto import Subscription, encrypted
from .webpush_guard import Endpoint, Guard
from .webpush_payload import topic_of, webpush_headers, webpush_text
from .webpush_services import Services, Streak, learnt
from .webpush_transport import Resolver, guarded_client, system_resolver
from .webpush_vapid import Vapid, load_key

DEFAULT_TIMEOUT_S = 8.0
DEFAULT_CONCURRENCY = 64

Streaks = dict[str, Streak]  # what one call of send met at each push service, by origin


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
        # There are as many push services as strangers name: what one says is not believed of the others.
        self._lane = Lane(
            gateway="webpush",
            concurrency=concurrency,
            clock=clock,
            believes=False,
            alarming=frozenset([KEY_MISMATCH]),
        )
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
        attempt = partial(self._attempt, streaks=defaultdict(Streak))
        return await self._lane.send(messages, now=now, attempt=attempt)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _attempt(
        self, message: PushMessage, batch: Batch, at: datetime, *, streaks: Streaks
    ) -> Verdict:
        subscription = Subscription.from_token(message.token)
        endpoint = self._guard.endpoint(subscription.endpoint)
        service, streak = self._services.at(endpoint.origin), streaks[endpoint.origin]
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
        if verdict.outcome is Outcome.ACCEPTED:
            # The Location in the answer is a key to the message, good for deleting it: it is not kept.
            verdict = replace(verdict, provider_message_id=topic_of(message))
        return learnt(verdict, service=service, streak=streak, at=self._lane.moment(batch))

    async def _sent(self, letter: _Letter, batch: Batch) -> Verdict:
        origin = letter.endpoint.origin
        header = self._vapid.header(origin)
        verdict = await self._posted(letter, authorization=header, batch=batch)
        if verdict.refuses_credentials and self._vapid.renew(origin, refused=header):
            verdict = await self._posted(letter, authorization=self._vapid.header(origin), batch=batch)
        return verdict

    async def _posted(self, letter: _Letter, *, authorization: str, batch: Batch) -> Verdict:
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
            now=self._lane.moment(batch),
        )
