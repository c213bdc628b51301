"""Run a local mail server: `python -m providers.smtp --state-file FILE [--host H] [--port P] [--control-port P]`.

Once it listens, FILE holds `{"base_url", "url", "pid"}`, `base_url` being where its control
door is and `url` with the account's password as EMAIL_URL wants it; the file goes away when the server stops. It keeps what it is sent, and passes nothing on.
"""

import asyncio
import secrets
import socket
from typing import Any

from .controls import Controls
from .http import Receive, Scope, Send, read_request
from .http_server import HttpServer
from .serving import option_parser, serve_until_told
from .smtp_wire import Conversation, MailRoom, Reply, parse_replies
from .sockets import authority, bound_socket

USER = "rayon-local"


class SmtpServer(HttpServer):
    """The mail server with its control door, both bound at construction."""

    def __init__(self, *, host: str, port: int, control_port: int = 0) -> None:
        """Bind the addresses and make an account; raises OSError."""
        self.mail_socket = bound_socket(host, port)
        self.authority = authority(self.mail_socket, host=host)
        self.room = MailRoom(user=USER, password=secrets.token_urlsafe(16))
        # aiosmtpd is written for asyncio's own loop.
        super().__init__(host=host, port=control_port, app_at=lambda _: self._control, loop="asyncio")

    def state(self) -> dict[str, Any]:
        """Return where the control door is, and where mail is taken, with the account."""
        account = f"{self.room.user}:{self.room.password}"
        return {**super().state(), "url": f"smtp://{account}@{self.authority}"}

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
        """Serve until stopped, then close the sockets."""
        try:
            super().run_here()
        finally:
            self.mail_socket.close()

    def _controls(self) -> Controls[Reply]:
        return Controls(
            log=self.room.log, scripts=self.room.scripts, parse=parse_replies, apart=self.room.apart
        )

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = await read_request(scope, receive)
            await self._controls().answer(request).send_to(send)


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = option_parser(prog="python -m providers.smtp", description=__doc__)
    parser.add_argument("--control-port", type=int, default=0, help="0: any free port")
    options = parser.parse_args(arguments)
    serve_until_told(
        lambda: SmtpServer(host=options.host, port=options.port, control_port=options.control_port),
        name="The local mail server",
        options=options,
    )


if __name__ == "__main__":
    main()
