"""The command line of the machine; the Makefile is its friendly face."""

import os
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from scripts.check import check, test_command
from scripts.code import format_code, lock
from scripts.locks import FileLock, alone
from scripts.owner import cluster_folders, server_owner
from scripts.place import Place, read_place
from scripts.postmaster import is_our_server
from scripts.prepare import existing_cluster, stop_unused_cluster
from scripts.say import Refusal, complaint, line
from scripts.serve import run
from scripts.within import within

USAGE = "Say one of: run, serve, within COMMAND..., test, check, format, lock, stop, clean. `make help` lists them in words."
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis")


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; 1 with one sentence on stderr where it cannot be done."""
    os.umask(0o022)
    try:
        place = read_place(source=os.environ)
        match list(arguments):
            case ["run"]:
                return run(place=place, demo=True)
            case ["serve"]:
                return run(place=place, demo=False)
            case ["within", *command] if command:
                return within(place=place, command=command)
            case ["test", *words]:
                return within(place=place, command=[*test_command(place=place), *words])
            case ["format"]:
                return format_code(place=place)
            case ["lock"]:
                return lock(place=place)
            case ["check"]:
                return check(place=place)
            case ["stop"]:
                return stop(place=place)
            case ["clean"]:
                return clean(place=place)
        raise Refusal(USAGE)
    except Refusal as refusal:
        complaint(f"\n{refusal}")
        return 1


def stop(*, place: Place) -> int:
    """Stop what `run` or `serve` started in this RAYON_HOME, and the cluster if nobody uses it."""
    if not place.home.exists():
        line("Nothing is running.")
        return 0
    pid = _serving(place=place)
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        with alone(place.home / "supervisor.lock"):  # ours as soon as it has ended
            line("Stopped.")
    cluster = existing_cluster(place=place)
    if cluster and cluster.is_running:
        free = stop_unused_cluster(place=place, cluster=cluster)
        line("The database is stopped." if free else "The database stays: another command uses it.")
    elif not pid:
        line("Nothing is running.")
    return 0


def clean(*, place: Place) -> int:
    """Stop everything, then remove RAYON_HOME, the virtual environment and the caches: all of it can be made again."""
    with suppress(Refusal):  # a cluster that cannot be served here can still be removed
        stop(place=place)
    owner = server_owner()
    folders = cluster_folders(home=place.home, owner=owner)
    if any(is_our_server(data=folder / "data") for folder in folders):
        raise Refusal("Another command uses the database: let it end, then make clean.")
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (place.home, place.venv, *(place.root / name for name in CACHES)):
        shutil.rmtree(folder, ignore_errors=True)
    line(f"Removed {place.home}, {place.venv} and the caches.")
    return 0


def _serving(*, place: Place) -> int:
    """Return the number of the supervisor that runs in this RAYON_HOME; 0 if none does."""
    path = place.home / "supervisor.lock"
    if not path.exists():
        return 0
    lock = FileLock(path=path)
    try:
        for _ in range(20):
            if lock.try_alone():
                return 0
            told = path.read_text().strip()
            if told.isdecimal():
                return int(told)
            time.sleep(0.05)  # it has the lock and is about to write its number
        return 0
    finally:
        lock.close()
