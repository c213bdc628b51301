"""How a local provider starts from a command, says where it is, and stops."""

import argparse
import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol


class Server(Protocol):
    """A server that is bound at construction, so that its address is known before it runs."""

    def run_here(self) -> None:
        """Serve until stopped, then close the socket."""
        ...

    def stop(self) -> None:
        """Let run_here end, now or as soon as it starts; from any thread."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what a client needs to know: what the state file says besides the process."""
        ...


def option_parser(*, prog: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options that every local provider has."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--state-file", type=Path, required=True)
    return parser


def serve_until_told(start: Callable[[], Server], *, name: str, options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT; while it listens, the state file says where."""
    try:
        server = start()
    except OSError as error:
        raise SystemExit(f"{name} cannot start on {options.host}:{options.port}: {error}") from error
    # uvicorn raises the signal that stopped it once more when it has closed everything; a second stop ends nothing.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    _write_state(options.state_file, server.state())
    try:
        server.run_here()
    finally:
        options.state_file.unlink(missing_ok=True)


def _write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write the file whole or not at all, readable by its owner alone: it may hold a password."""
    partial = path.with_name(path.name + ".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps({**state, "pid": os.getpid()}) + "\n")
    partial.replace(path)
