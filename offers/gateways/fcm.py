"""Pushes through FCM HTTP v1: shared connections, bounded concurrency, every answer classified, no waiting."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from .fcm_answers import verdict_for
from .fcm_ways import OverHttp2, OverHttpx, Way, is_proxied
from .google_tokens import AccessTokens, NoToken, ServiceAccount
from .http import NoAnswer, new_client
from .http2_shared import NoConnection
from .lane import Batch, Lane
from .payload import fcm_request
from .port import PushMessage, Receipt
from .settings import GOOGLE_BASE_URL
from .verdicts import FAILURE_WAIT, Verdict, lane_stopped, later, retry_wait

DEFAULT_TIMEOUT_S = 8.0
DEFAULT_CONCURRENCY = 64
ALARMING = frozenset(["SENDER_ID_MISMATCH", "THIRD_PARTY_AUTH_ERROR"])


class FcmGateway:
    """FCM: https goes over HTTP/2, plain http over HTTP/1.1. A quota answer is remembered: until its time nothing more is sent, by any call."""

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
        path = f"/v1/projects/{account.project_id}/messages:send"
        self._lane = Lane(gateway="fcm", concurrency=concurrency, clock=clock, alarming=ALARMING)
        self._client = new_client(
            base_url=base_url, timeout_s=timeout_s, concurrency=concurrency, ca_file=ca_file
        )
        self._way: Way
        if base_url.startswith("https:") and not is_proxied(base_url):
            self._way = OverHttp2(base_url=base_url, path=path, timeout_s=timeout_s, ca_file=ca_file)
        else:
            self._way = OverHttpx(client=self._client, path=path, timeout_s=timeout_s)
        self._tokens = AccessTokens(account=account, client=self._client, timeout_s=timeout_s, clock=clock)

    async def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[Receipt]:
        """Send the messages and return one receipt per message, in the same order; see PushGateway."""
        await self._way.look()
        return await self._lane.send(messages, now=now, attempt=self._attempt)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._way.aclose()
        await self._client.aclose()

    async def _attempt(self, message: PushMessage, batch: Batch, at: datetime) -> Verdict:
        body = fcm_request(message, now=at)
        try:
            token = await self._tokens.current()
            verdict = await self._posted(body, token=token, batch=batch)
            if verdict.refuses_credentials and batch.halt is None:
                token = await self._tokens.current(refused=token)
                verdict = await self._posted(body, token=token, batch=batch)
        except NoToken as error:
            return self._without_token(error, batch)
        except NoConnection as error:
            # Nobody can be reached: the rest of the batch need not try.
            batch.halt = later(error.code)
            return batch.halt
        except NoAnswer as error:
            return later(error.code)
        return verdict

    async def _posted(self, body: bytes, *, token: str, batch: Batch) -> Verdict:
        answer = await self._way.post(body, token=token)
        return verdict_for(
            status=answer.status,
            body=answer.body,
            retry_after=answer.retry_after,
            now=self._lane.moment(batch),
        )

    def _without_token(self, error: NoToken, batch: Batch) -> Verdict:
        if error.refused:
            return lane_stopped(error.code, status=error.status)
        wait = retry_wait(error.retry_after, now=self._lane.moment(batch))
        # Without a token nobody can be reached: the rest of the batch need not ask again.
        batch.halt = later(error.code, status=error.status, retry_in=FAILURE_WAIT if wait is None else wait)
        return batch.halt
