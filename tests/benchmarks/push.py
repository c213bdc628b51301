"""Pushes: from a promise in the outbox to the provider's word in it, per worker process, through the local providers."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from tests.benchmarks import database
from tests.benchmarks.database import Server
from tests.benchmarks.figures import Figure
from tests.benchmarks.processes import Watch
from tests.benchmarks.push_providers import Provider, local_apns, local_fcm
from tests.crowd import make_crowd, promise_to_crowd

LOG = database.ROOT / "build" / "bench-deliver.log"
NAME = "rayon_bench_push"
CONCURRENCY = 64
MOST_PER_S = 4_000  # messages wait for a worker as fast as this
WARM_UP = 400  # messages
TICK_S = 0.05  # between promises at half of the top rate
WARM_UP_BURSTS = 20  # each of the worker's hands connects and plans its statements at its first use
SETTLE_WITHIN_S = 60.0

Connection = psycopg.Connection[Any]


def fcm(*, server: Server, seconds: float) -> list[Figure]:
    """Messages a second through the local FCM against its bare client, and how old they get at half of that rate."""
    messages = int(MOST_PER_S * seconds)
    with _ready(server=server, running=local_fcm, messages=messages) as (provider, connection):
        figure = _against_bare(
            "push_fcm", server, provider, connection, seconds=seconds, messages=int(500 * seconds)
        )
        half = figure.value / 2
        age = _age_p99(server, provider, connection, skip=messages, per_s=half, seconds=seconds)
        return [figure, age]


def apns(*, server: Server, seconds: float) -> list[Figure]:
    """Messages a second through the local APNs against its bare client."""
    with _ready(server=server, running=local_apns, messages=int(MOST_PER_S * seconds)) as (
        provider,
        connection,
    ):
        return [
            _against_bare(
                "push_apns", server, provider, connection, seconds=seconds, messages=int(500 * seconds)
            )
        ]


def _against_bare(
    name: str,
    server: Server,
    provider: Provider,
    connection: Connection,
    *,
    seconds: float,
    messages: int,
) -> Figure:
    """Measure the worker between two measurements of the bare client: what else the machine does falls on both."""
    bare_s = time.process_time()
    bound = provider.bare_per_s(messages=messages, concurrency=CONCURRENCY)
    bare_s = time.process_time() - bare_s
    with _worker(server=server, provider=provider) as process:
        _wait(connection, least=WARM_UP)
        with Watch(pids={"worker": process.pid}, connection=connection) as watch:
            rate, sent = _sent_per_s(connection, seconds=seconds)
    bound = (bound + provider.bare_per_s(messages=messages, concurrency=CONCURRENCY)) / 2
    return Figure(
        name=name,
        value=rate,
        unit="messages/s",
        bound=bound,
        bound_name=f"bare requests/s, {provider.client_name}",
        wanted=0.5,
        goal=0.85,
        cpu_us_per_event={
            **{what: 1e6 * spent / sent for what, spent in watch.used.cpu_s.items()},
            "bare client": 1e6 * bare_s / messages,
        },
        peak_mb=watch.used.peak_mb,
    )


@contextmanager
def _ready(
    *, server: Server, running: Callable[[], AbstractContextManager[Provider]], messages: int
) -> Iterator[tuple[Provider, Connection]]:
    """Yield a provider, and a connection to a database with that many messages to send there."""
    with running() as provider, crowd_database(server) as connection:
        crowd = {"count": messages, "now": datetime.now(UTC), "platform": provider.platform}
        make_crowd(connection.execute, **crowd)
        promise_to_crowd(connection.execute, **crowd)
        connection.execute("VACUUM ANALYZE")
        yield provider, connection


@contextmanager
def crowd_database(server: Server) -> Iterator[Connection]:
    """Yield a connection to a database of its own, migrated and empty, which is dropped when the block ends."""
    database.create(server, name=NAME)
    try:
        database.migrate(server, name=NAME)
        with database.connect(server, name=NAME) as connection:
            yield connection
    finally:
        database.drop(server, name=NAME)


@contextmanager
def _worker(*, server: Server, provider: Provider) -> Iterator[subprocess.Popen[bytes]]:
    """Run one worker process, `manage.py deliver`, until the block ends."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        **provider.environment,
        "DATABASE_URL": database.url(server, name=NAME),
        "DEBUG": "0",
        "DEMO": "0",
        "HTTPS": "0",
    }
    command = [sys.executable, "manage.py", "deliver", "--lane", provider.platform]
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=database.ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        if process.wait(30) != 0:
            raise RuntimeError(f"the worker ended with exit code {process.returncode}: see {LOG}")


