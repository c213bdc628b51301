"""What every command needs before it: packages, virtual environment, database; and afterwards, as found."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scripts.children import StopFlag
from scripts.cluster import Cluster, place_cluster, start_cluster, stop_cluster
from scripts.locks import FileLock, alone
from scripts.machine import ensure_server, find_servers, install_packages, missing_venv_package
from scripts.owner import cluster_folder, server_owner
from scripts.place import Place, make_home
from scripts.say import step
from scripts.virtualenv import ensure_venv

NOTE = "database-url"  # read by config.env where DATABASE_URL is not set


@contextmanager
def prepared(*, place: Place, flag: StopFlag) -> Iterator[None]:
    """Set the machine up; at the end stop the cluster, unless another command of this RAYON_HOME still uses it."""
    make_home(place=place)
    if not place.database_url:
        with step("packages") as now:
            server = ensure_server(place=place)
            now.done = f"PostgreSQL {server.major} with PostGIS"
    with step("python") as now:
        venv_package = missing_venv_package()
        if venv_package:
            install_packages(place=place, packages=venv_package)
        now.done = ensure_venv(place=place, flag=flag)
    flag.raise_if_set()
    if place.database_url:
        yield
        return
    with step("database") as now:
        release, now.done = _lease(place=place)
    try:
        yield
    finally:
        release()


def existing_cluster(*, place: Place) -> Cluster | None:
    """Return this RAYON_HOME's cluster, if it was ever made and can be served here."""
    servers = find_servers()
    if not servers or not (place.home / NOTE).exists():
        return None
    owner = server_owner()
    return place_cluster(
        home=place.home, folder=cluster_folder(home=place.home, owner=owner), servers=servers, owner=owner
    )


def stop_unused_cluster(*, place: Place, cluster: Cluster) -> bool:
    """Stop the cluster if no command uses it, and return whether that was so."""
    with alone(place.home / "cluster.lock"):
        users = FileLock(path=place.home / "cluster-users.lock")
        try:
            free = users.try_alone()
            if free:
                stop_cluster(cluster=cluster)
            return free
        finally:
            users.close()


def _lease(*, place: Place) -> tuple[Callable[[], None], str]:
    """Start the cluster if need be, count ourselves among its users, and return how to leave, and what was done."""
    with alone(place.home / "cluster.lock"):
        owner = server_owner()
        folder = cluster_folder(home=place.home, owner=owner)
        cluster = place_cluster(home=place.home, folder=folder, servers=find_servers(), owner=owner)
        done = start_cluster(cluster=cluster)
        note = place.home / NOTE
        fresh = note.with_name(f"{NOTE}.{os.getpid()}")
        fresh.write_text(f"{cluster.url}\n")
        fresh.replace(note)
        users = FileLock(path=place.home / "cluster-users.lock")
        users.share()

    def release() -> None:
        users.close()
        stop_unused_cluster(place=place, cluster=cluster)

    return release, f"{done}, in {cluster.folder}"
