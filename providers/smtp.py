"""Run a local mail server: `python -m providers.smtp --state-file FILE [--host H] [--port P] [--control-port P]`.

Once it listens, FILE holds `{"url", "control_url", "pid"}`, `url` with the account's password as EMAIL_URL wants it; the
file goes away when the server stops. It keeps what it is sent, and passes nothing on.
"""

import argparse
import asyncio
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from .control import Control
from .controlled import Controlled
from .http import Receive, Scope, Send, read_request
from .running import GRACE_S, bound, running_in_thread, serve_until_told
from .smtp_wire import Conversation, MailRoom, parse_replies

USER = "rayon-local"


class SmtpServer(uvicorn.Server):
    """The mail server with its control door, both bound at construction."""

    def __init__(self, *, host: str, port: int, control_port: int = 0) -> None:
        """Bind the addresses and make an account; raises OSError."""
        self.mail_socket = bound(host, port)
        self.socket = bound(host, control_port)
        self.host = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
        self.room = MailRoom(user=USER, password=secrets.token_urlsafe(16))
        super().__init__(
            uvicorn.Config(
                self._control,
                interface="asgi3",
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    def state(self) -> dict[str, Any]:
        account = f"{self.room.user}:{self.room.password}"
        return {
            "url": f"smtp://{account}@{self.host}:{self.mail_socket.getsockname()[1]}",
            "control_url": f"http://{self.host}:{self.socket.getsockname()[1]}",
        }

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Take mail while the control door stands open."""
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: Conversation(self.room, loop=loop), sock=self.mail_socket
        )
        try:
            await super().serve(sockets)
        finally:
            listening.close()
            await self.room.hang_up()

    def run_here(self) -> None:
        """Serve until told to stop, then close the sockets."""
        try:
            self.run(sockets=[self.socket])
        finally:
            self.socket.close()
            self.mail_socket.close()

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = await read_request(scope, receive)
            control = Control(
                scripts=self.room.scripts, log=self.room.log, parse=parse_replies, more=self.room.before
            )
            await control.answer(request).send_to(send)


@dataclass(frozen=True, slots=True)
class RunningSmtp(Controlled):
    """A local mail server that answers. A script's answer: `reply` (such as "550 5.1.1 No such user"), `at` (rcpt or
    data), `delay_s`, `drop`, `times`; {} accepts. Besides recipients, `connect`, `auth` and `sender` can be scripted.
    An entry of the log: seq, at, token, message (from, headers, parts), answer, delivered, connection (its number)."""

    url: str = field(repr=False)


@contextmanager
def running_smtp() -> Iterator[RunningSmtp]:
    """Yield a local mail server on a free port of 127.0.0.1 until the block ends."""
    server = SmtpServer(host="127.0.0.1", port=0)
    with running_in_thread(server, name="local-smtp"):
        yield RunningSmtp(**server.state())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m providers.smtp", description=__doc__)
    parser.add_argument("--control-port", type=int, default=0, help="0: any free port")
    return parser


main = serve_until_told(
    lambda options: SmtpServer(host=options.host, port=options.port, control_port=options.control_port),
    parser=_parser(),
    name="The local mail server",
)

if __name__ == "__main__":
    main(None)
