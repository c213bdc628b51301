"""What every local provider's process has in common: a bound socket, a state file, an orderly end."""

import argparse
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

STOP_WITHIN_S = 10.0
GRACE_S = 1  # answers still owed when a server is told to stop are cut off after this


class Runnable(Protocol):
    """A server that is bound already."""

    should_exit: bool

    def run_here(self) -> None: ...
    def state(self) -> dict[str, Any]: ...


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; 0 takes any free port. Raises OSError."""
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(2048)
    except OSError:
        found.close()
        raise
    return found


def serve_until_told(
    make: Callable[[argparse.Namespace], Runnable], *, parser: argparse.ArgumentParser, name: str
) -> Callable[[list[str] | None], None]:
    """Return a `main` that serves until SIGTERM or SIGINT; once it listens, the state file holds `state()` and pid."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--state-file", type=Path, required=True)

    def main(arguments: list[str] | None = None) -> None:
        options = parser.parse_args(arguments)
        # uvicorn raises the signal that stopped it once more when it has closed everything; that one ends nothing.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        try:
            server = make(options)
        except OSError as error:
            raise SystemExit(f"{name} cannot start on {options.host}:{options.port}: {error}") from error
        _write_state(options.state_file, {**server.state(), "pid": os.getpid()})
        try:
            server.run_here()
        finally:
            options.state_file.unlink(missing_ok=True)

    return main


@contextmanager
def running_in_thread(server: Runnable, *, name: str) -> Iterator[None]:
    """Serve from a thread of this process until the block ends."""
    thread = threading.Thread(target=server.run_here, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_WITHIN_S)


def _write_state(path: Path, state: dict[str, Any]) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.touch(mode=0o600)  # it may hold a password
    partial.write_text(json.dumps(state) + "\n")
    partial.replace(path)
