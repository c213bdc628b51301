"""The coalescer joins what waits, waits for nobody when idle, and keeps every answer with its question."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import OperationalError

from offers.api.events.coalescer import Coalescer, TooBusy
from offers.api.events.isolation import run_requests
from offers.flow import Event, EventResult


def event(number: int) -> Event:
    return Event(
        customer_id=1,
        device_id="phone",
        event_id=str(UUID(int=number)),
        type="fix",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        digest=b"",
    )


def accepted(events: Sequence[Event]) -> list[EventResult]:
    return [EventResult(event_id=each.event_id, status="accepted") for each in events]


class Recorder:
    """Runs batches, remembers their shapes, and can be held in the middle of one."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, requests: Sequence[Sequence[Event]]) -> list:
        self.batches.append([len(request) for request in requests])
        self.gate.wait(5)
        return [accepted(request) for request in requests]


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool


def make(run: object, executor: ThreadPoolExecutor, **fields: object) -> Coalescer:
    limits = {"max_batch_events": 10, "max_waiting_events": 50, "window_s": 0.005} | fields
    return Coalescer(run_requests=run, executor=executor, **limits)


async def until_held(run: Recorder) -> None:
    while not run.batches:
        await asyncio.sleep(0.001)


async def test_what_arrives_while_a_batch_is_under_way_forms_the_next(executor):
    run = Recorder()
    coalescer = make(run, executor)
    run.gate.clear()
    first = asyncio.create_task(coalescer.submit([event(1)]))
    await until_held(run)
    others = [asyncio.create_task(coalescer.submit([event(n), event(n + 100)])) for n in (2, 3, 4)]
    await asyncio.sleep(0)
    run.gate.set()
    results = await asyncio.gather(first, *others)
    assert run.batches == [[1], [2, 2, 2]]
    assert [[UUID(each.event_id).int for each in result] for result in results] == [
        [1],
        [2, 102],
        [3, 103],
        [4, 104],
    ]


async def test_requests_that_are_ready_together_share_a_batch(executor):
    run = Recorder()
    coalescer = make(run, executor)
    await asyncio.gather(*(coalescer.submit([event(n)]) for n in range(5)))
    assert run.batches == [[1, 1, 1, 1, 1]]


async def test_a_batch_takes_no_more_events_than_its_limit_but_any_single_request(executor):
    run = Recorder()
    coalescer = make(run, executor)
    await asyncio.gather(
        coalescer.submit([event(n) for n in range(6)]),
        coalescer.submit([event(n) for n in range(6)]),
        coalescer.submit([event(n) for n in range(25)]),
    )
    assert run.batches == [[6], [6], [25]]


async def test_an_idle_coalescer_waits_for_nobody(executor):
    coalescer = make(Recorder(), executor, window_s=5.0)
    started = time.monotonic()
    for n in range(3):
        await coalescer.submit([event(n)])
    assert time.monotonic() - started < 1.0


async def test_after_a_joint_batch_the_next_lingers_no_longer_than_the_window(executor):
    run = Recorder()
    coalescer = make(run, executor, window_s=0.5)
    await asyncio.gather(coalescer.submit([event(1)]), coalescer.submit([event(2)]))
    alone = asyncio.create_task(coalescer.submit([event(3)]))
    await asyncio.sleep(0)
    assert run.batches == [[1, 1]]
    await alone
    await asyncio.gather(coalescer.submit([event(4)]), coalescer.submit([event(5)]))
    assert run.batches == [[1, 1], [1], [1, 1]]


async def test_a_full_queue_turns_phones_away_and_recovers(executor):
    run = Recorder()
    coalescer = make(run, executor, max_waiting_events=3)
    run.gate.clear()
    first = asyncio.create_task(coalescer.submit([event(1)]))
    await until_held(run)
    second = asyncio.create_task(coalescer.submit([event(2), event(3), event(4)]))
    await asyncio.sleep(0)
    with pytest.raises(TooBusy):
        await coalescer.submit([event(5)])
    run.gate.set()
    await asyncio.gather(first, second)
    assert [each.status for each in await coalescer.submit([event(6)])] == ["accepted"]


async def test_a_phone_that_hangs_up_takes_nobody_along(executor):
    run = Recorder()
    coalescer = make(run, executor)
    run.gate.clear()
    first = asyncio.create_task(coalescer.submit([event(1)]))
    await until_held(run)
    gone, stays = (asyncio.create_task(coalescer.submit([event(n)])) for n in (2, 3))
    await asyncio.sleep(0)
    gone.cancel()
    run.gate.set()
    await first
    assert [each.status for each in await stays] == ["accepted"]
    assert run.batches == [[1], [1]]


async def test_what_the_runner_raises_reaches_everybody_and_the_next_batch_runs(executor):
    def run(requests):
        if len(requests) > 1:
            raise RuntimeError("broken")
        return [accepted(request) for request in requests]

    coalescer = make(run, executor, window_s=0)
    failed = await asyncio.gather(*(coalescer.submit([event(n)]) for n in (1, 2)), return_exceptions=True)
    assert [type(each) for each in failed] == [RuntimeError, RuntimeError]
    assert [each.status for each in await coalescer.submit([event(3)])] == ["accepted"]


POISON = str(UUID(int=7))


def poisoned(events: Sequence[Event]) -> list[EventResult]:
    if any(each.event_id == POISON for each in events):
        raise ValueError("cannot be processed")
    return accepted(events)


def test_a_poisoned_event_is_rejected_alone():
    outcomes = run_requests([[event(1), event(2)], [event(n) for n in (5, 6, 7, 8, 9)]], run=poisoned)
    assert [[(UUID(r.event_id).int, r.status, r.error) for r in outcome] for outcome in outcomes] == [
        [(1, "accepted", None), (2, "accepted", None)],
        [
            (5, "accepted", None),
            (6, "accepted", None),
            (7, "rejected", "invalid"),
            (8, "accepted", None),
            (9, "accepted", None),
        ],
    ]


def test_what_is_logged_of_a_poisoned_event_holds_nothing_of_it(caplog):
    def run(events):
        raise ValueError("48.8566 2.3522")

    run_requests([[event(7)]], run=run)
    (record,) = caplog.records
    assert "48.8566" not in str(vars(record))
    assert record.error == "ValueError"


def test_a_database_that_is_away_is_asked_once():
    calls = []

    def run(events):
        calls.append(len(events))
        raise OperationalError("no connection")

    outcomes = run_requests([[event(1)], [event(2)]], run=run)
    assert [type(each) for each in outcomes] == [OperationalError, OperationalError]
    assert calls == [2]


def test_a_deadlock_of_all_together_is_tried_again_one_by_one():
    class Deadlock(Exception):
        sqlstate = "40P01"

    def run(events):
        if len(events) > 1:
            raise OperationalError("deadlock detected") from Deadlock()
        return accepted(events)

    outcomes = run_requests([[event(1)], [event(2)]], run=run)
    assert [outcome[0].status for outcome in outcomes] == ["accepted", "accepted"]
