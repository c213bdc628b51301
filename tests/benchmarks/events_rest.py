"""Events over REST: from the phone's request to an answer that says they are on disk and decided."""

import random
from collections.abc import Iterator

from tests.benchmarks import database, worlds
from tests.benchmarks.database import Server
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Load, closed
from tests.benchmarks.phones import Crowd, Repeater, Walker, batch_of, singles_of
from tests.benchmarks.pipeline import CLIENTS, count_events
from tests.benchmarks.processes import Used, Watch
from tests.benchmarks.progress import doing
from tests.benchmarks.server import BARE, OURS, Serving, dialled, serving
from tests.benchmarks.wire import Http
from tests.benchmarks.world import SMALL, Size

CONNECTIONS = 32
EVENTS_A_BATCH = 100
WALK_EVENTS = 60  # of a phone that sends them one by one
AT_ONCE = 128  # such phones under way; those that set out first begin anywhere on their walk
WARM_UP_S = 3.0
MAX_EVENTS_PER_S = 12_000  # for which phones are made ready; more would be told


def batch(*, server: Server, seconds: float, size: Size = SMALL) -> list[Figure]:
    """Decided events per second, batches of 100, against single-row durable INSERTs at the same concurrency."""
    name = worlds.ready(server, size=size)
    per_s = MAX_EVENTS_PER_S / EVENTS_A_BATCH * 2
    warm, measured = (CONNECTIONS + round(per_s * period) for period in (warm_up_s(seconds), seconds))
    customers = shuffled(size)
    walkers = [
        Walker(batch_of(next(customers), stores=size.stores, events=EVENTS_A_BATCH))
        for _ in range(min(warm + measured, size.customers))
    ]
    crowds = [Crowd(share, at_once=len(share)) for share in (walkers[:warm], walkers[warm:])]
    with serving(application=OURS, server=server, name=name) as ours:
        closed_in(ours, crowds[0], seconds=warm_up_s(seconds))
        before = count_events(server, name=name)
        load, used = watched(server, ours, crowds[1], name=name, seconds=seconds)
        check(server, load, name=name, before=before, events_an_answer=EVENTS_A_BATCH)
    with doing("pgbench") as now:
        bound = database.durable_inserts_per_s(server, clients=CLIENTS, seconds=seconds)
        now.done = f"{bound:,.0f} durable INSERTs a second"
    return [
        Figure(
            name="events_rest_batch",
            value=load.accepted / load.seconds,
            unit="events/s",
            bound=bound,
            bound_name=f"pgbench durable INSERT/s, {CLIENTS} clients",
            wanted=0.2,
            goal=0.8,
            cpu_us_per_event=used.us_per_event(load.accepted, client_s=load.cpu_s),
            peak_mb=used.peak_mb,
        )
    ]


def single(*, server: Server, seconds: float, size: Size = SMALL, at_once: int = AT_ONCE) -> list[Figure]:
    """One event a request, against requests to a consumer that does nothing."""
    name = worlds.ready(server, size=size)
    crowd = walking_crowd(size, at_once=at_once, seconds=warm_up_s(seconds) + seconds)
    with serving(application=OURS, server=server, name=name) as ours:
        closed_in(ours, crowd, seconds=warm_up_s(seconds))
        before = count_events(server, name=name)
        load, used = watched(server, ours, crowd, name=name, seconds=seconds)
        check(server, load, name=name, before=before, events_an_answer=1)
    bound = empty_requests_per_s(server, name=name, seconds=seconds, size=size, at_once=at_once)
    return [
        Figure(
            name="events_rest_single",
            value=load.per_s,
            unit="events/s",
            bound=bound,
            bound_name=f"requests/s of an empty consumer, {CONNECTIONS} connections",
            wanted=0.3,
            goal=0.7,
            cpu_us_per_event=used.us_per_event(load.accepted, client_s=load.cpu_s),
            peak_mb=used.peak_mb,
        )
    ]


def empty_requests_per_s(server: Server, *, name: str, seconds: float, size: Size, at_once: int) -> float:
    """Return the rate of the same requests to the bare server's consumer."""
    crowd = repeating_crowd(size, at_once=at_once)
    with serving(application=BARE, server=server, name=name) as bare:
        closed_in(bare, crowd, seconds=warm_up_s(seconds))
        with doing("bound") as now:
            found = closed_in(bare, crowd, seconds=seconds).per_s
            now.done = f"{found:,.0f} requests a second"
    return found


def warm_up_s(seconds: float) -> float:
    """Return how long a server works before it is measured for `seconds`."""
    return min(WARM_UP_S, seconds)


def watched(server: Server, ours: Serving, crowd: Crowd, *, name: str, seconds: float) -> tuple[Load, Used]:
    """Return what came of a load, and what the server's processes and this one used for it."""
    with (
        doing("measuring") as now,
        database.connect(server, name=name) as connection,
        dialled(ours, lambda _: Http(ours.port), lines=CONNECTIONS) as lines,
    ):
        with Watch(pids=ours.pids, connection=connection) as watch:
            load = closed(lines, crowd, seconds=seconds)
        now.done = f"{load.accepted / load.seconds:,.0f} events/s"
    return load, watch.used


def closed_in(serving: Serving, crowd: Crowd, *, seconds: float) -> Load:
    with dialled(serving, lambda _: Http(serving.port), lines=CONNECTIONS) as lines:
        return closed(lines, crowd, seconds=seconds)


def walking_crowd(size: Size, *, at_once: int, seconds: float) -> Crowd:
    """Return phones enough for that long, of which those that walk at first are anywhere on their way."""
    chance = random.Random(size.customers)
    total = at_once + round(MAX_EVENTS_PER_S * seconds / WALK_EVENTS)
    customers = shuffled(size)
    return Crowd(
        [
            Walker(
                singles_of(
                    next(customers),
                    stores=size.stores,
                    events=WALK_EVENTS,
                    first=chance.randrange(WALK_EVENTS) if number < at_once else 0,
                )
            )
            for number in range(min(total, size.customers))
        ],
        at_once=at_once,
    )


def repeating_crowd(size: Size, *, at_once: int) -> Crowd:
    """Return the same phones for the bare server; they never come to an end."""
    customers = shuffled(size)
    phones = [
        Repeater(singles_of(next(customers), stores=size.stores, events=WALK_EVENTS)) for _ in range(at_once)
    ]
    return Crowd(phones, at_once=at_once)


def shuffled(size: Size) -> Iterator[int]:
    """Yield the customers' ids in an order that is the same every time; nobody walks twice."""
    yield from random.Random(5).sample(range(1, size.customers + 1), k=size.customers)


def check(server: Server, load: Load, *, name: str, before: int, events_an_answer: int) -> None:
    """Raise RuntimeError unless every event was accepted and exactly these are on disk."""
    stored = count_events(server, name=name) - before
    if not load.accepted == stored == load.answers * events_an_answer:
        raise RuntimeError(
            f"{load.answers} answers of {events_an_answer} events: {load.accepted} accepted, {stored} on disk"
        )
