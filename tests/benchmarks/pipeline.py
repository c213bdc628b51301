"""The pipeline itself: batches of 200 handed to it in one process, one event of each of 200 walking phones."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from scripts.say import step
from tests.benchmarks import database, worlds
from tests.benchmarks.database import Server
from tests.benchmarks.decider import NOTHING, Decider, Turn, deciding
from tests.benchmarks.figures import Figure
from tests.benchmarks.processes import Watch
from tests.benchmarks.world import LARGE, SMALL, Size

CLIENTS = 32
PHONES = 200
STEPS = 60  # events of a walk
WARM_UP_STEPS = 3


@dataclass(kw_only=True)
class Contestant:
    """An implementation on a world, and what its turns cost so far."""

    decider: Decider
    name: str  # of its database
    size: Size
    phones: int  # in a batch
    crowds: Iterator[list[int]]  # nobody walks twice
    total: Turn = NOTHING
    postgres_cpu_s: float = 0.0
    warm_up_events: int = 0

    def warm_up(self) -> None:
        turn = self._turn(steps=WARM_UP_STEPS)
        self.warm_up_events = turn.events

    def go(self, server: Server, *, steps: int) -> None:
        with (
            database.connect(server, name=self.name) as connection,
            Watch(pids={"python": self.decider.pid}, connection=connection) as watch,
        ):
            self.total += self._turn(steps=steps)
        self.postgres_cpu_s += watch.used.cpu_s.get("postgres", 0.0)
        self.peak_mb = watch.used.peak_mb

    @property
    def events_per_s(self) -> float:
        return self.total.events / self.total.wall_s

    @property
    def cpu_us_per_event(self) -> dict[str, float]:
        return {
            "python": 1e6 * self.total.python_cpu_s / self.total.events,
            "postgres": 1e6 * self.postgres_cpu_s / self.total.events,
        }

    def check(self, server: Server) -> None:
        """Raise RuntimeError unless exactly the events that were decided are on disk."""
        stored = count_events(server, name=self.name)
        if stored != self.total.events + self.warm_up_events:
            raise RuntimeError(
                f"{stored} events on disk, {self.total.events} of {self.warm_up_events} more decided"
            )

    def _turn(self, *, steps: int) -> Turn:
        customers = [id_ for _ in range(self.decider.threads) for id_ in next(self.crowds)]
        return self.decider.turn(
            phones=self.phones, steps=steps, stores=self.size.stores, customers=customers
        )


def throughput(*, server: Server, seconds: float, size: Size = SMALL, phones: int = PHONES) -> list[Figure]:
    """Decided events per second against single-row durable INSERTs of 32 clients."""
    with contestant(server, size=size, phones=phones) as ours:
        measure(server, [ours], seconds=seconds)
    with step("pgbench") as now:
        bound = database.durable_inserts_per_s(server, clients=CLIENTS, seconds=seconds)
        now.done = f"{bound:,.0f} durable INSERTs a second"
    return [
        Figure(
            name="pipeline",
            value=ours.events_per_s,
            unit="events/s",
            bound=bound,
            bound_name=f"pgbench durable INSERT/s, {CLIENTS} clients",
            wanted=0.25,
            goal=1.0,
            cpu_us_per_event=ours.cpu_us_per_event,
            peak_mb=ours.peak_mb,
        )
    ]


def growth(*, server: Server, seconds: float, small: Size = SMALL, large: Size = LARGE) -> list[Figure]:
    """The time an event takes in the large world against the small one, measured in turns."""
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(contestant(server, size=size)) for size in (large, small))
        measure(server, [ours, theirs], seconds=seconds)
    return [
        Figure(
            name="cost_growth",
            value=1e6 / ours.events_per_s,
            unit="µs/event",
            bound=1e6 / theirs.events_per_s,
            bound_name=f"the same in the {small.name} world",
            wanted=1.3,
            goal=1.1,
            wants="at_most",
            cpu_us_per_event=ours.cpu_us_per_event,
            peak_mb=ours.peak_mb,
        )
    ]


def measure(server: Server, contestants: list[Contestant], *, seconds: float, steps: int = STEPS) -> None:
    """Let the contestants decide in turns until each has spent `seconds`, and check what is on disk."""
    for each in contestants:
        each.warm_up()
    with step("measuring") as now:
        while late := [each for each in contestants if each.total.wall_s < seconds]:
            for each in late:
                each.go(server, steps=steps)
        now.done = ", ".join(f"{each.events_per_s:,.0f} events/s" for each in contestants)
    for each in contestants:
        each.check(server)


@contextmanager
def contestant(
    server: Server,
    *,
    size: Size,
    name: str = "",
    implementation: str = "pipeline",
    phones: int = PHONES,
) -> Iterator[Contestant]:
    """Yield an implementation at work in a world of this size; name: of its database, if it is not the kept one."""
    name = name or worlds.ready(server, size=size)
    with deciding(implementation=implementation, url=database.url(server, name=name)) as decider:
        yield Contestant(
            decider=decider, name=name, size=size, phones=phones, crowds=_crowds(size, phones=phones)
        )


def count_events(server: Server, *, name: str) -> int:
    with database.connect(server, name=name) as connection:
        row = connection.execute("SELECT count(*) FROM offers_locationevent").fetchone()
    return int(row[0]) if row else 0


def _crowds(size: Size, *, phones: int) -> Iterator[list[int]]:
    order = random.Random(3).sample(range(1, size.customers + 1), k=size.customers)
    for first in range(0, len(order) - phones + 1, phones):
        yield order[first : first + phones]
    raise RuntimeError("there are too few customers for a measurement of that length")
