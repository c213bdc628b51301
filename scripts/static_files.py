"""Static files: collected once, and again when a package or one of our own files has changed."""

import hashlib
from collections.abc import Callable

from scripts.place import Place
from scripts.virtualenv import LOCK

APPS = ("offers", "customers", "config")


def ensure_static(*, place: Place, collect: Callable[[], object]) -> str:
    """Call `collect` if need be, and return what was done, in words."""
    stamp = place.home / "static.stamp"
    wanted = _fingerprint(place=place)
    if stamp.exists() and stamp.read_text() == wanted and (place.home / "static").is_dir():
        return "as collected before"
    collect()
    stamp.write_text(wanted)
    return "collected"


def _fingerprint(*, place: Place) -> str:
    digest = hashlib.sha256((place.root / LOCK).read_bytes())
    digest.update((place.root / "config" / "settings" / "apps.py").read_bytes())
    for path in sorted(
        found for app in APPS for found in (place.root / app).glob("**/static/**/*") if found.is_file()
    ):
        stat = path.stat()
        digest.update(f"{path.relative_to(place.root)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
