"""A process that decides batches of events, in turns, and tells what each turn cost.

    python -m tests.benchmarks.decider pipeline|obvious

It reads one JSON object a line and answers with one: {"phones", "steps", "stores", "customers"} with a Turn, a Moment with
the status of each of its events. A process of its own, so that two worlds or two implementations can be measured
in turns: what else the machine does then weighs on both.
"""

import gc
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.benchmarks.walks import walk

ROOT = Path(__file__).resolve().parents[2]
Batch = list[Any]  # of offers.flow.Event: one event of each phone
ACCEPTED = ("accepted", None)
DEADLINES_AT_ONCE = 500
Status = tuple[str, str | None]  # of an event: its status and its error


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What some batches cost."""

    events: int
    wall_s: float
    python_cpu_s: float

    def __add__(self, other: "Turn") -> "Turn":
        return Turn(
            events=self.events + other.events,
            wall_s=self.wall_s + other.wall_s,
            python_cpu_s=self.python_cpu_s + other.python_cpu_s,
        )


NOTHING = Turn(events=0, wall_s=0.0, python_cpu_s=0.0)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What comes in at one instant; without events, the deadlines that have passed are acted on."""

    now: str  # RFC 3339
    events: Sequence[tuple[int, dict[str, Any]]]  # (customer id, API body), each customer once


class Implementation:
    """What decides."""

    threads: int  # batches at work at once

    def decide(self, batch: Batch, *, now: datetime) -> list[Status]:
        raise NotImplementedError

    def fire_deadlines(self, *, now: datetime) -> None:
        raise NotImplementedError

    def live_through(self, moment: Moment) -> list[Status]:
        """Return the status of each of the moment's events; without events, act on the deadlines."""
        from offers.api.events.parsing import parse_event

        now = datetime.fromisoformat(moment.now)
        if not moment.events:
            self.fire_deadlines(now=now)
            return []
        return self.decide(
            [parse_event(raw, customer_id=customer, device_id="phone") for customer, raw in moment.events],
            now=now,
        )


class Decider:
    """The other end: one such process, spoken to from the benchmark."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.pid = process.pid
        self.threads = int(self._read()["threads"])

    def turn(self, *, phones: int, steps: int, stores: int, customers: Sequence[int]) -> Turn:
        """Let `customers` walk, `phones` at a time in a batch, in stores numbered below `stores`."""
        asked = {"phones": phones, "steps": steps, "stores": stores, "customers": list(customers)}
        return Turn(**self._ask(asked))

    def live_through(self, moment: Moment) -> list[Status]:
        """Return the status of each event of the moment, in the same order."""
        return [(status, error) for status, error in self._ask(asdict(moment))["statuses"]]

    def _ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the deciding process ended with exit code {self._process.wait()}")
        return dict(json.loads(line))


@contextmanager
def deciding(*, implementation: str, url: str) -> Iterator[Decider]:
    """Yield a process on the database at `url`; implementation: pipeline or obvious."""
    # Closed at the end, its input tells the process to stop.
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.decider", implementation],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Decider(process)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    implementation = implementation_named(sys.argv[1])
    print(json.dumps({"threads": implementation.threads}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if "now" in asked:
            answer: dict[str, Any] = {"statuses": implementation.live_through(Moment(**asked))}
        else:
            answer = asdict(_turn(asked, implementation))
        print(json.dumps(answer), flush=True)


class _Pipeline(Implementation):
    def __init__(self) -> None:
        from django.conf import settings

        from offers.api.events.door import DECIDERS

        self.threads, self._params = DECIDERS, settings.RAYON

    def decide(self, batch: Batch, *, now: datetime) -> list[Status]:
        from offers import pipeline

        results = pipeline.run(batch, now=now, params=self._params)
        return [(result.status, result.error) for result in results]

    def fire_deadlines(self, *, now: datetime) -> None:
        from offers import pipeline

        while (
            pipeline.run_deadlines(now=now, limit=DEADLINES_AT_ONCE, params=self._params) == DEADLINES_AT_ONCE
        ):
            pass


class _Obvious(Implementation):
    threads = 1

    def __init__(self) -> None:
        from django.conf import settings

        self._params = settings.RAYON

    def decide(self, batch: Batch, *, now: datetime) -> list[Status]:
        from tests.benchmarks.obvious import service

        results = [service.decide(event, now=now, params=self._params) for event in batch]
        return [(result.status, result.error) for result in results]

    def fire_deadlines(self, *, now: datetime) -> None:
        from tests.benchmarks.obvious import service

        service.fire_deadlines(now=now, params=self._params)


def implementation_named(name: str) -> Implementation:
    """Return pipeline or obvious; Django must be set up."""
    return {"pipeline": _Pipeline, "obvious": _Obvious}[name]()


def _turn(asked: Mapping[str, Any], implementation: Implementation) -> Turn:
    """Let each thread decide the batches of its share of the customers; made before the clock starts."""
    customers, phones, threads = asked["customers"], asked["phones"], implementation.threads
    crowds = [customers[first : first + phones] for first in range(0, len(customers), phones)]
    batches = [list(_batches(crowd, steps=asked["steps"], stores=asked["stores"])) for crowd in crowds]
    gc.collect()
    gc.freeze()  # what waits to be decided must not be looked through at each collection
    start, spent = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        shares = [
            [batch for crowd in batches[thread::threads] for batch in crowd] for thread in range(threads)
        ]
        events = sum(pool.map(lambda share: _decide_all(share, implementation), shares))
    turn = Turn(events=events, wall_s=time.perf_counter() - start, python_cpu_s=time.process_time() - spent)
    gc.unfreeze()
    return turn


def _decide_all(batches: Iterable[Batch], implementation: Implementation) -> int:
    from django.db import connection

    events = 0
    for batch in batches:
        statuses = implementation.decide(batch, now=batch[0].occurred_at)
        events += len(statuses)
        if any(status != ACCEPTED for status in statuses):
            raise RuntimeError("an event of the walk was not accepted")
    connection.close()  # back to the pool: this thread ends
    return events


def _batches(phones: Sequence[int], *, steps: int, stores: int) -> Iterator[Batch]:
    """Yield the n-th event of each phone's walk, one batch an n."""
    from offers.api.events.parsing import parse_event

    chance = random.Random(phones[0])
    until = datetime.now(UTC) + timedelta(seconds=steps)
    walks = [
        [
            parse_event(raw, customer_id=phone, device_id="phone")
            for raw in walk(chance=chance, stores=stores, events=steps, until=until)
        ]
        for phone in phones
    ]
    for step in range(steps):
        yield [events[step] for events in walks]


if __name__ == "__main__":
    main()
