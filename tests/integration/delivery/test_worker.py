"""The worker as a process: woken at once, patient with its database, and gone only when its batch is done."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from offers.models import OutboxMessage
from offers.operations.sending import resume_sending
from offers.wakeups import Listener, Stop
from offers.worker import Loop
from providers.testing import RunningFcm
from tests.integration.delivery.outbox import (
    make_customer,
    make_shop,
    promise,
    promise_many,
    state_of,
)
from tests.integration.delivery.worker_process import running_worker, stop, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def notify() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('rayon_outbox', '')")


def is_sent(message: OutboxMessage) -> bool:
    return state_of(message) == ("sent", "")


def others_listening() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE 'LISTEN%'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def terminate_all_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_sleeping_worker_is_woken_at_once_also_after_its_database_cut_it_off(
    fcm: RunningFcm, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    store, offer = make_shop(now=now)
    with running_worker(fcm=fcm, home=tmp_path) as worker:
        wait_until(others_listening)
        time.sleep(1)  # asleep for half a minute, if nobody wakes it
        for ref in ("A", "B"):
            message = promise(
                make_customer(now=now, ref=ref), store=store, offer=offer, now=datetime.now(UTC)
            )
            started = time.monotonic()
            notify()
            wait_until(partial(is_sent, message))
            assert time.monotonic() - started < 5
            terminate_all_others()
            time.sleep(0.1)
            wait_until(others_listening)
        assert worker.poll() is None
        assert stop(worker) == 0
    assert len(fcm.delivered()) == 2


def test_a_worker_told_to_stop_finishes_what_is_under_way_and_puts_the_rest_back(
    fcm: RunningFcm, tmp_path: Path
) -> None:
    messages = promise_many(2, now=datetime.now(UTC))
    fcm.script("*", {"delay_s": 1.5, "times": 2})
    with running_worker(fcm=fcm, home=tmp_path, LANE_FCM_CONCURRENCY="1") as worker:
        wait_until(lambda: OutboxMessage.objects.filter(state="sending").count() == 2 and fcm.log())
        assert stop(worker) == 0

    states = [(*state_of(message), message.attempts, message.lease_until) for message in messages]
    assert sorted(states) == [("queued", "", 0, None), ("sent", "", 1, None)]
    assert len(fcm.log()) == 1


def test_once_does_what_is_due_and_ends(fcm: RunningFcm, tmp_path: Path) -> None:
    messages = promise_many(3, now=datetime.now(UTC))

    with running_worker("--once", "--batch", "2", fcm=fcm, home=tmp_path) as worker:
        assert worker.wait(60) == 0

    assert [state_of(message) for message in messages] == [("sent", "")] * 3
    log = (tmp_path / "worker.log").read_text()
    assert not any(message.coupon.code in log for message in messages)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener(channels=["rayon_outbox"])
    listening.connect()
    yield listening
    listening.close()


def sleep_s(listener: Listener, seconds: float, *, stop: Stop) -> float:
    started = time.monotonic()
    listener.sleep(seconds, stop=stop)
    return time.monotonic() - started


def test_a_notification_ends_one_sleep_also_when_it_came_before(listener: Listener) -> None:
    with Stop() as stop:
        notify()
        assert sleep_s(listener, 20, stop=stop) < 5
        assert sleep_s(listener, 0.2, stop=stop) >= 0.2


def test_resuming_wakes_the_worker(listener: Listener) -> None:
    with Stop() as stop:
        resume_sending(who="ada", why="prices mended", now=datetime.now(UTC))
        assert sleep_s(listener, 20, stop=stop) < 5


def test_being_told_to_stop_ends_every_sleep(listener: Listener) -> None:
    with Stop() as stop:
        threading.Timer(0.1, stop.tell).start()
        assert sleep_s(listener, 20, stop=stop) < 5
        assert sleep_s(Listener(channels=[]), 20, stop=stop) < 5
        assert stop.is_told()


def test_a_connection_that_is_gone_is_noticed(listener: Listener) -> None:
    terminate_all_others()

    with Stop() as stop, pytest.raises(psycopg.Error):
        for _ in range(3):
            listener.sleep(0.1, stop=stop)


def test_a_defect_does_not_end_the_loop_and_a_backlog_is_worked_off_without_a_rest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("offers.worker.RECONNECT_S", (0.05,))
    done: list[int] = []
    with Stop() as stop:

        def work() -> int:
            done.append(len(done))
            if len(done) == 1:
                raise ValueError("a defect")
            if len(done) == 5:
                stop.tell()
            return 1

        loop = Loop(name="test", work=work, next_due=lambda: None, clock=lambda: datetime.now(UTC))
        started = time.monotonic()
        loop.run(stop=stop)

    assert len(done) == 5
    assert time.monotonic() - started < 5
    assert [record.levelname for record in caplog.records if "worker_defect" in record.getMessage()] == [
        "ERROR"
    ]


def test_a_loop_rests_until_the_next_thing_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)
    rests: list[float] = []
    dues = [None, at + timedelta(seconds=7), at - timedelta(seconds=7), at + timedelta(hours=1)]
    with Stop() as stop:

        def sleep(self: Listener, seconds: float, *, stop: Stop) -> None:
            rests.append(seconds)
            if len(rests) == len(dues):
                stop.tell()

        monkeypatch.setattr(Listener, "sleep", sleep)
        Loop(name="test", work=lambda: 0, next_due=lambda: dues[len(rests)], clock=lambda: at).run(stop=stop)

    assert rests == [30.0, 7.0, 0.25, 30.0]
