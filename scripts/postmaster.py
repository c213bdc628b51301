"""Whether the server a postmaster.pid speaks of is alive, and is the server of this very folder."""

import os
import subprocess
from pathlib import Path


def is_our_server(*, data: Path) -> bool:
    """Return whether a PostgreSQL serves `data` now.

    The note of a killed server stays behind; its number may be another process's by now, and a copied folder brings a
    note that speaks of the original.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid, serves = int(lines[0]), Path(lines[1])
    except (FileNotFoundError, IndexError, ValueError):
        return False
    return serves.resolve() == data.resolve() and "postgres" in _program(pid=pid)


def _program(*, pid: int) -> str:
    """Return the command line of a process; "" if there is none."""
    proc = Path("/proc")
    if (proc / str(os.getpid())).exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().split(b"\0", 1)[0].decode(errors="replace")
        except OSError:
            return ""
    listed = subprocess.run(  # noqa: S603
        ["ps", "-p", str(pid), "-o", "args="],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout
