"""A server under measure: the product's or the bare one, started as `make serve` does, on a free port."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from scripts.place import read_place
from scripts.serve import server_command
from tests.benchmarks import database, processes
from tests.benchmarks.database import Server
from tests.benchmarks.wire import Line

ROOT = Path(__file__).resolve().parents[2]
LOG = ROOT / "build" / "bench-server.log"
START_WITHIN_S = 60.0
DIAL_AT_MOST = 100
ACCEPTED_WITHIN_S = 0.1
OURS, BARE = "config.asgi:application", "tests.benchmarks.bare:application"
WORKERS = read_place(source=os.environ).workers


@dataclass(frozen=True, kw_only=True)
class Serving:
    port: int
    pids: dict[str, int]  # of its processes, by the name to show


@contextmanager
def serving(*, application: str, server: Server, name: str) -> Iterator[Serving]:
    """Yield a running server whose database, if it wants one, is `name`."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    url = database.url(server, name=name)
    environment = {**os.environ, "DATABASE_URL": url, "PORT": str(port), "DEBUG": "0", "HTTPS": "0"}
    command = server_command(
        python=sys.executable, host="127.0.0.1", port=port, workers=WORKERS, application=application
    )
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(port=port, process=process)
        yield Serving(port=port, pids=_workers(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def dialled(serving: Serving, connect: Callable[[int], Line], *, lines: int) -> Iterator[list[Line]]:
    """Yield that many lines to the server; connect: makes the n-th.

    The kernel gives connections to whichever process wakes first. They are dialled anew until each process has its
    share, within a fifth, so that two runs, and a figure and its bound, are about the same thing.
    """
    found: list[Line] = []
    try:
        for _ in range(DIAL_AT_MOST):
            found = [connect(number) for number in range(lines)]
            time.sleep(ACCEPTED_WITHIN_S)
            if _is_fair(serving, lines=lines):
                break
            _hang_up(found)
        else:
            raise RuntimeError(f"the server's processes do not share connections: see {LOG}")
        yield found
    finally:
        _hang_up(found)


def _is_fair(serving: Serving, *, lines: int) -> bool:
    if not processes.PROC.is_dir():
        return True
    least = int(0.8 * lines / len(serving.pids))
    return all(processes.connections_of(pid, port=serving.port) >= least for pid in serving.pids.values())


def _hang_up(lines: list[Line]) -> None:
    while lines:
        lines.pop().close()


def _wait(*, port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode}: see {LOG}")
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("the server was not ready in time")


def _workers(pid: int) -> dict[str, int]:
    spawned = [child for child in processes.children_of(pid) if "spawn_main" in processes.command_of(child)]
    return {f"worker {number}": child for number, child in enumerate(spawned or [pid], start=1)}
