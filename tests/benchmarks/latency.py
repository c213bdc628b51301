"""How long an event takes when phones send at times of their own, whatever the server does."""

import random
from itertools import accumulate

from scripts.say import step
from tests.benchmarks import worlds
from tests.benchmarks.database import Server, connect
from tests.benchmarks.events_rest import (
    AT_ONCE,
    CONNECTIONS,
    check,
    closed_in,
    repeating_crowd,
    walking_crowd,
    warm_up_s,
)
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Load, scheduled
from tests.benchmarks.pipeline import count_events
from tests.benchmarks.processes import Watch
from tests.benchmarks.server import BARE, OURS, dialled, serving
from tests.benchmarks.wire import Http
from tests.benchmarks.world import SMALL, Size

LINES = 128  # far more than are in flight


def p99_half_load(
    *, server: Server, seconds: float, size: Size = SMALL, at_once: int = 2 * AT_ONCE
) -> list[Figure]:
    """The 99th percentile at half of the top rate, against an empty consumer at the same rate and times.

    The top rate is that of 32 connections which each wait for their answer, measured first. Arrivals are random and
    independent, as from many phones (exponential gaps, the same in every run of the same rate).
    """
    name = worlds.ready(server, size=size)
    with (
        serving(application=OURS, server=server, name=name) as ours,
        connect(server, name=name) as connection,
    ):
        crowd = walking_crowd(size, at_once=at_once, seconds=2 * warm_up_s(seconds) + seconds)
        with step("top rate") as now:
            closed_in(ours, crowd, seconds=warm_up_s(seconds))
            top = closed_in(ours, crowd, seconds=warm_up_s(seconds))
            now.done = f"{top.per_s:,.0f} events/s over {CONNECTIONS} connections"
        before = count_events(server, name=name)
        times = arrivals(per_s=top.per_s / 2, seconds=seconds)
        with (
            step("measuring") as now,
            dialled(ours, lambda _: Http(ours.port), lines=LINES) as lines,
        ):
            with Watch(pids=ours.pids, connection=connection) as watch:
                load = scheduled(lines, crowd, arrivals_s=times)
            now.done = _told(load)
        check(server, load, name=name, before=before, events_an_answer=1)
    with serving(application=BARE, server=server, name=name) as bare:
        crowd = repeating_crowd(size, at_once=at_once)
        closed_in(bare, crowd, seconds=warm_up_s(seconds))
        with step("bound") as now, dialled(bare, lambda _: Http(bare.port), lines=LINES) as lines:
            bound = scheduled(lines, crowd, arrivals_s=times)
            now.done = _told(bound)
    return [
        Figure(
            name="p99_half_load",
            value=1_000 * load.quantile_s(0.99),
            unit="ms",
            bound=1_000 * bound.quantile_s(0.99),
            bound_name=f"p99 of an empty consumer at the same {top.per_s / 2:,.0f} requests/s",
            wanted=12,
            goal=4,
            wants="at_most",
            cpu_us_per_event=watch.used.us_per_event(load.accepted, client_s=load.cpu_s),
            peak_mb=watch.used.peak_mb,
        )
    ]


def arrivals(*, per_s: float, seconds: float) -> list[float]:
    """Return the times of a Poisson process, in seconds from the start."""
    chance = random.Random(99)
    gaps = (chance.expovariate(per_s) for _ in range(max(1, round(per_s * seconds))))
    return list(accumulate(gaps))


def _told(load: Load) -> str:
    half, most = (1_000 * load.quantile_s(share) for share in (0.5, 0.99))
    return f"{load.per_s:,.0f} a second: half within {half:.1f} ms, 99 of 100 within {most:.1f} ms"
