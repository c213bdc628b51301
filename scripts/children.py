"""Child processes: each in a session of its own, none left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scripts.say import Refusal, Stopped

PR_SET_PDEATHSIG = 1
TAIL_LINES = 20
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Failed(Refusal):
    """A step's command failed; `output` is what it wrote."""

    def __init__(self, *, name: str, log: Path) -> None:
        super().__init__(f"{name} failed.\n{tail(path=log)}")
        self.output = log.read_text(errors="replace").strip()


class StopFlag:
    """Set by SIGINT, SIGTERM or SIGHUP; everything that waits looks at it."""

    def __init__(self) -> None:
        self.count = 0

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._heard)

    def _heard(self, number: int, frame: object) -> None:
        self.count += 1

    def raise_if_set(self) -> None:
        if self.count:
            raise Stopped

    @property
    def is_impatient(self) -> bool:
        """Return whether the person asked twice."""
        return self.count > 1


@dataclass
class Child:
    name: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def signal_group(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):  # the whole group is gone already
            os.killpg(self.process.pid, number)


def start_child(*, name: str, command: Sequence[str], log: Path, env: Mapping[str, str], cwd: Path) -> Child:
    """Start `command` as the leader of its own session, its output in `log` (begun anew)."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_die_with_parent if _libc else None,  # noqa: PLW1509 - we have one thread
        )
    return Child(name=name, log=log, process=process)


def _die_with_parent() -> None:
    """Ask the kernel to end us should our parent be killed without a chance to do it."""
    if _libc:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def stop_child(*, child: Child, flag: StopFlag, patience_s: float) -> None:
    """End the child and whatever it started: asked at first, made to after `patience_s` or a second Ctrl-C."""
    child.signal_group(signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while child.is_alive and time.monotonic() < deadline and not flag.is_impatient:
        time.sleep(0.05)
    child.signal_group(signal.SIGKILL)
    child.process.wait()


def run_step(
    *, name: str, command: Sequence[str], log: Path, env: Mapping[str, str], cwd: Path, flag: StopFlag
) -> str:
    """Run `command` to its end and return what it wrote.

    Raises Failed with the tail of its output if it fails, Stopped if we were asked to stop meanwhile.
    """
    child = start_child(name=name, command=command, log=log, env=env, cwd=cwd)
    try:
        while child.is_alive:
            flag.raise_if_set()
            time.sleep(0.02)
    finally:
        if child.is_alive:
            stop_child(child=child, flag=flag, patience_s=5)
    if child.process.returncode:
        raise Failed(name=name, log=log)
    return log.read_text(errors="replace")


def tail(*, path: Path) -> str:
    """Return the last lines of a log, indented, with its name on top."""
    lines = path.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"The end of {path}:", *(f"    {text}" for text in lines)])
