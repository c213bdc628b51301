"""SMS through one HTTP gateway: one shared client, bounded concurrency, every answer classified, no waiting."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import unquote, urlsplit

from .http import NoAnswer, new_client, post
from .lane import Batch, Lane
from .port import Outcome, PushMessage, Receipt
from .settings import SmsSettings
from .sms_dialects import DIALECTS, E164, Account, Sms
from .sms_text import is_gsm, sms_text
from .verdicts import FAILURE_WAIT, Verdict

DEFAULT_TIMEOUT_S = 8.0
DEFAULT_CONCURRENCY = 16


class SmsGateway:
    """An SMS provider over HTTP. A message's token is an E.164 number; its data's `code` and `valid_until` are told."""

    def __init__(
        self,
        *,
        settings: SmsSettings,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        concurrency: int = DEFAULT_CONCURRENCY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises KeyError for a provider without a dialect.

        `timeout_s` bounds each request whole, `concurrency` the requests under way; `clock` gives seconds.
        """
        self._dialect = DIALECTS[settings.provider]
        self._settings = settings
        origin, self._account = _address(settings.url)
        self._timeout_s = timeout_s
        self._client = new_client(base_url=origin, timeout_s=timeout_s, concurrency=concurrency)
        self._lane = Lane(gateway="sms", concurrency=concurrency, clock=clock)

    async def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[Receipt]:
        """Send the messages and return one receipt per message, in the same order; see PushGateway."""
        return await self._lane.send(messages, now=now, attempt=self._attempt)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _attempt(self, message: PushMessage, _: Batch, at: datetime) -> Verdict:
        if not E164.fullmatch(message.token):
            return Verdict(outcome=Outcome.DEAD_TOKEN, code="INVALID_NUMBER")
        text = sms_text(message, stop_number=self._settings.stop_number, now=at)
        sms = Sms(
            message_id=message.message_id,
            to=message.token,
            sender=self._settings.sender,
            text=text,
            is_gsm=is_gsm(text),
        )
        request = self._dialect.request(sms, self._account)
        try:
            answer = await post(
                self._client,
                request.path,
                timeout_s=self._timeout_s,
                content=request.content,
                headers=dict(request.headers),
            )
        except NoAnswer as error:
            # What cannot be reached for one message cannot be reached for the others of this moment.
            return Verdict(
                outcome=Outcome.TRY_LATER,
                code=error.code,
                retry_in=FAILURE_WAIT,
                slows_lane=error.code == "CONNECT_FAILED",
            )
        return self._dialect.verdict(answer, at)


def _address(url: str) -> tuple[str, Account]:
    """Return a gateway's origin, and the account that its address names."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    account = Account(
        path=parts.path if parts.path != "/" else "",
        user=unquote(parts.username or ""),
        secret=unquote(parts.password or ""),
    )
    return origin, account
