"""Pushes through APNs: one shared HTTP/2 connection, bounded concurrency, every answer classified, no waiting."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from .apns_answers import DEAD, verdict_for
from .apns_request import Headers, apns_payload
from .apns_tokens import ProviderTokens, SigningKey
from .http import Answer, NoAnswer, new_trust
from .http2_shared import NoConnection, SharedConnection
from .lane import Batch, Lane
from .port import Outcome, PushMessage, Receipt
from .settings import ApnsSettings
from .verdicts import Verdict, later

DEFAULT_TIMEOUT_S = 8.0
DEFAULT_CONCURRENCY = 64
WRONG_ENVIRONMENT_FROM = 10  # bad tokens in a batch without a good one: it is not the tokens

_log = structlog.get_logger(__name__)


class ApnsGateway:
    """APNs over HTTP/2. Too many renewals of our token are remembered: until their time nothing is sent, by any call."""

    def __init__(
        self,
        *,
        settings: ApnsSettings,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        concurrency: int = DEFAULT_CONCURRENCY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Read the signing key, which the settings must name; raises BadCredentialsFile.

        `timeout_s` bounds each request whole, `concurrency` the requests under way; `clock` gives Unix time, for
        our token and for the time that passes within a call.
        """
        assert settings.key_file is not None
        key = SigningKey.from_file(settings.key_file, key_id=settings.key_id, team_id=settings.team_id)
        self._headers = Headers(host=settings.host, port=settings.port, topic=settings.topic)
        self._tokens = ProviderTokens(key=key, clock=clock)
        self._lane = Lane(gateway="apns", concurrency=concurrency, clock=clock, alarming=DEAD)
        self._connection = SharedConnection(
            gateway="apns",
            host=settings.host,
            port=settings.port,
            trust=new_trust(settings.ca_file),
            timeout_s=timeout_s,
        )

    async def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[Receipt]:
        """Send the messages and return one receipt per message, in the same order; see PushGateway."""
        await self._connection.look()
        return _spared(await self._lane.send(messages, now=now, attempt=self._attempt))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._connection.aclose()

    async def _attempt(self, message: PushMessage, batch: Batch, at: datetime) -> Verdict:
        body = apns_payload(message)
        token = self._tokens.current()
        try:
            answer = await self._connection.post(self._headers.made(message, token=token), body)
            verdict = self._verdict(message, answer, batch)
            if verdict.refuses_credentials and batch.halt is None:
                other = self._tokens.instead_of(token)
                if other is not None:
                    answer = await self._connection.post(self._headers.made(message, token=other), body)
                    verdict = self._verdict(message, answer, batch)
        except NoConnection as error:
            # Nobody can be reached: the rest of the batch need not try.
            batch.halt = later(error.code)
            return batch.halt
        except NoAnswer as error:
            return later(error.code)
        return verdict

    def _verdict(self, message: PushMessage, answer: Answer, batch: Batch) -> Verdict:
        return verdict_for(
            message,
            status=answer.status,
            body=answer.body,
            retry_after=answer.retry_after,
            now=self._lane.moment(batch),
        )


def _spared(receipts: list[Receipt]) -> list[Receipt]:
    """Return the receipts, no token called dead where APNs knows none at all.

    Tokens of the sandbox sent to production, or of another app, are all bad at once: a setting is at fault, and the
    devices are as good as before.
    """
    bad = [receipt for receipt in receipts if receipt.provider_code in DEAD]
    if len(bad) < WRONG_ENVIRONMENT_FROM or any(one.outcome is Outcome.ACCEPTED for one in receipts):
        return receipts
    _log.error("push_tokens_of_another_environment", gateway="apns", messages=len(bad))
    return [
        replace(receipt, outcome=Outcome.LANE_STOPPED) if receipt.provider_code in DEAD else receipt
        for receipt in receipts
    ]
