"""The nightly job that tells everybody's next basket, in processes of its own: customers a second and peak memory."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmarks import database, targeting_world
from tests.benchmarks.database import ROOT, Server
from tests.benchmarks.figures import Figure
from tests.benchmarks.pipeline import CLIENTS
from tests.benchmarks.processes import Watch, children_of, cpu_s, peak_mb
from tests.benchmarks.progress import doing
from tests.benchmarks.targeting_world import Shoppers

NAME = "rayon_bench_baskets"
FEW = Shoppers(customers=20_000, products=5_000, favourites=25, receipts=12, least_lines=8, most_lines=8)
FEW_PANEL = 5_000
MILLION = Shoppers(
    customers=1_000_000, products=5_000, favourites=25, receipts=6, least_lines=3, most_lines=7
)
LOOK_EVERY_S = 0.5


def next_basket_job(*, server: Server, seconds: float) -> list[Figure]:
    """The whole job, learning included, and what each further customer costs once the panel has taught."""
    half = FEW.customers // 2
    try:
        targeting_world.build(server, name=NAME, shoppers=FEW)
        first = _run(server, "--panel", str(FEW_PANEL), customers=half)
        full = _run(server, "--panel", str(FEW_PANEL), customers=FEW.customers)
    finally:
        database.drop(server, name=NAME)
    bound = database.durable_inserts_per_s(server, clients=CLIENTS, seconds=seconds)
    # Once the panel has taught; by its own CPU time, since other work on the machine does not count.
    further = half / max(1e-9, full.cpu_s["job"] - first.cpu_s["job"])
    return [
        _figure("next_basket_job", FEW.customers / full.clock_s, full, bound=bound),
        _figure("next_basket_job_further", further, full, bound=bound),
    ]


def next_basket_shared(*, server: Server, seconds: float) -> list[Figure]:
    """The whole job again, by one process and then by a process a processor."""
    try:
        targeting_world.build(server, name=NAME, shoppers=FEW)
        alone, shared = (
            _run(server, "--panel", str(FEW_PANEL), "--processes", str(many), customers=FEW.customers)
            for many in (1, os.cpu_count() or 1)
        )
    finally:
        database.drop(server, name=NAME)
    bound = database.durable_inserts_per_s(server, clients=CLIENTS, seconds=seconds)
    return [
        _figure("next_basket_alone", FEW.customers / alone.clock_s, alone, bound=bound),
        _figure("next_basket_shared", FEW.customers / shared.clock_s, shared, bound=bound),
    ]


def next_basket_million(*, server: Server, seconds: float) -> list[Figure]:
    """The whole job for a million customers, by a process a processor; tens of minutes, and 10 GB of disk."""
    try:
        with doing("a million customers with their purchases") as now:
            targeting_world.build(server, name=NAME, shoppers=MILLION)
            now.done = f"{targeting_world.lines(server, name=NAME):,} lines"
        with doing("their next baskets") as now:
            spent = _run(server, "--processes", str(os.cpu_count() or 1), customers=MILLION.customers)
            processor = ", ".join(f"{own:,.0f} s of {name}" for name, own in spent.cpu_s.items())
            now.done = f"{spent.clock_s:,.0f} s on the clock; processor time: {processor}"
    finally:
        database.drop(server, name=NAME)
    bound = database.durable_inserts_per_s(server, clients=CLIENTS, seconds=seconds)
    return [_figure("next_basket_million", MILLION.customers / spent.clock_s, spent, bound=bound)]


@dataclass(frozen=True, kw_only=True)
class _Spent:
    clock_s: float
    cpu_s: Mapping[str, float]  # job: all of its processes; postgres
    peak_mb: Mapping[str, float]  # job: the sum of its processes' peaks; each process; postgres


def _run(server: Server, *options: str, customers: int) -> _Spent:
    """Let the job tell the first customers; return what it took."""
    with database.connect(server, name=NAME) as connection:
        connection.execute(
            "UPDATE customers_customer SET granted = CASE WHEN id <= %(told)s THEN '{profiling}'::text[] ELSE '{}' END"
            " WHERE (id <= %(told)s) <> ('profiling' = ANY(granted))",
            {"told": customers},
        )
        start = time.perf_counter()
        job = subprocess.Popen(
            [sys.executable, "manage.py", "refresh_next_baskets", *options],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database.url(server, name=NAME)},
            stdout=subprocess.PIPE,
            text=True,
        )
        with Watch(pids={}, connection=connection) as watch:
            own, peaks = _followed(job)
        clock_s = time.perf_counter() - start
    said = job.stdout.read() if job.stdout else ""
    if job.returncode or not said.startswith(f"{customers} customers"):
        raise RuntimeError(f"the job told something else: {said}")
    return _Spent(
        clock_s=clock_s,
        cpu_s={"job": own, "postgres": watch.used.cpu_s.get("postgres", 0.0)},
        peak_mb={
            "job": sum(peaks.values()),
            **{f"process {number}": peak for number, peak in enumerate(peaks.values(), start=1)},
            "postgres": watch.used.peak_mb.get("postgres", 0.0),
        },
    )


def _followed(job: "subprocess.Popen[str]") -> tuple[float, dict[int, float]]:
    """Wait for the job; return the processor seconds of its processes, and the most memory that each ever had, in MB."""
    spent: dict[int, float] = {}
    peaks: dict[int, float] = {}
    while job.poll() is None:
        for pid in (job.pid, *children_of(job.pid)):
            spent[pid] = max(spent.get(pid, 0.0), cpu_s([pid]))
            peaks[pid] = max(peaks.get(pid, 0.0), peak_mb(pid))
        time.sleep(LOOK_EVERY_S)
    return sum(spent.values()), {pid: peak for pid, peak in peaks.items() if peak}


def _figure(name: str, rate: float, spent: _Spent, *, bound: float) -> Figure:
    return Figure(
        name=name,
        value=rate,
        unit="customers/s",
        bound=bound,
        bound_name=f"pgbench durable INSERT/s, {CLIENTS} clients",
        wanted=0.01,
        goal=0.1,
        peak_mb=spent.peak_mb,
    )
