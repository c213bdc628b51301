"""Two workers and one outbox: each message is sent by one of them, whatever the other does meanwhile."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F

from offers.models import OutboxMessage
from offers.stages.deliver import Lanes
from providers.testing import RunningFcm, running_fcm
from tests.integration.delivery.outbox import deliver, open_lanes, promise_many, state_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

WORKERS = 2


@pytest.fixture(scope="module")
def local_fcm() -> Iterator[RunningFcm]:
    with running_fcm() as fcm:
        yield fcm


@pytest.fixture
def fcm(local_fcm: RunningFcm) -> RunningFcm:
    local_fcm.reset()
    return local_fcm


def at_once(work: Callable[[], object]) -> None:
    """Run the same work in every worker's thread; raises what one of them raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def drain(fcm: RunningFcm, *, now: datetime, limit: int) -> None:
    with open_lanes(base_url=fcm.base_url, credentials_file=fcm.credentials_file) as lanes:
        while deliver(lanes, now=now, limit=limit, names=["fcm"]):
            pass


def pushes_by_tag(fcm: RunningFcm) -> Counter[str]:
    return Counter(push["android"]["notification"]["tag"] for push in fcm.delivered())


def test_control_a_claim_without_the_guard_sends_twice(
    fcm: RunningFcm, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = promise_many(10, now=now)
    both_have_looked = threading.Barrier(WORKERS, timeout=20)

    def look_then_take(*, lane: str, now: datetime, lease_until: datetime, limit: int) -> dict[int, int]:
        due = OutboxMessage.objects.filter(state="queued", due_at__lte=now).order_by("due_at", "id")
        ids = list(due.values_list("id", flat=True)[:limit])
        both_have_looked.wait()
        OutboxMessage.objects.filter(pk__in=ids).update(
            state="sending", attempts=F("attempts") + 1, lease_until=lease_until
        )
        return dict.fromkeys(ids, 1)

    monkeypatch.setattr("offers.locks.claim_due_messages", look_then_take)

    at_once(lambda: drain(fcm, now=now, limit=10))

    assert pushes_by_tag(fcm) == {str(message.message_id): WORKERS for message in messages}


def test_two_workers_send_two_hundred_messages_once_each(fcm: RunningFcm, now: datetime) -> None:
    messages = promise_many(200, now=now)

    at_once(lambda: drain(fcm, now=now, limit=7))

    assert pushes_by_tag(fcm) == {str(message.message_id): 1 for message in messages}
    rows = OutboxMessage.objects.values_list("state", "attempts", "lease_until").distinct()
    assert list(rows) == [("sent", 1, None)]


def test_a_worker_that_comes_back_after_its_lease_does_not_undo_the_others_result(
    fcm: RunningFcm, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    [message] = promise_many(1, now=now)
    fcm.script("*", {"status": 503})
    send = Lanes.send

    def send_and_fall_asleep(*given: object, **more: object) -> object:
        answers = send(*given, **more)
        monkeypatch.setattr(Lanes, "send", send)
        drain(fcm, now=now + timedelta(seconds=60), limit=10)
        return answers

    monkeypatch.setattr(Lanes, "send", send_and_fall_asleep)

    drain(fcm, now=now, limit=10)

    assert (state_of(message), message.attempts) == (("sent", ""), 2)
    assert [entry["answer"]["status"] for entry in fcm.log()] == [503, 200]


def test_an_acceptance_counts_even_when_it_comes_after_the_lease(
    fcm: RunningFcm, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    [message] = promise_many(1, now=now)
    fcm.script("*", {}, {"status": 503, "retry_after": 600})
    send = Lanes.send

    def send_and_fall_asleep(*given: object, **more: object) -> object:
        answers = send(*given, **more)
        monkeypatch.setattr(Lanes, "send", send)
        drain(fcm, now=now + timedelta(seconds=60), limit=10)
        return answers

    monkeypatch.setattr(Lanes, "send", send_and_fall_asleep)

    drain(fcm, now=now, limit=10)

    assert state_of(message) == ("sent", "")
