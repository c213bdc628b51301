"""The virtual environment: made from the lock file, remade only when that has changed."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from scripts.children import StopFlag, run_step
from scripts.locks import alone
from scripts.place import Place
from scripts.say import Refusal, complaint

LOCK = "requirements-dev.lock"
STAMP = "rayon-lock"


def ensure_venv(*, place: Place, flag: StopFlag) -> str:
    """Install what the lock names into .venv and return what was done, in words.

    The stamp is written last, so an installation cut short is done again. Raises Refusal if packages cannot be had.
    """
    with alone(place.home / "venv.lock"):
        wanted = _fingerprint(lock=place.root / LOCK)
        stamp = place.venv / STAMP
        if place.python.exists() and stamp.exists() and stamp.read_text() == wanted:
            return "as the lock file says"
        stamp.unlink(missing_ok=True)
        _make(place=place, flag=flag)
        stamp.write_text(wanted)
        return "packages installed, each checked by its hash"


def _make(*, place: Place, flag: StopFlag) -> None:
    log, env = (
        place.logs / "venv.log",
        {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"},
    )
    lock, cwd = str(place.root / LOCK), place.root
    if not _works(place=place):
        create = [sys.executable, "-m", "venv", "--clear", str(place.venv)]
        run_step(name="python3 -m venv", command=create, log=log, env=env, cwd=cwd, flag=flag)
    uv = shutil.which("uv")
    installer = (
        [uv, "pip", "install", "--python", str(place.python)]
        if uv
        else [str(place.python), "-m", "pip", "install"]
    )
    # The lock is complete, so nothing is left to resolve; what is never imported need never be compiled.
    install = [
        *installer,
        "--quiet",
        "--require-hashes",
        "--no-deps",
        *([] if uv else ["--no-compile"]),
        "-r",
        lock,
    ]
    try:
        run_step(name="Installing packages", command=install, log=log, env=env, cwd=cwd, flag=flag)
    except Refusal as refusal:
        complaint(str(refusal))
        raise Refusal(
            "Python packages could not be installed: is there a network? Nothing was started."
        ) from None


def _works(*, place: Place) -> bool:
    """Return whether .venv has a Python of this very version that can run pip."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    pip = place.venv / "lib" / version / "site-packages" / "pip" / "__main__.py"
    return place.python.exists() and pip.exists()


def _fingerprint(*, lock: Path) -> str:
    digest = hashlib.sha256(lock.read_bytes())
    digest.update(f"{sys.implementation.cache_tag}".encode())
    return digest.hexdigest()
