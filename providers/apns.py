"""Run a local APNs: `python -m providers.apns --state-file FILE [--host H] [--port P] [--directory D] [--topic T]`.

Once it listens, FILE holds `{"base_url", "host", "port", "ca_file", "key_file", "key_id", "team_id", "topic", "pid"}`:
what the APNS_… settings want, and where its control door is; the file goes away when the server stops.
"""

import asyncio
from pathlib import Path
from typing import Any

import uvloop

from .apns_app import ApnsApp
from .apns_keys import signing_key
from .apns_tokens import TokenChecks
from .certificates import server_context
from .http2_connection import Http2Connection
from .serving import option_parser, serve_until_told
from .sockets import authority, bound_socket, shown_host

KEY_ID = "RAYONKEY01"
TEAM_ID = "RAYONTEAM1"
DEFAULT_TOPIC = "dev.rayon.shop"


class ApnsServer:
    """The server, bound at construction, so that its address is known before it runs."""

    def __init__(self, *, host: str, port: int, directory: Path, topic: str = DEFAULT_TOPIC) -> None:
        """Bind the address, make certificates, and make or reuse the .p8 key in `directory`; raises OSError."""
        self.socket = bound_socket(host, port)
        self.host = shown_host(host)
        self.port: int = self.socket.getsockname()[1]
        self.base_url = f"https://{authority(self.socket, host=host)}"
        self.topic = topic
        self._context, self.ca_file = server_context(directory, host=self.host, provider="APNs")
        self.key_file = (directory / f"AuthKey_{KEY_ID}.p8").resolve()
        tokens = TokenChecks(key=signing_key(self.key_file), key_id=KEY_ID, team_id=TEAM_ID)
        self.app = ApnsApp(tokens=tokens, topic=topic)
        self._loop = uvloop.new_event_loop()
        self._stopped = asyncio.Event()

    def state(self) -> dict[str, Any]:
        """Return what a gateway needs to know."""
        return {
            "base_url": self.base_url,
            "host": self.host,
            "port": self.port,
            "ca_file": str(self.ca_file),
            "key_file": str(self.key_file),
            "key_id": KEY_ID,
            "team_id": TEAM_ID,
            "topic": self.topic,
        }

    def run_here(self) -> None:
        """Serve until stopped, then cut every connection and close the socket."""
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        finally:
            self.socket.close()

    def stop(self) -> None:
        """Let run_here end, now or as soon as it starts; from any thread."""
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def _serve(self) -> None:
        server = await self._loop.create_server(
            lambda: Http2Connection(self.app), sock=self.socket, ssl=self._context
        )
        try:
            await self._stopped.wait()
        finally:
            server.close()
            self.app.peers.cut_all()


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = option_parser(prog="python -m providers.apns", description=__doc__)
    parser.add_argument(
        "--directory",
        type=Path,
        help="keeps the key and the authority's certificate; default: beside the state file",
    )
    parser.add_argument("--topic", default=DEFAULT_TOPIC, help="the app's bundle id")
    options = parser.parse_args(arguments)

    def start() -> ApnsServer:
        directory = options.directory or options.state_file.parent
        return ApnsServer(host=options.host, port=options.port, directory=directory, topic=options.topic)

    serve_until_told(start, name="The local APNs", options=options)


if __name__ == "__main__":
    main()
