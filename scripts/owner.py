"""The system user the database server runs as, and a folder that user can reach."""

import hashlib
import os
import pwd
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.say import Refusal

CANDIDATES = ("postgres", "nobody")  # PostgreSQL refuses to run as root


@dataclass(frozen=True)
class Owner:
    uid: int
    gid: int
    switches: bool  # True: we are root and hand the work down

    def run(self, command: Sequence[str], *, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a server program as this user and return what came of it; its output goes through a file, since a pipe
        inherited by the server would never close."""
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                timeout=timeout_s,
                check=False,
                start_new_session=True,  # Ctrl-C at the keyboard must not reach the server before its clients
                user=self.uid if self.switches else None,
                group=self.gid if self.switches else None,
                extra_groups=[] if self.switches else None,
            )
            output.seek(0)
            text = output.read().decode(errors="replace")
        return subprocess.CompletedProcess(command, done.returncode, stdout=text)


def server_owner() -> Owner:
    """Return ourselves, or as root an unprivileged user of the system."""
    if os.geteuid() != 0:
        return Owner(uid=os.geteuid(), gid=os.getegid(), switches=False)
    for name in CANDIDATES:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(uid=user.pw_uid, gid=user.pw_gid, switches=True)
    raise Refusal(
        "PostgreSQL does not run as root, and this system has no user `postgres`: run as another user."
    )


def cluster_folder(*, home: Path, owner: Owner) -> Path:
    """Return the folder of the cluster, owned by `owner`: in RAYON_HOME, or, where `owner` cannot get there, under
    the system's temporary directory."""
    folder = home / "postgres"
    if not owner.switches:
        folder.mkdir(mode=0o700, exist_ok=True)
    elif _can_reach(folder=home, owner=owner):
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid == 0:
            os.chown(folder, owner.uid, owner.gid)
    else:
        return private_folder(purpose="db", home=home, owner=owner)
    if folder.stat().st_uid != owner.uid:
        raise Refusal(
            f"The cluster in {folder} belongs to the user {_user_name(folder.stat().st_uid)}: run as that user, or choose another RAYON_HOME."
        )
    return folder


def private_folder(*, purpose: str, home: Path, owner: Owner) -> Path:
    """Return a short-named folder of `owner`'s under the temporary directory, the same for the same RAYON_HOME."""
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"rayon-{purpose}-{owner.uid}-{digest}"
    try:
        folder.mkdir(mode=0o700)
        if owner.switches:
            os.chown(folder, owner.uid, owner.gid)
    except FileExistsError:
        found = folder.lstat()
        if folder.is_symlink() or found.st_uid != owner.uid or found.st_mode & 0o077:
            raise Refusal(
                f"{folder} exists and is not ours: remove it, or choose another RAYON_HOME."
            ) from None
    return folder


def cluster_folders(*, home: Path, owner: Owner) -> list[Path]:
    """Return every folder the cluster of `home` may have made, wherever it stands."""
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
    return [home / "postgres", *Path(tempfile.gettempdir()).glob(f"rayon-*-{owner.uid}-{digest}")]


def _can_reach(*, folder: Path, owner: Owner) -> bool:
    return owner.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]).returncode == 0


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
