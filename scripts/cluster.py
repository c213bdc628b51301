"""The embedded database: one private PostgreSQL cluster in RAYON_HOME, on a Unix socket, with no TCP port."""

import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.children import tail
from scripts.machine import Server
from scripts.owner import Owner, private_folder
from scripts.postmaster import is_our_server
from scripts.say import Refusal

USER, DATABASE, PORT = "app", "rayon", 5432
MAX_SOCKET_PATH = 100  # bytes; the kernel's limit is 108 on Linux and 104 on macOS
LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
SETTINGS = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "shared_buffers=256MB",
    "max_connections=200",
)


@dataclass(frozen=True)
class Cluster:
    folder: Path  # of the owner's; holds data, the log, and (where its name is short enough) the socket
    socket: Path  # folder of the socket
    server: Server
    owner: Owner

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def url(self) -> str:
        return f"postgis://{USER}@/{DATABASE}?host={self.socket}&port={PORT}"

    def program(self, name: str) -> str:
        return str(self.server.bin / name)

    @property
    def is_running(self) -> bool:
        return is_our_server(data=self.data)


def place_cluster(*, home: Path, folder: Path, servers: list[Server], owner: Owner) -> Cluster:
    """Return the cluster in `folder`, made or not. Raises Refusal if no server of its version is installed."""
    server = servers[0]
    version = folder / "data" / "PG_VERSION"
    if version.exists():
        made_by = int(version.read_text().strip())
        fitting = [candidate for candidate in servers if candidate.major == made_by]
        if not fitting:
            raise Refusal(
                f"The cluster in {folder} was made by PostgreSQL {made_by}; here is {server.major}. "
                f"Install postgresql-{made_by}-postgis-3, or begin with an empty database: make clean"
            )
        server = fitting[0]
    socket = folder
    longest = f"{socket}/.s.PGSQL.{PORT}"
    if len(longest.encode()) > MAX_SOCKET_PATH or not re.fullmatch(r"[\w./-]+", longest, flags=re.ASCII):
        socket = private_folder(purpose="socket", home=home, owner=owner)
    return Cluster(folder=folder, socket=socket, server=server, owner=owner)


def start_cluster(*, cluster: Cluster) -> str:
    """Bring the cluster up, made first if need be, and return what was done, in words."""
    if cluster.is_running:
        return "running already"
    made = not cluster.data.exists()
    if made:
        _make(cluster=cluster)
    _start(cluster=cluster)
    _fill(cluster=cluster)
    return "made and started" if made else "started"


def stop_cluster(*, cluster: Cluster) -> None:
    """Stop the server, ending its sessions; does nothing if it is not running."""
    if not cluster.is_running:
        return
    stop = [cluster.program("pg_ctl"), "-D", str(cluster.data), "-m", "fast", "-w", "-t", "30", "stop"]
    if cluster.owner.run(stop).returncode and cluster.is_running:
        cluster.owner.run([*stop[:3], "-m", "immediate", "-w", "-t", "10", "stop"])


def _make(*, cluster: Cluster) -> None:
    """Make the data folder under another name and rename it at the end: half a cluster never bears the right name."""
    for leftover in cluster.folder.glob("data.new*"):
        shutil.rmtree(leftover)
    fresh = cluster.folder / "data.new"
    init = [
        cluster.program("initdb"),
        "-D",
        str(fresh),
        "-U",
        USER,
        "--auth=trust",
        "-E",
        "UTF8",
        f"--locale={LOCALE}",
    ]
    done = cluster.owner.run(init)
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise Refusal(f"initdb could not make a cluster in {cluster.folder}:\n{done.stdout}")
    fresh.rename(cluster.data)


def _start(*, cluster: Cluster) -> None:
    stale = cluster.data / "postmaster.pid"
    stale.unlink(missing_ok=True)  # its server is not running: the caller looked, under the lock
    settings = [word for setting in SETTINGS for word in ("-c", setting)]
    options = shlex.join(["-k", str(cluster.socket), "-p", str(PORT), *settings])
    cluster.log.unlink(missing_ok=True)
    command = [cluster.program("pg_ctl"), "-D", str(cluster.data), "-l", str(cluster.log), "-w", "-t", "60"]
    done = cluster.owner.run([*command, "-o", options, "start"])
    if done.returncode:
        told = tail(path=cluster.log) if cluster.log.exists() else done.stdout
        raise Refusal(f"The database server in {cluster.folder} does not start.\n{told}")


def _fill(*, cluster: Cluster) -> None:
    """Add PostGIS to template1, for test databases too, and make our database; done once, and again if cut short."""
    stamp = cluster.data / "rayon-filled"
    if stamp.exists():
        return
    _query(cluster=cluster, database="template1", sql="CREATE EXTENSION IF NOT EXISTS postgis")
    known = f"SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - our own constant
    if _query(cluster=cluster, database="template1", sql=known) == "0":
        _query(cluster=cluster, database="postgres", sql=f"CREATE DATABASE {DATABASE}")
    stamp.touch()


def _query(*, cluster: Cluster, database: str, sql: str) -> str:
    address = ["-h", str(cluster.socket), "-p", str(PORT), "-U", USER, "-d", database]
    done = cluster.owner.run(
        [cluster.program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *address, "-c", sql]
    )
    if done.returncode:
        raise Refusal(f"The new cluster in {cluster.folder} could not be filled:\n{done.stdout}")
    return done.stdout.strip()
