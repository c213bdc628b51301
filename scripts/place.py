"""Where this checkout keeps its things, and what of it the environment may say."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.say import Refusal

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Place:
    root: Path  # the checkout
    home: Path  # RAYON_HOME: cluster, logs, static files, generated key
    host: str
    port: int
    workers: int  # server processes
    database_url: str  # "": the embedded cluster

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def logs(self) -> Path:
        return self.home / "log"

    @property
    def base_url(self) -> str:
        """Return the address a person on this machine opens."""
        shown = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://[{shown}]:{self.port}" if ":" in shown else f"http://{shown}:{self.port}"


def read_place(*, source: Mapping[str, str], root: Path = ROOT) -> Place:
    """Return the place. Raises Refusal where PORT or WORKERS is not a number in range."""
    home = Path(source.get("RAYON_HOME") or ".rayon").expanduser()
    return Place(
        root=root,
        home=home if home.is_absolute() else root / home,
        host=source.get("HOST") or "127.0.0.1",
        port=_number(source=source, name="PORT", default=8000, high=65535),
        workers=_number(source=source, name="WORKERS", default=min(4, os.cpu_count() or 1), high=256),
        database_url=source.get("DATABASE_URL") or "",
    )


def make_home(*, place: Place) -> None:
    """Make RAYON_HOME and its log folder. Raises Refusal if one cannot write there."""
    try:
        place.logs.mkdir(parents=True, exist_ok=True)
        probe = place.home / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Refusal(
            f"RAYON_HOME ({place.home}) cannot be written to: {error.strerror}. Name another: RAYON_HOME=~/.rayon make run"
        ) from error


def _number(*, source: Mapping[str, str], name: str, default: int, high: int) -> int:
    given = source.get(name) or str(default)
    if not given.isdecimal() or not 1 <= int(given) <= high:
        raise Refusal(f"{name} must be a whole number from 1 to {high}, not {given!r}.")
    return int(given)
