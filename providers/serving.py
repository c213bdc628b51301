"""How a local provider listens, says where it is, and stops."""

import argparse
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn

from .http import CuttableProtocol, Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]

GRACE_S = 1  # answers still owed when the server is told to stop are cut off after this


class LocalServer(uvicorn.Server):
    """A server that is bound at construction, so that its address is known before it runs."""

    def __init__(self, *, host: str, port: int, app_at: Callable[[str], App]) -> None:
        """Bind the address and make the application that answers at it; raises OSError."""
        self.socket = _bound(host, port)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
        shown = f"[{shown}]" if ":" in shown else shown
        self.base_url = f"http://{shown}:{self.socket.getsockname()[1]}"
        super().__init__(
            uvicorn.Config(
                app_at(self.base_url),
                http=CuttableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    def run_here(self) -> None:
        """Serve until told to stop, then close the socket."""
        try:
            self.run(sockets=[self.socket])
        finally:
            self.socket.close()

    def state(self) -> dict[str, Any]:
        """Return what the state file says besides the process."""
        return {"base_url": self.base_url}


def option_parser(*, prog: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options that every local provider has."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--state-file", type=Path, required=True)
    return parser


def serve_until_told(start: Callable[[], LocalServer], *, name: str, options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT; while it listens, the state file says where."""
    # uvicorn raises the signal that stopped it once more when it has closed everything; that one ends nothing.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        server = start()
    except OSError as error:
        raise SystemExit(f"{name} cannot start on {options.host}:{options.port}: {error}") from error
    _write_state(options.state_file, server)
    try:
        server.run_here()
    finally:
        options.state_file.unlink(missing_ok=True)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(2048)
    except OSError:
        bound.close()
        raise
    return bound


def _write_state(path: Path, server: LocalServer) -> None:
    state = {**server.state(), "pid": os.getpid()}
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(state) + "\n")
    partial.replace(path)
