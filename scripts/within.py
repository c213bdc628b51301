"""`within COMMAND...`: run one command with everything prepared around it."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from scripts.children import StopFlag
from scripts.place import Place
from scripts.prepare import prepared
from scripts.say import Stopped


def within(*, place: Place, command: Sequence[str]) -> int:
    """Return the command's exit code."""
    flag = StopFlag()
    flag.listen()
    try:
        with prepared(place=place, flag=flag):
            return run_here(command=command, place=place, flag=flag)
    except Stopped:
        return 130


def run_here(
    *, command: Sequence[str], place: Place, flag: StopFlag, env: Mapping[str, str] | None = None
) -> int:
    """Run `command` at this keyboard and screen; a request to stop is handed on to it."""
    given = {**os.environ, "RAYON_HOME": str(place.home), **(env or {})}
    process = subprocess.Popen(command, env=given, cwd=place.root)  # noqa: S603
    told = 0
    while True:
        try:
            code = process.wait(timeout=0.2)
            break
        except subprocess.TimeoutExpired:
            if flag.count > told:
                told = flag.count
                process.send_signal(signal.SIGTERM)
    flag.raise_if_set()
    return code if code >= 0 else 128 - code
