"""`manage.py deliver` as a process of its own, on the test database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from providers.testing import RunningFcm

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 30.0


@contextmanager
def running_worker(
    *arguments: str, fcm: RunningFcm, home: Path, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the started process; it is killed at the end of the block if it still runs then."""
    with (home / "worker.log").open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "deliver", *arguments],
            cwd=ROOT,
            env={**environment_of_worker(fcm=fcm, home=home), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield worker
    finally:
        if worker.poll() is None:
            worker.kill()
        worker.wait()


def stop(worker: subprocess.Popen[bytes]) -> int:
    """Ask the worker to stop, and return its exit status."""
    worker.send_signal(signal.SIGTERM)
    return worker.wait(WITHIN_S)


def wait_until(is_true: Callable[[], object], *, within_s: float = WITHIN_S) -> None:
    until = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.02)


def environment_of_worker(*, fcm: RunningFcm, home: Path) -> dict[str, str]:
    database = connection.settings_dict
    place = f"?host={quote(str(database['HOST']))}&port={database['PORT'] or 5432}"
    user = quote(str(database["USER"])) + (
        f":{quote(str(database['PASSWORD']))}" if database["PASSWORD"] else ""
    )
    own = {
        "DATABASE_URL": f"postgis://{user}@/{database['NAME']}{place}",
        "RAYON_HOME": str(home),
        "SECRET_KEY": "worker",
        "HTTPS": "0",
        "FCM_BASE_URL": fcm.base_url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(fcm.credentials_file),
    }
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**inherited, **own}
