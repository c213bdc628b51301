"""The nightly job that tells everybody's next basket, in a process of its own: customers a second and peak memory."""

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import psycopg

from tests.benchmarks import database
from tests.benchmarks.database import ROOT, Server
from tests.benchmarks.figures import Figure
from tests.benchmarks.pipeline import CLIENTS

NAME = "rayon_bench_baskets"
CUSTOMERS, PANEL = 20_000, 5_000
PRODUCTS, FAVOURITES = 5_000, 25
RECEIPTS, LINES = 12, 8  # of each customer; of each receipt


def next_basket_job(*, server: Server, seconds: float) -> list[Figure]:
    """The whole job, learning included, and what each further customer costs once the panel has taught."""
    database.drop(server, name=NAME)
    try:
        database.create(server, name=NAME)
        database.migrate(server, name=NAME)
        with database.connect(server, name=NAME) as connection:
            for statement in _WORLD:
                connection.execute(statement, _SIZES)
            connection.execute("VACUUM ANALYZE")
        url = database.url(server, name=NAME)
        half, full = _run(url, customers=CUSTOMERS // 2), _run(url, customers=CUSTOMERS)
    finally:
        database.drop(server, name=NAME)
    bound = database.durable_inserts_per_s(server, clients=CLIENTS, seconds=seconds)

    def figure(name: str, rate: float) -> Figure:
        return Figure(
            name=name,
            value=rate,
            unit="customers/s",
            bound=bound,
            bound_name=f"pgbench durable INSERT/s, {CLIENTS} clients",
            wanted=0.01,
            goal=0.1,
            peak_mb={"job": full.peak_mb},
        )

    # Once the panel has taught; by its own CPU time, since other work on the machine does not count.
    further = CUSTOMERS / 2 / max(1e-9, full.cpu_s - half.cpu_s)
    return [figure("next_basket_job", CUSTOMERS / full.clock_s), figure("next_basket_job_further", further)]


@dataclass(frozen=True, kw_only=True)
class _Spent:
    clock_s: float
    cpu_s: float  # of the job's process: the database's own is not in it
    peak_mb: float


def _run(url: str, *, customers: int) -> _Spent:
    """Let the job tell the first customers; return what it took."""
    with psycopg.connect(url.replace("postgis://", "postgresql://"), autocommit=True) as connection:
        connection.execute(
            "UPDATE customers_customer SET granted = CASE WHEN id <= %s THEN '{profiling}'::text[] ELSE '{}' END",
            [customers],
        )
    command = [sys.executable, "manage.py", "refresh_next_baskets", "--panel", str(PANEL)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    clock_s = time.perf_counter() - start
    if not done.stdout.startswith(f"{customers} customers"):
        raise RuntimeError(f"the job told something else: {done.stdout}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Spent(clock_s=clock_s, cpu_s=cpu_s, peak_mb=after.ru_maxrss / 1024)


_SIZES = {
    "customers": CUSTOMERS,
    "products": PRODUCTS,
    "favourites": FAVOURITES,
    "receipts": RECEIPTS,
    "lines": LINES,
}
# A customer's lines are favourites for two thirds, which near numbers share, else anything; low products are the popular ones.
_WORLD = (
    "SELECT setseed(0.5)",
    """
    INSERT INTO customers_customer (id, ref, name, email, phone, birth_year, loyalty_card, language,
        time_zone, segments, topics, keywords, muted_brands, muted_categories, has_own_quiet_hours, max_pushes_per_day,
        max_pushes_per_week, channels, granted, created_at, updated_at)
    SELECT i, 'u' || i, '', '', '', 1980, '', 'fr', 'Europe/Paris', '{}', '{}', '{}', '{}', '{}', true, 3, 10, '{push}',
           '{profiling}', now(), now()
      FROM generate_series(1, %(customers)s) i
    """,
    """
    INSERT INTO customers_purchase (id, customer_id, store_ref, receipt, purchased_at, currency, digest, received_at)
    SELECT (c - 1) * %(receipts)s + r, c, 'S1', c || '-' || r, now() - make_interval(days => 7 * r), 'EUR', '\\x00',
           now()
      FROM generate_series(1, %(customers)s) c, generate_series(1, %(receipts)s) r
    """,
    """
    INSERT INTO customers_purchaseline (purchase_id, customer_id, position, gtin, quantity, unit_price_minor,
                                        category_ref, brand)
    SELECT p.id, p.customer_id, l,
           lpad((CASE WHEN random() < 0.67
                      THEN (p.customer_id * 7 + floor(random() ^ 2 * %(favourites)s)::bigint * 131) %% %(products)s
                      ELSE floor(random() ^ 3 * %(products)s)::bigint END)::text, 13, '0'),
           1, 250, '', ''
      FROM customers_purchase p, generate_series(0, %(lines)s - 1) l
    """,
)
