"""A Redis of the tests' own, on a Unix socket, that keeps nothing."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

START_WITHIN_S = 10


@contextmanager
def running_redis() -> Iterator[str]:
    """Yield the address of a fresh server; fails the test where there is none to start."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("This test needs redis-server: apt-get install redis-server (macOS: brew install redis).")
    # A Unix socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        path = Path(folder) / "s"
        command = [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + START_WITHIN_S
            while not path.exists():
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("redis-server did not start")
                time.sleep(0.02)
            yield f"unix://{path}"
        finally:
            process.terminate()
            process.wait(10)
