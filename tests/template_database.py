"""The test databases' template: migrated once per state of the migrations, then copied, which takes a fraction of a second."""

import hashlib
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "rayon_template"


def ensure_template() -> str:
    """Return the name of a database that stands at the end of today's migrations, made if there is none.

    Several processes may ask at once: one makes it, the others wait. Templates of other migrations are dropped.
    """
    with connection._nodb_cursor() as cursor:  # as Django itself does
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [PREFIX])
        family = f"{PREFIX}_{_short_hash(str(connection.settings_dict['NAME']).encode())}"
        wanted = f"{family}_{fingerprint()}"
        existing = _databases(cursor=cursor, family=family)
        if wanted in existing:
            return wanted
        for name in existing:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        building = f"{family}_building"
        cursor.execute(f'CREATE DATABASE "{building}"')
        _migrate(name=building)
        cursor.execute(f'ALTER DATABASE "{building}" RENAME TO "{wanted}"')
        return wanted


def _migrate(*, name: str) -> None:
    own_name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own_name


def _databases(*, cursor: Any, family: str) -> list[str]:
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"{family}_"])
    return [name for (name,) in cursor.fetchall()]


def fingerprint() -> str:
    """Return a hash of all that decides the tables: our migrations, and the packages that bring their own."""
    files = [ROOT / "requirements-dev.lock", ROOT / "config" / "settings" / "apps.py"]
    files += sorted(
        path for app in ("customers", "offers") for path in (ROOT / app / "migrations").glob("*.py")
    )
    return _short_hash(b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in files))


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
