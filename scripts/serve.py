"""`run` (with demo data and local providers) and `serve` (without): everything up, in the foreground."""

import os
import socket
from pathlib import Path

from scripts.children import Failed, StopFlag, run_step
from scripts.demo import Demo
from scripts.locks import FileLock
from scripts.place import Place, make_home
from scripts.prepare import prepared
from scripts.say import Refusal, Stopped, line, step
from scripts.static_files import ensure_static
from scripts.supervisor import Supervisor, answers

LARGEST_FRAME = 1024 * 1024  # bytes; the socket's door itself refuses above 64 KiB, with a code that says so


class Start:
    """One start of the system, from an empty machine to a served page."""

    def __init__(self, *, place: Place, demo: bool, flag: StopFlag) -> None:
        self._place, self._demo, self._flag = place, demo, flag
        self._env = {**os.environ, "RAYON_HOME": str(place.home), "PYTHONUNBUFFERED": "1"}
        if demo:
            self._env["DEMO"] = "1"
        self._children = Supervisor(place=place, flag=flag)
        self._providers = Demo(place=place, children=self._children)
        self._page = ""  # where what the providers received is shown

    def stay(self) -> None:
        """Start everything, tell what is where, and stay. Raises Stopped or Refusal; leaves no process behind."""
        make_home(place=self._place)
        guard = _only_one(place=self._place)
        _check_port(place=self._place)
        line(f"Starting Rayon in {self._place.home}")
        try:
            with prepared(place=self._place, flag=self._flag):
                try:
                    self._start_all()
                    self._children.watch()
                finally:
                    if self._flag.count:
                        line("\nStopping.")
                    self._children.stop()
        finally:
            guard.close()

    def _start_all(self) -> None:
        with step("settings") as now:
            now.done = self._read_settings()
        if self._demo:
            self._providers.start(env=self._env)
        with step("tables") as now:
            self._manage("migrate", "--no-input", "--verbosity", "0")
            now.done = "migrated"
        with step("static") as now:
            now.done = ensure_static(
                place=self._place, collect=lambda: self._manage("collectstatic", "--no-input", "-c")
            )
        if self._demo:
            with step("providers") as now:
                self._page, settings = self._providers.ready(manage=self._manage)
                self._env.update(settings)
                now.done = "FCM, APNs, Web Push, SMTP and SMS, all local"
            with step("demo data") as now:
                self._manage("demo")
                now.done = "loaded"
        with step("server") as now:
            self._start_server()
            now.done = f"{self._place.base_url}, {self._place.workers} processes, delivery, jobs"
        if self._demo:
            line()
            words = ("--base-url", self._place.base_url, "--provider-url", self._page)
            line(self._manage("story", *words).rstrip())
        self._last_screen()

    def _read_settings(self) -> str:
        try:
            return self._python("-m", "scripts.reach", name="Reading the settings").strip()
        except Failed as failed:
            raise Refusal(failed.output) from None  # it is written for a person already

    def _start_server(self) -> None:
        place, python = self._place, str(self._place.python)
        server = server_command(python=python, host=place.host, port=place.port, workers=place.workers)
        manage = [python, str(place.root / "manage.py")]
        self._children.start(name="server", command=server, env=self._env)
        self._children.start(name="delivery", command=[*manage, "deliver"], env=self._env)
        self._children.start(name="jobs", command=[*manage, "procrastinate", "worker"], env=self._env)
        ready = f"{place.base_url}/readyz"
        self._children.wait_until(lambda: answers(url=ready), what=f"An answer from {ready}", timeout_s=60)

    def _last_screen(self) -> None:
        url = self._place.base_url
        line()
        line(f"  Admin     {url}/admin/")
        line(f"  API       {url}/api/docs/")
        if self._demo:
            line(f"  Received  {self._page}/")
        line(f"  Logs      {self._place.logs}")
        if self._demo:
            line()
            line(self._manage("demo", "--logins").rstrip())
        line()
        line("Rayon is running. Ctrl-C stops everything.")

    def _manage(self, *arguments: str) -> str:
        return self._python(str(self._place.root / "manage.py"), *arguments, name=f"manage.py {arguments[0]}")

    def _python(self, *arguments: str, name: str) -> str:
        log = self._place.logs / f"{Path(name.rsplit(maxsplit=1)[-1]).name}.log"
        command = [str(self._place.python), *arguments]
        self._children.raise_if_ended()
        return run_step(
            name=name, command=command, log=log, env=self._env, cwd=self._place.root, flag=self._flag
        )


def server_command(
    *, python: str, host: str, port: int, workers: int, application: str = "config.asgi:application"
) -> list[str]:
    """Return how the server is started."""
    return [
        *(python, "-m", "uvicorn", application, "--host", host, "--port", str(port)),
        *("--workers", str(workers), "--lifespan", "on", "--no-access-log", "--no-server-header"),
        *("--ws-max-size", str(LARGEST_FRAME), "--timeout-graceful-shutdown", "10"),
        *("--log-level", "warning"),
    ]


def run(*, place: Place, demo: bool) -> int:
    """Start, stay, stop. Returns the exit code: 0 when asked to stop."""
    flag = StopFlag()
    flag.listen()
    try:
        Start(place=place, demo=demo, flag=flag).stay()
    except Stopped:
        line("Stopped.")
    return 0


def _only_one(*, place: Place) -> FileLock:
    """Return the lock that says that this RAYON_HOME is being served, with our number in it for `stop`."""
    lock = FileLock(path=place.home / "supervisor.lock")
    if not lock.try_alone():
        raise Refusal(f"Rayon is running already in {place.home}. Stop it with: make stop")
    lock.write(f"{os.getpid()}\n")
    return lock


def _check_port(*, place: Place) -> None:
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise Refusal(f"HOST={place.host} is not an address of this machine ({error.strerror}).") from None
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise Refusal(
                f"Port {place.port} on {place.host} cannot be used: {error.strerror}. Choose another: PORT={place.port + 1} make run"
            ) from None
