"""The service as a deployer runs it, for tests that speak to it through HTTP alone."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
from django.db import connection

from providers.testing import RunningFcm

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 40.0
STOP_WITHIN_S = 15.0
SCOPES = ("stores:write", "catalogue:write", "customers:write", "purchases:write", "offers:write")


@dataclass
class Service:
    """A server and a delivery worker in processes of their own, on the test database."""

    base_url: str
    fcm: RunningFcm
    environment: dict[str, str]
    api_key: str = ""
    server: subprocess.Popen[bytes] | None = None
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base_url, timeout=20.0, trust_env=False)

    def new_key(self) -> None:
        """Give the back office a key, as an operator makes one."""
        scopes = [part for scope in SCOPES for part in ("--scope", scope)]
        printed = self.manage("create_api_key", "--name", "acceptance", *scopes)
        self.api_key = printed.strip().splitlines()[-1]

    def office(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Call as the retailer's back office."""
        return self.http.request(
            method, path, json=body, headers={"Authorization": f"Api-Key {self.api_key}"}
        )

    def phone(self, token: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """Call as a customer's phone."""
        return self.http.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def wait_for_pushes(self, count: int, *, within_s: float = 20.0) -> list[dict[str, Any]]:
        """Return what reached phones once there are `count`, or what there is when time is up."""
        until = time.monotonic() + within_s
        while len(delivered := self.fcm.delivered()) < count and time.monotonic() < until:
            time.sleep(0.05)
        return delivered


@contextmanager
def running_service(
    *, fcm: RunningFcm, home: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """Yield the service on a free port; server and worker are stopped when the block ends.

    The test database must be there, and its tests must commit (transaction=True). Call `new_key` in each.
    settings: further variables of the environment.
    """
    port = _free_port()
    environment = {**_environment(fcm=fcm, home=home, port=port), **(settings or {})}
    service = Service(base_url=f"http://127.0.0.1:{port}", fcm=fcm, environment=environment)
    server = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1"]
    commands = [
        [*server, "--port", str(port), "--no-access-log"],
        [sys.executable, "manage.py", "deliver"],
    ]
    processes = [
        _start(command, environment=environment, log=home / f"{n}.log") for n, command in enumerate(commands)
    ]
    try:
        service.server = processes[0]
        _wait_until_ready(service, processes=processes, home=home)
        yield service
    finally:
        service.http.close()
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            _stop(process)


def now_text() -> str:
    return datetime.now(UTC).isoformat()


def beacon_event(*, beacon: dict[str, Any], rssi_dbm: int = -61) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "type": "beacon",
        "beacon": {**beacon, "rssi_dbm": rssi_dbm},
        "occurred_at": now_text(),
    }


def _environment(*, fcm: RunningFcm, home: Path, port: int) -> dict[str, str]:
    own = {
        "DATABASE_URL": _test_database_url(),
        "RAYON_HOME": str(home),
        "SECRET_KEY": "acceptance",
        "HTTPS": "0",
        "PORT": str(port),
        "FCM_BASE_URL": fcm.base_url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(fcm.credentials_file),
    }
    inherited = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "DJANGO_SETTINGS_MODULE")
        if name in os.environ
    }
    return {**inherited, **own}


def _test_database_url() -> str:
    database = connection.settings_dict
    options = database["OPTIONS"]
    host, port = database["HOST"] or options.get("host", ""), database["PORT"] or options.get("port", 5432)
    credentials = quote(database["USER"], safe="")
    if database["PASSWORD"]:
        credentials += ":" + quote(database["PASSWORD"], safe="")
    return f"postgis://{credentials}@/{database['NAME']}?host={quote(host, safe='')}&port={port}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _start(command: list[str], *, environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)


def _wait_until_ready(service: Service, *, processes: list[subprocess.Popen[bytes]], home: Path) -> None:
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        for number, process in enumerate(processes):
            if process.poll() is not None:
                raise RuntimeError((home / f"{number}.log").read_text()[-4000:])
        try:
            if service.http.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the service was not ready in time:\n" + (home / "0.log").read_text()[-4000:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
