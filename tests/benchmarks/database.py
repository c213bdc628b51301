"""A database of the benchmarks' own on the server that the project uses, and pgbench on the same server."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

NAME = "rayon_bench"
ROOT = Path(__file__).resolve().parents[2]
PGBENCH_TABLE = """
    CREATE TABLE IF NOT EXISTS bench_insert (
        id bigserial PRIMARY KEY, customer_id bigint NOT NULL, occurred_at timestamptz NOT NULL, body text NOT NULL
    )
"""
PGBENCH_SCRIPT = """
\\set customer random(1, 10000)
INSERT INTO bench_insert (customer_id, occurred_at, body) VALUES (:customer, now(), 'an event of usual length, one row');
"""


def make(*, server: dict[str, Any]) -> str:
    """Make the benchmarks' database anew, migrated and empty; return its URL.

    server: an entry of DATABASES, whose server is used and whose database is left alone.
    """
    with psycopg.connect(**address(server, name="postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(NAME)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
    where = url(server)
    with psycopg.connect(**address(server, name=NAME), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    environment = {**os.environ, "DATABASE_URL": where}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True
    )
    return where


def drop(*, server: dict[str, Any]) -> None:
    with psycopg.connect(**address(server, name="postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(NAME)))


def durable_inserts_per_s(*, server: dict[str, Any], clients: int, seconds: int) -> float:
    """Return pgbench's single-row INSERT transactions per second, each committed to disk."""
    program = _pgbench()
    where = address(server, name=NAME)
    with psycopg.connect(**where, autocommit=True) as connection:
        row = connection.execute(
            "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
        ).fetchone()
        if row != ("on", "on"):
            raise RuntimeError(f"the bound must be durable, but fsync, synchronous_commit are {row}")
        connection.execute(PGBENCH_TABLE)
        connection.execute("TRUNCATE bench_insert")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(PGBENCH_SCRIPT)
        script.flush()
        command = [
            *(
                program,
                "--no-vacuum",
                "--protocol=prepared",
                f"--client={clients}",
                "--jobs=2",
                f"--time={seconds}",
            ),
            *(f"--file={script.name}", f"--host={where['host']}", f"--port={where['port']}"),
            *(f"--username={where['user']}", NAME),
        ]
        environment = {**os.environ, "PGPASSWORD": str(where["password"])}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if not found:
        raise RuntimeError(f"pgbench printed no tps:\n{done.stdout}")
    return float(found.group(1))


def _pgbench() -> str:
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/pgbench"), key=lambda path: int(path.parts[-3])
    )
    found = str(installed[-1]) if installed else shutil.which("pgbench")
    if not found:
        raise RuntimeError("pgbench is not installed: it comes with the PostgreSQL server packages")
    return found


def address(server: dict[str, Any], *, name: str) -> dict[str, Any]:
    options = server.get("OPTIONS", {})
    return {
        "host": server.get("HOST") or options.get("host") or "localhost",
        "port": server.get("PORT") or options.get("port") or 5432,
        "user": server.get("USER") or None,
        "password": server.get("PASSWORD") or "",
        "dbname": name,
    }


def url(server: dict[str, Any]) -> str:
    """Return the address of the benchmarks' database, as DATABASE_URL wants it."""
    where = address(server, name=NAME)
    credentials = quote(where["user"] or "", safe="")
    if where["password"]:
        credentials += ":" + quote(where["password"], safe="")
    return f"postgis://{credentials}@/{NAME}?host={quote(where['host'], safe='')}&port={where['port']}"
