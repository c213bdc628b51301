"""The pipeline itself: batches of 200 handed to it in one process, one event of each of 200 walking phones."""

import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from tests.benchmarks import database
from tests.benchmarks.figures import Figure
from tests.benchmarks.walks import walk
from tests.benchmarks.world import SMALL, Size, build

CLIENTS = 32
PHONES = 200
STEPS = 60  # events of a walk
WARM_UP_STEPS = 3


def throughput(*, server: dict[str, Any], seconds: int) -> list[Figure]:
    """Decided events per second, against single-row durable INSERTs."""
    prepare(server=server, size=SMALL)
    rate = decided_per_s(size=SMALL, seconds=seconds)
    bound = database.durable_inserts_per_s(server=server, clients=CLIENTS, seconds=seconds)
    return [
        Figure.against(
            "pipeline",
            rate,
            "events/s",
            bound=bound,
            bound_name=f"pgbench durable INSERT/s, {CLIENTS} clients",
            wanted=0.25,
            goal=1.0,
        )
    ]


def prepare(*, server: dict[str, Any], size: Size) -> None:
    """Make the world of this size, and let this process's Django speak to it."""
    url = database.make(server=server)
    with psycopg.connect(**database.address(server, name=database.NAME), autocommit=True) as connection:
        build(connection, size=size)
    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()


def decided_per_s(*, size: Size, seconds: float) -> float:
    """Return the events a second that `pipeline.run` decides, each batch committed."""
    from django.conf import settings

    from offers import pipeline

    chance = random.Random(3)
    customers = chance.sample(range(1, size.customers + 1), k=size.customers)
    spent, decided = 0.0, 0
    for crowd in range(len(customers) // PHONES):
        phones = customers[crowd * PHONES : (crowd + 1) * PHONES]
        for step, batch in enumerate(_batches(chance=chance, phones=phones, size=size)):
            start = time.perf_counter()
            results = pipeline.run(batch, now=batch[0].occurred_at, params=settings.RAYON)
            if crowd or step >= WARM_UP_STEPS:
                spent += time.perf_counter() - start
                decided += len(results)
            if any(result.status != "accepted" for result in results):
                raise RuntimeError("an event of the walk was not accepted")
            if spent >= seconds:
                return decided / spent
    raise RuntimeError("there are too few customers for a measurement of that length")


def _batches(*, chance: random.Random, phones: list[int], size: Size) -> Iterator[list[Any]]:
    """Yield the n-th event of each phone's walk, one batch an n."""
    from offers.events import parse_event

    until = datetime.now(UTC) + timedelta(seconds=STEPS)
    walks = [
        [
            parse_event(raw, customer_id=phone, device_id="phone")
            for raw in walk(chance=chance, stores=size.stores, events=STEPS, until=until)
        ]
        for phone in phones
    ]
    for step in range(STEPS):
        yield [events[step] for events in walks]
