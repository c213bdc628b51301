"""Calling an import command, and telling apart what it wrote."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import connection


@dataclass(frozen=True, slots=True)
class Told:
    out: list[str]
    err: list[str]


def run(command: str, path: Path, **options: Any) -> Told:
    """Run the command over the file; return what it printed. Raises CommandError as it does."""
    out, err = io.StringIO(), io.StringIO()
    call_command(command, path, stdout=out, stderr=err, **options)
    return Told(out.getvalue().splitlines(), err.getvalue().splitlines())


def written(folder: Path, text: str | bytes, name: str = "given.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def table_counts() -> dict[str, int]:
    """Return the number of rows of every table of the two apps."""
    with connection.cursor() as cursor:
        counts = {}
        for app in ("offers", "customers"):
            for model in apps.get_app_config(app).get_models(include_auto_created=True):
                table = model._meta.db_table
                cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
                counts[table] = cursor.fetchone()[0]
    return counts
