"""PostgreSQL's programs with PostGIS: found on this machine, or installed by its package manager."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.children import tail
from scripts.place import Place
from scripts.say import Refusal, complaint, line

BREW = "brew install postgresql@17 postgis"
BIN_PATTERNS = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # PostgreSQL's own packages for Fedora and its kin
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
CREATE_CLUSTER = Path("/etc/postgresql-common/createcluster.d/rayon.conf")


@dataclass(frozen=True)
class Server:
    """One installed PostgreSQL that has PostGIS."""

    bin: Path
    major: int


def find_servers(*, root: Path = Path("/")) -> list[Server]:
    """Return the servers with PostGIS, the newest first."""
    folders = [found for pattern in BIN_PATTERNS for found in root.glob(pattern)]
    on_path = shutil.which("initdb") if root == Path("/") else None
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    found = {
        Server(bin=folder, major=_major(folder))
        for folder in folders
        if _has_postgis(folder=folder, root=root)
    }
    return sorted(found, key=lambda server: (-server.major, str(server.bin)))


def ensure_server(*, place: Place) -> Server:
    """Return a server with PostGIS, installed if need be. Raises Refusal with the line to type where we cannot."""
    servers = find_servers()
    if not servers:
        install_packages(place=place, packages=_packages())
        servers = find_servers()
    if not servers:
        raise Refusal("PostgreSQL with PostGIS was installed, but is not found under /usr/lib/postgresql.")
    return servers[0]


def missing_venv_package() -> list[str]:
    """Return what Debian keeps apart from python3 and `python3 -m venv` needs."""
    if importlib.util.find_spec("ensurepip") is None:
        return [f"python{sys.version_info.major}.{sys.version_info.minor}-venv"]
    return []


def install_packages(*, place: Place, packages: list[str]) -> None:
    """Install `packages` through apt. Raises Refusal naming them where there is no apt, no right, or no network."""
    names = " ".join(packages)
    if sys.platform == "darwin":
        raise Refusal(f"Rayon needs PostgreSQL with PostGIS. Install it with: {BREW}")
    if shutil.which("apt-get") is None:
        raise Refusal(
            "Rayon needs PostgreSQL (server) with PostGIS: install both with this system's package manager."
        )
    by_hand = f"sudo apt-get install {names}"
    prefix: list[str] = []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise Refusal(f"These system packages are missing, and only root can install them: {by_hand}")
        prefix = ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]
    line(f"  installing  {names} (system packages, once)")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    with _no_distribution_cluster():
        for command in ([*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *packages]):
            if not _done(command=command, log=place.logs / "apt.log"):
                complaint(tail(path=place.logs / "apt.log"))
                raise Refusal(
                    f"System packages could not be installed: is there a network? By hand: {by_hand}"
                )


def _done(*, command: Sequence[str], log: Path) -> bool:
    """Run the package manager to its end, never cutting it short; sudo may ask for a password at the keyboard."""
    with log.open("wb") as output:
        return subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode == 0  # noqa: S603


def _packages() -> list[str]:
    """Return the package that adds PostGIS to the newest installed PostgreSQL, or brings both."""
    installed = [
        _major(folder) for folder in Path("/").glob(BIN_PATTERNS[0]) if (folder / "postgres").exists()
    ]
    return [f"postgresql-{max(installed)}-postgis-3"] if installed else ["postgresql-postgis"]


@contextmanager
def _no_distribution_cluster() -> Iterator[None]:
    """Keep Debian's package from making and starting a cluster of its own; leaves no trace."""
    if os.geteuid() != 0 or CREATE_CLUSTER.parent.parent.exists():
        yield  # not ours to change: either no right to, or a PostgreSQL of the owner's is here already
        return
    CREATE_CLUSTER.parent.mkdir(parents=True)
    CREATE_CLUSTER.write_text("create_main_cluster = false\n")
    try:
        yield
    finally:
        CREATE_CLUSTER.unlink(missing_ok=True)


def _major(folder: Path) -> int:
    found = re.search(r"(\d+)(?:/bin)?$", str(folder))
    return int(found.group(1)) if found else 0


def _has_postgis(*, folder: Path, root: Path) -> bool:
    major, prefix = _major(folder), folder.parent
    shares = (
        root / f"usr/share/postgresql/{major}/extension",
        root / "usr/share/pgsql/extension",
        prefix / "share/extension",
        prefix / "share/postgresql/extension",
        prefix.parent.parent / f"share/postgresql@{major}/extension",
    )
    return (folder / "initdb").exists() and any((share / "postgis.control").exists() for share in shares)
