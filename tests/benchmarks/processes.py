"""What processes used, as the kernel counts it: processor time and memory. Elsewhere than on Linux: nothing is known."""

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
LOOK_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Used:
    """Between the start and the end of a watch."""

    cpu_s: Mapping[str, float]  # python, postgres
    peak_mb: Mapping[str, float]  # by process; PostgreSQL's together, their shared memory once

    def us_per_event(self, events: int, *, client_s: float) -> dict[str, float]:
        """Return µs for each event; client_s: what this process spent on sending."""
        spent = {**self.cpu_s, "client": client_s} if self.cpu_s else {}
        return {what: 1e6 * seconds / events for what, seconds in spent.items()}


class Watch:
    """Watches the processes of a measurement: `with Watch(...) as watch: ...`, then `watch.used`."""

    def __init__(self, *, pids: Mapping[str, int], connection: psycopg.Connection[Any]) -> None:
        """pids: Python's, by the name to show; connection: to the server whose processes are PostgreSQL's."""
        self._pids = pids
        self._postmaster = postmaster_of(connection)
        self._postgres_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_for_ever, daemon=True)
        self.used = Used(cpu_s={}, peak_mb={})

    def __enter__(self) -> "Watch":
        self._before = self._cpu_s()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        after = self._cpu_s()
        memory = {name: peak_mb(pid) for name, pid in self._pids.items()}
        memory["postgres"] = self._postgres_mb
        memory["client"] = peak_mb(os.getpid())
        self.used = Used(
            cpu_s={name: after[name] - self._before[name] for name in after},
            peak_mb={name: peak for name, peak in memory.items() if peak},
        )

    def _cpu_s(self) -> dict[str, float]:
        if not PROC.is_dir():
            return {}
        found = {"python": cpu_s(self._pids.values())}
        if self._postmaster:
            found["postgres"] = postgres_cpu_s(self._postmaster)
        return found

    def _look_for_ever(self) -> None:
        while True:
            if self._postmaster:
                self._postgres_mb = max(self._postgres_mb, _postgres_mb(self._postmaster))
            if self._stop.wait(LOOK_EVERY_S):
                return


def postmaster_of(connection: psycopg.Connection[Any]) -> int:
    """Return the process that PostgreSQL's others are children of; 0 if the server is not on this machine."""
    row = connection.execute("SELECT pg_backend_pid(), current_setting('data_directory', true)").fetchone()
    if row is None or not PROC.is_dir():
        return 0
    with suppress(OSError):
        if "postgres" in (PROC / str(row[0]) / "comm").read_text():
            return int(_stat(row[0])[1])
    return 0


def postgres_cpu_s(postmaster: int) -> float:
    """Return the seconds that the postmaster and its children, past ones too, have spent."""
    stat = _stat(postmaster)
    return sum(map(int, stat[11:15])) / TICKS_PER_S + cpu_s(children_of(postmaster))


def cpu_s(pids: Iterable[int]) -> float:
    """Return the seconds that these processes, without their children, have spent."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            ticks += sum(map(int, _stat(pid)[11:13]))
    return ticks / TICKS_PER_S


def children_of(pid: int) -> list[int]:
    try:
        text = (PROC / str(pid) / "task" / str(pid) / "children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def command_of(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def connections_of(pid: int, *, port: int) -> int:
    """Return how many TCP connections to this port of 127.0.0.1 the process has accepted and holds."""
    mine = f"0100007F:{port:04X}"
    lines = [line.split() for line in (PROC / "net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{line[9]}]" for line in lines if line[1] == mine and line[3] == "01"}
    held = 0
    for link in (PROC / str(pid) / "fd").iterdir():
        with suppress(OSError):
            held += os.readlink(link) in inodes
    return held


def peak_mb(pid: int) -> float:
    """Return the most memory that a process ever had in RAM; 0 where that is not known."""
    return _status_kb(pid, ("VmHWM",))[0] / 1024


def _postgres_mb(postmaster: int) -> float:
    """Return the memory of all of PostgreSQL's processes: each one's own, and once what they share."""
    own = shared = 0
    for pid in (postmaster, *children_of(postmaster)):
        anonymous, in_files, in_common = _status_kb(pid, ("RssAnon", "RssFile", "RssShmem"))
        own += anonymous
        shared = max(shared, in_files + in_common)
    return (own + shared) / 1024


def _status_kb(pid: int, names: Sequence[str]) -> list[int]:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return [0] * len(names)
    found = dict(line.split(":", 1) for line in lines)
    return [int(found[name].split()[0]) if name in found else 0 for name in names]


def _stat(pid: int) -> list[str]:
    """Return what follows a process's name in its stat: state, parent, …; 11 to 14 are its times, in ticks."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
