"""A running local mail server, and a running local SMS gateway, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .sms import SmsServer
from .smtp import SmtpServer
from .testing import RunningProvider, served


@dataclass(frozen=True, slots=True)
class RunningSmtp(RunningProvider):
    """A local mail server.

    An answer of its scripts: `reply` (such as "550 5.1.1 No such user"), `at` (rcpt or data), `delay_s`, `drip_s`
    (between two bytes of the reply), `drop`, `times`; {} accepts. Besides recipients, `connect`, `auth`, `sender` and `quit` can be scripted. An entry of its log: seq,
    at, token, message (from, headers, parts), answer, delivered, connection (its number).
    """

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RunningSms(RunningProvider):
    """A local SMS gateway. The `error_code` of an answer of its scripts is one of sms_errors.CATALOGUE."""

    url: str = field(repr=False)


@contextmanager
def running_smtp() -> Iterator[RunningSmtp]:
    """Yield a mail server on a free port of 127.0.0.1, served by a thread of this process until the block ends."""
    server = SmtpServer(host="127.0.0.1", port=0)
    with served(server):
        yield RunningSmtp(**server.state())


@contextmanager
def running_sms() -> Iterator[RunningSms]:
    """Yield an SMS gateway on a free port of 127.0.0.1, served by a thread of this process until the block ends."""
    server = SmsServer(host="127.0.0.1", port=0)
    with served(server):
        yield RunningSms(**server.state())
