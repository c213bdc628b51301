"""Run a local FCM: `python -m providers.fcm --state-file FILE [--host H] [--port P] [--tls-port P] [--directory D]`.

Once it listens, FILE holds `{"base_url", "tls_base_url", "ca_file", "credentials_file", "pid"}`; the file goes away when
the server stops. It speaks HTTP/1.1 at the one address, and HTTP/2 over TLS, as Google does, at the other.
"""

import asyncio
import socket
from pathlib import Path
from typing import Any

from .certificates import server_context
from .fcm_app import FcmApp
from .fcm_streams import FcmStreams
from .http2_connection import Http2Connection
from .http_server import HttpServer
from .service_account import CREDENTIALS_NAME, TokenIssuer, write_service_account
from .serving import option_parser, serve_until_told
from .sockets import authority, bound_socket, shown_host

DEFAULT_PROJECT = "rayon-local"


class FcmServer(HttpServer):
    """A local FCM with its service account."""

    def __init__(
        self, *, host: str, port: int, directory: Path, project: str = DEFAULT_PROJECT, tls_port: int = 0
    ) -> None:
        """Bind both addresses, make certificates, make or reuse the service account in `directory`; raises OSError."""
        self.credentials_file = (directory / CREDENTIALS_NAME).resolve()

        def app_at(base_url: str) -> FcmApp:
            account = write_service_account(directory, base_url=base_url, project=project)
            app = FcmApp(issuer=TokenIssuer(account=account))
            self._streams = FcmStreams(app)
            return app

        super().__init__(host=host, port=port, app_at=app_at)
        try:
            self._tls_socket = bound_socket(host, tls_port)
        except OSError:
            self.socket.close()
            raise
        self.tls_base_url = f"https://{authority(self._tls_socket, host=host)}"
        self._context, self.ca_file = server_context(directory, host=shown_host(host), provider="FCM")

    def state(self) -> dict[str, Any]:
        """Return where it is and whom it knows."""
        return {
            **super().state(),
            "tls_base_url": self.tls_base_url,
            "ca_file": str(self.ca_file),
            "credentials_file": str(self.credentials_file),
        }

    def run_here(self) -> None:
        """Serve until stopped, then close both sockets."""
        try:
            super().run_here()
        finally:
            self._tls_socket.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tls_server = await asyncio.get_running_loop().create_server(
            lambda: Http2Connection(self._streams), sock=self._tls_socket, ssl=self._context
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._tls_server.close()
        self._streams.peers.cut_all()
        await super().shutdown(sockets)


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = option_parser(prog="python -m providers.fcm", description=__doc__)
    parser.add_argument("--tls-port", type=int, default=0, help="of HTTP/2 over TLS; 0: any free port")
    parser.add_argument(
        "--directory",
        type=Path,
        help="keeps the service account; default: beside the state file",
    )
    parser.add_argument("--project", default=DEFAULT_PROJECT)
    options = parser.parse_args(arguments)

    def start() -> FcmServer:
        return FcmServer(
            host=options.host,
            port=options.port,
            directory=options.directory or options.state_file.parent,
            project=options.project,
            tls_port=options.tls_port,
        )

    serve_until_told(start, name="The local FCM", options=options)


if __name__ == "__main__":
    main()
