"""Databases of the benchmarks' own on the server that the project uses, and pgbench on the same server."""

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

SCRATCH = "rayon_bench_scratch"  # pgbench's
ROOT = Path(__file__).resolve().parents[2]
PGBENCH_TABLE = """
    CREATE TABLE bench_insert (
        id bigserial PRIMARY KEY, customer_id bigint NOT NULL, occurred_at timestamptz NOT NULL, body text NOT NULL
    )
"""
PGBENCH_SCRIPT = """
\\set customer random(1, 10000)
INSERT INTO bench_insert (customer_id, occurred_at, body) VALUES (:customer, now(), 'an event of usual length, one row');
"""

Server = dict[str, Any]  # an entry of DATABASES; its own database is left alone


def connect(server: Server, *, name: str) -> psycopg.Connection[Any]:
    """Return a connection that commits each statement."""
    return psycopg.connect(**address(server, name=name), autocommit=True)


def exists(server: Server, *, name: str) -> bool:
    with connect(server, name="postgres") as connection:
        return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())


def create(server: Server, *, name: str) -> None:
    """Make an empty database, after dropping one of that name."""
    drop(server, name=name)
    with connect(server, name="postgres") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def copy(server: Server, *, name: str, of: str) -> None:
    """Make a copy of a database to which nobody is connected."""
    drop(server, name=name)
    with connect(server, name="postgres") as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(of)))


def migrate(server: Server, *, name: str) -> None:
    with connect(server, name=name) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    environment = {**os.environ, "DATABASE_URL": url(server, name=name)}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True
    )


def drop(server: Server, *, name: str) -> None:
    with connect(server, name="postgres") as connection:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(statement.format(sql.Identifier(name)))


def durable_inserts_per_s(server: Server, *, clients: int, seconds: float) -> float:
    """Return pgbench's single-row INSERT transactions per second, each committed to disk."""
    program = _pgbench()
    create(server, name=SCRATCH)
    where = address(server, name=SCRATCH)
    with connect(server, name=SCRATCH) as connection:
        row = connection.execute(
            "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
        ).fetchone()
        if row != ("on", "on"):
            raise RuntimeError(f"the bound must be durable, but fsync, synchronous_commit are {row}")
        connection.execute(PGBENCH_TABLE)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(PGBENCH_SCRIPT)
        script.flush()
        command = [program, "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=2"]
        command += [f"--time={max(1, round(seconds))}", f"--file={script.name}"]
        command += [f"--host={where['host']}", f"--port={where['port']}"]
        command += [f"--username={where['user']}"] if where["user"] else []
        environment = {**os.environ, "PGPASSWORD": str(where["password"])}
        done = subprocess.run(
            [*command, SCRATCH], capture_output=True, text=True, check=True, env=environment
        )
    drop(server, name=SCRATCH)
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


def address(server: Server, *, name: str) -> dict[str, Any]:
    options = server.get("OPTIONS", {})
    return {
        "host": server.get("HOST") or options.get("host") or "localhost",
        "port": server.get("PORT") or options.get("port") or 5432,
        "user": server.get("USER") or None,
        "password": server.get("PASSWORD") or "",
        "dbname": name,
    }


def url(server: Server, *, name: str) -> str:
    """Return what DATABASE_URL must be for this database."""
    where = address(server, name=name)
    credentials = quote(where["user"] or "", safe="")
    if where["password"]:
        credentials += ":" + quote(where["password"], safe="")
    return f"postgis://{credentials}@/{name}?host={quote(where['host'], safe='')}&port={where['port']}"
