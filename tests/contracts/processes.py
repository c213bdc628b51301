"""Local providers as processes of their own."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROCESS_WITHIN_S = 20


def started(module: str, state_file: Path, *options: str) -> tuple["subprocess.Popen[bytes]", dict[str, Any]]:
    """Return a running provider and what its state file says."""
    process = subprocess.Popen([sys.executable, "-m", module, "--state-file", str(state_file), *options])
    until = time.monotonic() + PROCESS_WITHIN_S
    while not state_file.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    if not state_file.exists():
        process.kill()
        process.wait()
        raise AssertionError(f"{module} told nobody where it is")
    return process, json.loads(state_file.read_text())
