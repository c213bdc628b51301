"""Every benchmark for a blink in the smallest world: whole and real, but with nothing said of the times."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from config.env import read_environment
from tests.benchmarks import (
    database,
    events_rest,
    events_socket,
    latency,
    pipeline,
    sample,
    vs_obvious,
    worlds,
)
from tests.benchmarks.database import Server
from tests.benchmarks.figures import Figure
from tests.benchmarks.world import TINY

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

BLINK_S = 0.3
OTHER = replace(TINY, name="tinier", customers=600)


@pytest.fixture
def server() -> Iterator[Server]:
    """Yield the server that tests use; afterwards nothing of the benchmarks is left on it."""
    server = read_environment(source=os.environ).database
    yield server
    for size in (TINY, OTHER):
        database.drop(server, name=worlds.name_of(size))
    for name in (f"{worlds.name_of(TINY)}_copy", database.SCRATCH):
        assert not database.exists(server, name=name)


def shown(figures: list[Figure]) -> tuple[str, str, bool]:
    (figure,) = figures
    return figure.name, figure.unit, figure.value > 0 and figure.bound > 0


def test_each_benchmark_measures_and_checks_its_counts(server: Server) -> None:
    """Each raises unless exactly what was sent is on disk, and the sample unless both decide alike."""
    again = {"server": server, "seconds": BLINK_S}
    assert shown(sample.check(**again, size=TINY, visitors=3)) == ("sample_check", "decisions", True)
    assert shown(pipeline.throughput(**again, size=TINY, phones=20)) == ("pipeline", "events/s", True)
    grown = pipeline.growth(**again, small=OTHER, large=TINY)
    assert shown(grown) == ("cost_growth", "µs/event", True)
    compared = vs_obvious.rates(**again, size=TINY, phones=20, steps=8)
    assert shown(compared) == ("vs_obvious", "events/s", True)
    assert shown(events_rest.batch(**again, size=TINY)) == ("events_rest_batch", "events/s", True)
    assert shown(events_rest.single(**again, size=TINY)) == ("events_rest_single", "events/s", True)
    assert shown(events_socket.frames(**again, size=TINY)) == ("events_socket", "events/s", True)
    assert shown(latency.p99_half_load(**again, size=TINY)) == ("p99_half_load", "ms", True)


def test_a_kept_world_is_swept_and_a_changed_one_built_anew(server: Server) -> None:
    name = worlds.ready(server, size=TINY)
    with database.connect(server, name=name) as connection:
        connection.execute("INSERT INTO offers_presence (customer_id, state) VALUES (1, '{}')")
        connection.execute("UPDATE offers_capacity SET claimed = 2 WHERE offer_id = 1")
        connection.execute("UPDATE customers_customer SET name = 'kept' WHERE id = 1")
    assert worlds.ready(server, size=TINY) == name
    assert state_of(server, name=name) == (0, 0, "kept")
    with database.connect(server, name=name) as connection:
        connection.execute("UPDATE bench_world SET fingerprint = 'of other tables'")
    assert worlds.ready(server, size=TINY) == name
    assert state_of(server, name=name) == (0, 0, "")


def state_of(server: Server, *, name: str) -> tuple[int, int, str]:
    """Return the presences, the units taken, and the first customer's name."""
    with database.connect(server, name=name) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM offers_presence), (SELECT sum(claimed)::int FROM offers_capacity),"
            " (SELECT name FROM customers_customer WHERE id = 1)"
        ).fetchone()
    assert row is not None
    return row
