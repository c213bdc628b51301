"""One connection to the mail server: opened when it is needed, kept between messages, opened anew after trouble."""

import smtplib
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from .email_answers import opening_verdict, recipient_verdict, sending_verdict
from .email_wire import EmailBackend, Wire
from .port import Outcome
from .verdicts import Verdict

IDLE_S = 5.0  # after such a rest a connection is asked whether it still stands: servers close idle ones

Connect = Callable[[], BaseEmailBackend]


class MailLine:
    """Used by one thread at a time; only `cut` may come from another."""

    def __init__(self, *, connect: Connect, clock: Callable[[], float] = time.monotonic) -> None:
        """`connect` makes one of Django's mail backends; `clock` gives seconds, for how long it rested.

        Only SMTP, by this project's own backend, can be cut; a provider's API has its client's timeout.
        """
        self._connect = connect
        self._clock = clock
        self._backend: BaseEmailBackend | None = None
        self._used_at = 0.0
        self._wire = Wire()

    def send(self, mail: EmailMultiAlternatives, *, now: datetime) -> Verdict:
        """Return what one mail to one recipient came to; what is raised is a defect."""
        self._wire.mend()
        try:
            backend = self._opened()
        except Exception as error:
            self.close()
            if (verdict := opening_verdict(error)) is None:
                raise
            return verdict
        try:
            count = backend.send_messages([mail])
        except Exception as error:
            verdict = sending_verdict(error, now=now)
            if verdict is None or _is_lost(backend):
                self.close()
            if verdict is None:
                raise
            return verdict
        self._used_at = self._clock()
        return _accepted(mail) if count else Verdict(outcome=Outcome.OUR_FAULT, code="NOT_SENT")

    def close(self) -> None:
        """Say goodbye and forget the connection."""
        backend, self._backend = self._backend, None
        if backend is not None:
            with suppress(OSError):  # smtplib's own errors among them
                backend.close()

    def cut(self) -> None:
        """End whatever the line's thread waits for, from another thread."""
        self._wire.cut()

    def _opened(self) -> BaseEmailBackend:
        connection = _smtp_of(self._backend)
        if connection is not None and self._clock() - self._used_at >= IDLE_S and not _answers(connection):
            self.close()
        if self._backend is None:
            self._backend = self._connect()
            if isinstance(self._backend, EmailBackend):
                self._backend.wire = self._wire
        self._backend.open()
        return self._backend


def _smtp_of(backend: BaseEmailBackend | None) -> smtplib.SMTP | None:
    connection = getattr(backend, "connection", None)
    return connection if isinstance(connection, smtplib.SMTP) else None


def _answers(connection: smtplib.SMTP) -> bool:
    try:
        return connection.noop()[0] == 250
    except OSError:
        return False


def _is_lost(backend: BaseEmailBackend) -> bool:
    """Whether smtplib gave the connection up; after a mere refusal it stands, reset for the next message."""
    connection = _smtp_of(backend)
    return connection is not None and connection.sock is None


def _accepted(mail: EmailMultiAlternatives) -> Verdict:
    """Return the verdict of a mail that raised nothing: a provider's own word on its recipient, if there is one."""
    own_id = mail.extra_headers["Message-ID"]
    status = getattr(mail, "anymail_status", None)
    if status is None:  # SMTP: the server took it
        return Verdict(outcome=Outcome.ACCEPTED, status=250, provider_message_id=own_id)
    recipient = next(iter(status.recipients.values()), None)
    return recipient_verdict(
        recipient.status if recipient else None, message_id=(recipient and recipient.message_id) or own_id
    )
