"""`check`: format, lint, types, layers, migrations, deployment settings, tests; each named and timed."""

import os
import secrets
import time
from dataclasses import dataclass, field

from scripts.children import StopFlag
from scripts.place import Place
from scripts.prepare import NOTE, prepared
from scripts.say import Stopped, line
from scripts.within import run_here


@dataclass(frozen=True)
class Check:
    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)


def check(*, place: Place) -> int:
    """Run every check, even after a failed one, and return 0 only if all passed."""
    flag = StopFlag()
    flag.listen()
    try:
        with prepared(place=place, flag=flag):
            failed = [
                each.name for each in _checks(place=place) if not _passes(check=each, place=place, flag=flag)
            ]
    except Stopped:
        return 130
    line()
    line(f"Failed: {', '.join(failed)}." if failed else "All checks passed.")
    return 1 if failed else 0


def _passes(*, check: Check, place: Place, flag: StopFlag) -> bool:
    line(f"\n== {check.name}")
    started = time.monotonic()
    code = run_here(command=check.command, place=place, flag=flag, env=check.env)
    line(f"== {check.name}: {'ok' if code == 0 else f'FAILED ({code})'}, {time.monotonic() - started:.1f} s")
    return code == 0


def _checks(*, place: Place) -> list[Check]:
    python, manage = str(place.python), str(place.root / "manage.py")
    layers = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    url = place.database_url or (place.home / NOTE).read_text().strip()
    development = {"DEMO": "1"}
    # As on a real server: an external database, no DEBUG, no DEMO, a key of its own. Any warning fails.
    production = {
        "DATABASE_URL": url,
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "rayon.example",
        "DEBUG": "",
        "DEMO": "",
        "HTTPS": "",
    }
    return [
        Check("format", [python, "-m", "ruff", "format", "--check", "."]),
        Check("lint", [python, "-m", "ruff", "check", "."]),
        Check("types", [python, "-m", "mypy"], development),
        Check("layers", [python, "-c", layers, "--no-cache"], development),
        Check("migrations", [python, manage, "makemigrations", "--check", "--dry-run"], development),
        Check("deployment", [python, manage, "check", "--deploy", "--fail-level", "WARNING"], production),
        Check("tests", test_command(place=place)),
    ]


def test_command(*, place: Place) -> list[str]:
    """Return how the whole suite is run: one process per core, up to four, without the long ones."""
    workers = min(4, os.cpu_count() or 1)
    return [str(place.python), "-m", "pytest", "-n", str(workers), "-m", "not long"]
