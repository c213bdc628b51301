"""Events over REST: from the phone's request to an answer that says they are on disk and decided."""

import json
import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from tests.benchmarks import database
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Load, Request, post
from tests.benchmarks.server import serving
from tests.benchmarks.walks import walk
from tests.benchmarks.world import SMALL, build, token_of

CONNECTIONS = 32
EVENTS_A_BATCH = 100
WARM_UP_S = 3.0


def batch(*, server: dict[str, Any], seconds: int) -> list[Figure]:
    """Decided events per second, batches of 100, against single-row durable INSERTs at the same concurrency."""
    url = database.make(server=server)
    with psycopg.connect(**database.address(server, name=database.NAME), autocommit=True) as connection:
        build(connection, size=SMALL)
    with serving(url=url, workers=os.cpu_count() or 1) as port:
        everybody = range(1, SMALL.customers + 1)
        _send(port=port, seconds=WARM_UP_S, customers=everybody[::2])
        before = _decided(server)
        load = _send(port=port, seconds=seconds, customers=everybody[1::2])
        decided = _decided(server) - before
    if load.refused or decided != load.requests * EVENTS_A_BATCH:
        raise RuntimeError(
            f"{load.refused} requests refused; {decided} events on disk of {load.requests} requests"
        )
    bound = database.durable_inserts_per_s(server=server, clients=CONNECTIONS, seconds=seconds)
    return [
        Figure.against(
            "events_rest_batch",
            decided / load.seconds,
            "events/s",
            bound=bound,
            bound_name="pgbench durable INSERT/s, 32 clients",
            wanted=0.2,
            goal=0.8,
        )
    ]


def _send(*, port: int, seconds: float, customers: Sequence[int]) -> Load:
    """Send one walk of each customer; nobody walks twice, since nobody can be in two stores within seconds."""
    chance = random.Random(customers[0])
    waiting = iter(chance.sample(customers, k=len(customers)))

    def request() -> Request:
        customer = next(waiting)
        events = walk(chance=chance, stores=SMALL.stores, events=EVENTS_A_BATCH, until=datetime.now(UTC))
        return token_of(customer), json.dumps({"events": events}).encode()

    return post(
        host="127.0.0.1",
        port=port,
        path="/v1/events",
        connections=CONNECTIONS,
        seconds=seconds,
        request=request,
    )


def _decided(server: dict[str, Any]) -> int:
    """Return how many events stand acted upon in the database."""
    with psycopg.connect(**database.address(server, name=database.NAME)) as connection:
        row = connection.execute("SELECT count(*) FROM offers_locationevent WHERE verdict = ''").fetchone()
    return int(row[0]) if row else 0
