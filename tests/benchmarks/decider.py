"""A process that decides batches of events, in turns, and tells what each turn cost.

    python -m tests.benchmarks.decider pipeline|obvious

It reads one JSON object a line, {"phones", "steps", "stores", "customers"}, and answers with one, a Turn. A process of
its own, so that two worlds or two implementations can be measured in turns: what else the machine does then
weighs on both.
"""

import gc
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.benchmarks.walks import walk

ROOT = Path(__file__).resolve().parents[2]
Batch = list[Any]  # of offers.flow.Event: one event of each phone
Decide = Callable[[Batch], Sequence[Any]]  # returns an EventResult for each event


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


class Decider:
    """The other end: one such process, spoken to from the benchmark."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.pid = process.pid
        self.threads = int(self._read()["threads"])

    def turn(self, *, phones: int, steps: int, stores: int, customers: Sequence[int]) -> Turn:
        """Let `customers` walk, `phones` at a time in a batch, in stores numbered below `stores`."""
        asked = {"phones": phones, "steps": steps, "stores": stores, "customers": list(customers)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Turn(**self._read())

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the deciding process ended with exit code {self._process.wait()}")
        return dict(json.loads(line))


@contextmanager
def deciding(*, implementation: str, url: str) -> Iterator[Decider]:
    """Yield a process on the database at `url`; implementation: pipeline or obvious."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.decider", implementation],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Decider(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    decide, threads = _implementation(sys.argv[1])
    print(json.dumps({"threads": threads}), flush=True)
    for line in sys.stdin:
        print(json.dumps(asdict(_turn(json.loads(line), decide=decide, threads=threads))), flush=True)


def _implementation(name: str) -> tuple[Decide, int]:
    """Return what decides a batch, and how many batches are at work at once."""
    from django.conf import settings

    if name == "pipeline":
        from offers import pipeline
        from offers.api.events.door import DECIDERS

        return (lambda batch: pipeline.run(batch, now=batch[0].occurred_at, params=settings.RAYON)), DECIDERS
    raise SystemExit(f"no implementation is called {name}")


def _turn(asked: Mapping[str, Any], *, decide: Decide, threads: int) -> Turn:
    """Let each thread decide the batches of its share of the customers; made before the clock starts."""
    customers, phones = asked["customers"], asked["phones"]
    crowds = [customers[first : first + phones] for first in range(0, len(customers), phones)]
    batches = [list(_batches(crowd, steps=asked["steps"], stores=asked["stores"])) for crowd in crowds]
    gc.collect()
    gc.freeze()  # what waits to be decided must not be looked through at each collection
    start, spent = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        shares = [
            [batch for crowd in batches[thread::threads] for batch in crowd] for thread in range(threads)
        ]
        events = sum(pool.map(lambda share: _decide_all(share, decide=decide), shares))
    turn = Turn(events=events, wall_s=time.perf_counter() - start, python_cpu_s=time.process_time() - spent)
    gc.unfreeze()
    return turn


def _decide_all(batches: Iterable[Batch], *, decide: Decide) -> int:
    from django.db import connection

    events = 0
    for batch in batches:
        results = decide(batch)
        events += len(results)
        if any(result.status != "accepted" for result in results):
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