def _sent_per_s(connection: Connection, *, seconds: float) -> tuple[float, int]:
    """Return the messages a second that are sent and written down, and how many those were."""
    start, before = time.perf_counter(), _sent(connection)
    time.sleep(seconds)
    spent, after = time.perf_counter() - start, _sent(connection)
    if _one(connection, "SELECT count(*) FROM offers_outboxmessage WHERE state = 'queued'") == 0:
        raise RuntimeError("the worker ran out of messages: raise MOST_PER_S")
    return (after - before) / spent, after - before


def _age_p99(
    server: Server, provider: Provider, connection: Connection, *, skip: int, per_s: float, seconds: float
) -> Figure:
    """Return the age that 99 % of messages promised at this rate do not reach before their provider takes them.

    They are promised as a batch of events does, several in a transaction; the bare client sends as many at the same times.
    An age counts from just before the commit. skip: the customers who have a message; their tables stay as they are, since
    an outbox that was empty when its statements were planned is read through from end to end.
    """
    connection.execute(
        "UPDATE offers_outboxmessage SET state = 'dropped', reason = 'expired', lease_until = NULL, finished_at = now()"
        " WHERE state IN ('queued', 'sending')"
    )
    each = max(int(per_s * TICK_S), 1)
    bursts = WARM_UP_BURSTS + int(per_s * seconds / each)
    crowd = {"skip": skip, "count": skip + bursts * each, "platform": provider.platform}
    make_crowd(connection.execute, now=datetime.now(UTC), **crowd)
    connection.execute("VACUUM ANALYZE")
    promised: list[datetime] = []
    before = _sent(connection)
    with _worker(server=server, provider=provider):
        start = 0.0
        for burst in range(bursts):
            time.sleep(max(0.0, start + burst * each / per_s - time.perf_counter()))
            promised.append(_promise(connection, provider, skip=skip + burst * each, count=each))
            if burst == 0:  # until then it starts
                _wait(connection, least=before + each)
                start = time.perf_counter()
        _wait(connection, least=before + bursts * each)
    taken = connection.execute(
        "SELECT (customer_id - %(skip)s - 1) / %(each)s, accepted_at FROM offers_outboxmessage"
        " WHERE customer_id > %(after)s",
        {"skip": skip, "each": each, "after": skip + WARM_UP_BURSTS * each},
    )
    ages = sorted((at - promised[burst]).total_seconds() for burst, at in taken)
    bare = sorted(
        provider.bare_latencies_s(per_s=per_s, each=each, seconds=seconds / 2, concurrency=CONCURRENCY)
    )
    return Figure(
        name="push_outbox_age_p99",
        value=1000 * ages[int(0.99 * (len(ages) - 1))],
        unit="ms",
        bound=1000 * bare[int(0.99 * (len(bare) - 1))],
        bound_name=f"p99 of bare requests at that rate, {each} at once",
        wanted=20,
        goal=5,
        wants="at_most",
    )


def _promise(connection: Connection, provider: Provider, *, skip: int, count: int) -> datetime:
    """Promise a message to each of the next customers, and wake the worker; return when that was about to be seen."""
    with connection.transaction():
        promise_to_crowd(
            connection.execute,
            skip=skip,
            count=skip + count,
            now=datetime.now(UTC),
            platform=provider.platform,
        )
        connection.execute("SELECT pg_notify('rayon_outbox', '')")
        return datetime.now(UTC)


def _wait(connection: Connection, *, least: int) -> None:
    until = time.monotonic() + SETTLE_WITHIN_S
    while _sent(connection) < least:
        if time.monotonic() > until:
            raise RuntimeError(f"the worker does not get on: see {LOG}")
        time.sleep(0.02)


def _sent(connection: Connection) -> int:
    return int(_one(connection, "SELECT count(*) FROM offers_outboxmessage WHERE state = 'sent'"))


def _one(connection: Connection, statement: str) -> Any:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None
