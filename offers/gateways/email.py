"""E-mail through Django's mail backends: a bounded pool of threads, each with a connection it keeps."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.mail import get_connection
from django.core.validators import validate_email

from .email_lines import Connect, MailLine
from .email_messages import offer_mail
from .lane import Batch, Lane
from .port import Outcome, PushMessage, Receipt
from .verdicts import FAILURE_WAIT, Verdict

DEFAULT_TIMEOUT_S = 8.0
DEFAULT_THREADS = 8
STEPS = (
    3  # a mail is several exchanges, each bounded by the backend's own timeout; together they get this many
)


class EmailGateway:
    """Django's mail, asynchronous to its caller. A message's token is an e-mail address; see offer_mail for its data."""

    def __init__(
        self,
        *,
        from_address: str,
        public_url: str,
        connect: Connect = get_connection,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        threads: int = DEFAULT_THREADS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`connect` makes a mail backend; by default the one that Django's settings name.

        `public_url`: scheme and host that links to unsubscribe begin with. `threads` bounds the mails under way.
        """
        self._from_address = from_address
        self._public_url = public_url
        self._connect = connect
        self._limit_s = STEPS * timeout_s
        self._goodbye_s = timeout_s
        self._lane = Lane(gateway="email", concurrency=threads, clock=clock)
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="mail")
        self._lines: list[MailLine] = []
        self._free: list[MailLine] = []

    async def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[Receipt]:
        """Send the messages and return one receipt per message, in the same order; see PushGateway."""
        return await self._lane.send(messages, now=now, attempt=self._attempt)

    async def aclose(self) -> None:
        """Close the connections; what is still under way is cut off."""
        for line in set(self._lines) - set(self._free):
            line.cut()
        closing = asyncio.create_task(asyncio.to_thread(self._close))
        await asyncio.wait({closing}, timeout=self._goodbye_s)
        for line in self._lines:
            line.cut()
        await closing

    def _close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        for line in self._lines:
            line.close()

    async def _attempt(self, message: PushMessage, _: Batch, at: datetime) -> Verdict:
        try:
            validate_email(message.token)
        except ValidationError:
            return Verdict(outcome=Outcome.DEAD_TOKEN, code="INVALID_ADDRESS")
        line = self._free.pop() if self._free else self._new_line()
        job = asyncio.get_running_loop().run_in_executor(self._threads, self._send, line, message, at)
        # A line is free when its thread is, which may be after we stopped waiting for it.
        job.add_done_callback(lambda _: self._free.append(line))
        try:
            async with asyncio.timeout(self._limit_s):
                return await asyncio.shield(job)
        except TimeoutError:
            line.cut()
            return Verdict(outcome=Outcome.TRY_LATER, code="TIMEOUT", retry_in=FAILURE_WAIT, slows_lane=True)

    def _new_line(self) -> MailLine:
        line = MailLine(connect=self._connect)
        self._lines.append(line)
        return line

    def _send(self, line: MailLine, message: PushMessage, at: datetime) -> Verdict:
        mail = offer_mail(message, from_address=self._from_address, public_url=self._public_url, now=at)
        return line.send(mail, now=at)
