"""Worlds that are kept: built once for each state of the tables and of the rows, then swept before each use."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
from psycopg import sql

from tests.benchmarks import database, world, world_sql
from tests.benchmarks.database import Server
from tests.benchmarks.progress import doing
from tests.benchmarks.world import Size
from tests.template_database import fingerprint as tables_fingerprint

MEMORY = "SET maintenance_work_mem = '512MB'; SET work_mem = '64MB'; SET synchronous_commit = off"
# Everything that hinders writing millions of rows and can be made anew at the end.
INDEXES = """
    SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid),
           pg_get_indexdef(i.indexrelid)
      FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
      LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u'
     WHERE t.relnamespace = 'public'::regnamespace AND NOT i.indisprimary
       AND (starts_with(t.relname, 'offers_') OR starts_with(t.relname, 'customers_'))
"""
TABLES = """
    SELECT relname FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
       AND (starts_with(relname, 'offers_') OR starts_with(relname, 'customers_'))
     ORDER BY relname
"""


def name_of(size: Size) -> str:
    return f"rayon_bench_{size.name}"


def ready(server: Server, *, size: Size) -> str:
    """Return the name of a database with this world as it was when built; built now if there is none."""
    name = name_of(size)
    if _stamp(server, name=name) != _fingerprint(size):
        with doing(f"the {size.name} world") as now:
            _build(server, size=size)
            now.done = f"{size.stores:,} stores, {size.customers:,} customers, {size.offers:,} offers"
        return name
    with doing(f"the {size.name} world") as now:
        _sweep(server, name=name)
        now.done = "kept, and swept"
    return name


def ready_copy(server: Server, *, size: Size) -> str:
    """Return the name of a second database with this world, to be dropped by the caller."""
    name = name_of(size) + "_copy"
    database.copy(server, name=name, of=ready(server, size=size))
    return name


def forget(server: Server) -> None:
    """Drop every world."""
    for size in (world.TINY, world.SMALL, world.LARGE):
        database.drop(server, name=name_of(size))


def _stamp(server: Server, *, name: str) -> str:
    """Return what the world was made from; empty for one that is not there or was not finished."""
    if not database.exists(server, name=name):
        return ""
    with database.connect(server, name=name) as connection:
        if connection.execute("SELECT to_regclass('bench_world')").fetchone() == (None,):
            return ""
        row = connection.execute("SELECT fingerprint FROM bench_world").fetchone()
    return str(row[0]) if row else ""


def _fingerprint(size: Size) -> str:
    made_from = (tables_fingerprint(), size, world_sql.PARTS, world.values_of(size))
    return hashlib.sha256(repr(made_from).encode()).hexdigest()


def _build(server: Server, *, size: Size) -> None:
    name = name_of(size)
    database.create(server, name=name)
    database.migrate(server, name=name)
    with database.connect(server, name=name) as connection:
        connection.execute(MEMORY)
        with unhindered(connection, is_told=size.customers >= 100_000):
            for part, statements in world_sql.PARTS:
                with _told(size=size, part=part):
                    for statement in statements:
                        connection.execute(statement, world.values_of(size))
        with _told(size=size, part="statistics"):
            connection.execute("VACUUM ANALYZE")
        empty = [table for table in _tables(connection) if _is_empty(connection, table)]
        connection.execute("CREATE TABLE bench_world (fingerprint text, empty text[])")
        connection.execute("INSERT INTO bench_world VALUES (%s, %s)", [_fingerprint(size), empty])
        connection.execute("CHECKPOINT")


@contextmanager
def _told(*, size: Size, part: str) -> Iterator[None]:
    """Say how long a part took, where that is worth saying."""
    if size.customers < 100_000:
        yield
        return
    with doing(f"  {part}"):
        yield


@contextmanager
def unhindered(connection: psycopg.Connection[Any], *, is_told: bool = False) -> Iterator[None]:
    """Write without indexes and, where the user may, without checking each reference; indexes are made at the end."""
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if row == (True,):
        connection.execute("SET session_replication_role = replica")
    indexes = connection.execute(INDEXES).fetchall()
    for table, index, constraint, _, _ in indexes:
        if constraint:
            connection.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                    sql.Identifier(table), sql.Identifier(constraint)
                )
            )
        else:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
    yield
    with doing("  indexes") if is_told else nullcontext():
        for table, _, constraint, rule, definition in indexes:
            if constraint:
                connection.execute(
                    sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                        sql.Identifier(table), sql.Identifier(constraint), sql.SQL(rule)
                    )
                )
            else:
                connection.execute(definition)
    connection.execute("SET session_replication_role = DEFAULT")


def _sweep(server: Server, *, name: str) -> None:
    """Take away what was decided in a world, and give its units back."""
    with database.connect(server, name=name) as connection:
        row = connection.execute("SELECT empty FROM bench_world").fetchone()
        written = [table for table in (row[0] if row else ()) if not _is_empty(connection, table)]
        if written:
            tables = sql.SQL(", ").join(map(sql.Identifier, row[0] if row else ()))
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
        connection.execute("UPDATE offers_capacity SET claimed = 0 WHERE claimed > 0")
        connection.execute(
            "UPDATE customers_device SET last_seen_at = registered_at WHERE last_seen_at > registered_at"
        )
        connection.execute("VACUUM ANALYZE offers_capacity, customers_device")
        connection.execute("CHECKPOINT")


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    return [table for (table,) in connection.execute(TABLES)]


def _is_empty(connection: psycopg.Connection[Any], table: str) -> bool:
    statement = sql.SQL("SELECT NOT EXISTS (SELECT FROM {})").format(sql.Identifier(table))
    row = connection.execute(statement).fetchone()
    return row == (True,)
