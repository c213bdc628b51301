"""What a lane keeps of its rate while another lane's provider hangs, in one worker process."""

import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg

from tests.benchmarks import database
from tests.benchmarks.database import Server
from tests.benchmarks.figures import Figure
from tests.benchmarks.push import NAME, SETTLE_WITHIN_S, crowd_database
from tests.benchmarks.push_providers import Provider, fcm_gateway, local_fcm
from tests.crowd import make_crowd, promise_to_crowd

CONCURRENCY = 16
MOST_PER_S = 2_500
WARM_UP = 100  # messages
TIMEOUT_S = 8.0
ROUNDS = (False, True, True, False, False, True, True, False)  # with the hanging one beside it?

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rate:
    per_s: float  # messages
    cpu_us: float  # of this process, for each


def rate_beside_a_hanging_provider(*, server: Server, seconds: float) -> list[Figure]:
    """Messages a second of one lane beside a lane that hangs, against the same lane beside one with nothing to do."""
    os.environ["DATABASE_URL"] = database.url(server, name=NAME)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    logging.disable(logging.INFO)
    count, now = int(MOST_PER_S * seconds * len(ROUNDS) / 2), datetime.now(UTC)
    alone: list[_Rate] = []
    beside: list[_Rate] = []
    with local_fcm() as well, local_fcm() as hanging, crowd_database(server) as connection:
        hanging.hang()
        make_crowd(connection.execute, count=count, now=now)
        promise_to_crowd(connection.execute, count=count, now=now)
        phones = {"skip": count, "count": count + 1_000, "now": now, "platform": "apns"}
        make_crowd(connection.execute, **phones)
        connection.execute("VACUUM ANALYZE")
        # There and back, so that what drifts in the run (the tables grow, others use the machine) falls on both.
        for is_beside in ROUNDS:
            if is_beside:
                promise_to_crowd(connection.execute, **phones)
            rate = _rate(connection, well=well, hanging=hanging, seconds=seconds / 2)
            (beside if is_beside else alone).append(rate)
            if is_beside:
                _forget(connection, after=count)
    return [
        Figure(
            name="lane_isolation",
            value=_mean([one.per_s for one in beside]),
            unit="messages/s",
            bound=_mean([one.per_s for one in alone]),
            bound_name="the same lane while no other has anything to do",
            wanted=0.95,
            goal=1.0,
            cpu_us_per_event={
                "beside": _mean([one.cpu_us for one in beside]),
                "alone": _mean([one.cpu_us for one in alone]),
            },
        )
    ]


def _forget(connection: Connection, *, after: int) -> None:
    """Take back the promises to customers after this one, and what the lanes know."""
    for table in ("receipt", "outboxmessage", "couponcode", "exposure", "decision", "coupon"):
        connection.execute(f"DELETE FROM offers_{table} WHERE customer_id > {after}")
    connection.execute("DELETE FROM offers_lane")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _rate(connection: Connection, *, well: Provider, hanging: Provider, seconds: float) -> _Rate:
    with _working(well=well, hanging=hanging):
        before = _sent(connection)
        until = time.monotonic() + SETTLE_WITHIN_S
        while _sent(connection) < before + WARM_UP:
            if time.monotonic() > until:
                raise RuntimeError("the lane does not get on, or ran out of messages: raise MOST_PER_S")
            time.sleep(0.02)
        start, cpu_s, before = time.perf_counter(), time.process_time(), _sent(connection)
        time.sleep(seconds)
        sent, spent = _sent(connection) - before, time.perf_counter() - start
        return _Rate(per_s=sent / spent, cpu_us=1e6 * (time.process_time() - cpu_s) / max(sent, 1))


@contextmanager
def _working(*, well: Provider, hanging: Provider) -> Iterator[None]:
    """Run both lanes as `manage.py deliver` does; the second speaks to its provider as the first one does."""
    from django.conf import settings
    from django.utils import timezone

    from offers.gateways import registry
    from offers.gateways.settings import ProviderSettings
    from offers.hands import Hands
    from offers.lane_worker import LaneWorker
    from offers.operations.sending import OUTBOX_CHANNEL
    from offers.rules.lanes import LaneSettings
    from offers.stages.deliver import Lanes
    from offers.wakeups import Stop
    from offers.watch import Watch
    from offers.worker import Loop

    sides = {"fcm": well, "apns": hanging}
    gateways: Any = registry.GATEWAYS
    for name, side in sides.items():
        gateways[name] = lambda _, told=side.told: fcm_gateway(
            told, concurrency=CONCURRENCY, timeout_s=TIMEOUT_S
        )
    hands = Hands(threads=3)
    workers = [
        LaneWorker(
            name=name,
            settings=LaneSettings(concurrency=CONCURRENCY),
            lanes=Lanes(providers=ProviderSettings()),
            hands=hands,
            clock=timezone.now,
            batch=200,
            params=settings.RAYON,
        )
        for name in sides
    ]
    watch = Watch(workers=workers, clock=timezone.now)
    looking = Loop(
        name="lanes",
        channels=(OUTBOX_CHANNEL,),
        work=watch.look,
        next_due=watch.next_at,
        clock=timezone.now,
    )
    with Stop() as stop:
        runs = (looking.run, *(worker.run for worker in workers))
        threads = [threading.Thread(target=partial(run, stop=stop)) for run in runs]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.tell()
            for thread in threads:
                thread.join()
            hands.close()


def _sent(connection: Connection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM offers_outboxmessage WHERE state = 'sent' AND lane = 'fcm'"
    ).fetchone()
    return int(row[0]) if row else 0
