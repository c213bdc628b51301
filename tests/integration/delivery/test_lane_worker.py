"""Lanes side by side: none starves another, each closes and opens again, and what it holds is never lost."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from push_notifications.models import APNSDevice

from customers.models import Device
from offers import lane_worker, lane_writer
from offers.gateways import registry
from offers.gateways.fcm import FcmGateway
from offers.lane_worker import LaneWorker
from offers.models import Lane, OutboxMessage, Receipt
from offers.rules.breaker import OPEN_AFTER
from offers.rules.lanes import LaneSettings
from providers.testing import RunningFcm, running_fcm
from tests.integration.delivery.lane_workers import providers_of, working
from tests.integration.delivery.outbox import promise_many, state_of
from tests.integration.delivery.worker_process import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

FEW = LaneSettings(concurrency=4)


def count(**wanted: Any) -> int:
    return OutboxMessage.objects.filter(**wanted).count()


def all_sent() -> bool:
    return not OutboxMessage.objects.exclude(state="sent").exists()


def notify() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('rayon_outbox', '')")


@pytest.fixture(scope="module")
def second_provider() -> Iterator[RunningFcm]:
    with running_fcm() as provider:
        yield provider


@pytest.fixture
def other(second_provider: RunningFcm, monkeypatch: pytest.MonkeyPatch) -> RunningFcm:
    """A second provider, which serves the lane of iPhones here and speaks what the first one speaks."""
    second_provider.reset()

    def gateway(providers: Any) -> FcmGateway:
        return FcmGateway(
            credentials_file=second_provider.credentials_file,
            base_url=second_provider.base_url,
            concurrency=FEW.concurrency,
        )

    monkeypatch.setitem(registry.GATEWAYS, "apns", gateway)  # type: ignore[misc]  # read-only to all others
    return second_provider


def give_iphones(messages: list[OutboxMessage]) -> None:
    for message in messages:
        device = message.customer.devices.get()
        assert device.fcm is not None
        address = APNSDevice.objects.create(registration_id=device.fcm.registration_id)
        Device.objects.filter(pk=device.pk).update(platform="apns", fcm=None, apns=address)
    OutboxMessage.objects.filter(pk__in=[message.pk for message in messages]).update(lane="apns")


def test_while_one_provider_hangs_every_message_of_the_other_goes_out(
    fcm: RunningFcm, other: RunningFcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_worker, "DRAIN_S", 0.1)
    messages = promise_many(80, now=datetime.now(UTC))
    hanging, well = messages[:40], messages[40:]
    give_iphones(well)
    fcm.script("*", {"delay_s": 60, "times": 40})

    with working(providers=providers_of(fcm, timeout_s=60.0), lanes={"fcm": FEW, "apns": FEW}):
        wait_until(lambda: len(fcm.log()) == FEW.concurrency)
        wait_until(lambda: count(lane="apns", state="sent") == len(well))
        # not one of the others has had an answer, and no more of them are in hand than the lane has places for
        assert count(lane="fcm", state="sent") == 0
        assert count(lane="fcm", state="sending") <= (1 + lane_worker.AHEAD) * FEW.concurrency
        assert len(fcm.log()) == FEW.concurrency

    assert len(other.delivered()) == len(well)
    assert {state_of(message) for message in hanging} == {("queued", "")}
    codes = Receipt.objects.filter(platform="fcm").values_list("outcome", "provider_code")
    assert list(codes) == [("try_later", "WORKER_STOPPED")] * FEW.concurrency
    assert count(lane="fcm", attempts=0) == len(hanging) - FEW.concurrency


def test_a_provider_in_distress_is_left_alone_until_one_message_finds_it_well(fcm: RunningFcm) -> None:
    messages = promise_many(30, now=datetime.now(UTC))
    fcm.script("*", {"status": 503, "retry_after": 0, "times": OPEN_AFTER})

    with working(providers=providers_of(fcm), lanes={"fcm": LaneSettings(concurrency=1)}):
        wait_until(lambda: Lane.objects.filter(open_until__isnull=False).exists())
        wait_until(lambda: count(state="sending") == 0)
        lane = Lane.objects.get()
        assert (lane.name, lane.cause, lane.openings) == ("fcm", "UNAVAILABLE", 1)
        assert len(fcm.log()) == OPEN_AFTER
        assert count(attempts=0) == len(messages) - OPEN_AFTER

        Lane.objects.update(open_until=datetime.now(UTC))
        notify()
        wait_until(all_sent)

    lane.refresh_from_db()
    assert (lane.open_until, lane.openings, lane.cause) == (None, 0, "")
    assert [entry["answer"]["status"] for entry in fcm.log()] == [503] * OPEN_AFTER + [200] * len(messages)


def test_a_probe_that_fails_keeps_the_lane_closed_for_longer(fcm: RunningFcm) -> None:
    now = datetime.now(UTC)
    promise_many(3, now=now)
    Lane.objects.create(name="fcm", open_until=now, openings=2, cause="TIMEOUT")
    fcm.script("*", {"status": 503, "retry_after": 0})

    with working(providers=providers_of(fcm), lanes={"fcm": FEW}):
        wait_until(lambda: Lane.objects.get().openings == 3)

    lane = Lane.objects.get()
    assert lane.open_until is not None
    assert (
        timedelta(seconds=20) <= lane.open_until - now < timedelta(seconds=30)
    )  # of 10, 20, 40 s the third, halved
    assert [entry["answer"]["status"] for entry in fcm.log()] == [503]
    assert (count(attempts=1), count(attempts=0)) == (1, 2)


def test_two_workers_send_one_probe(fcm: RunningFcm) -> None:
    now = datetime.now(UTC)
    promise_many(6, now=now)
    Lane.objects.create(name="fcm", open_until=now, openings=1, cause="TIMEOUT")
    fcm.script("*", {"delay_s": 1.0})

    with (
        working(providers=providers_of(fcm), lanes={"fcm": FEW}),
        working(providers=providers_of(fcm), lanes={"fcm": FEW}),
    ):
        wait_until(lambda: len(fcm.log()) > 0)
        time.sleep(0.5)
        assert len(fcm.log()) == 1
        wait_until(all_sent)

    assert len(fcm.log()) == 6


def test_a_lane_that_its_gateway_rests_is_rested_for_everybody(fcm: RunningFcm) -> None:
    promise_many(3, now=datetime.now(UTC))
    fcm.script("*", {"status": 429, "retry_after": 30})

    with working(providers=providers_of(fcm), lanes={"fcm": LaneSettings(concurrency=1)}):
        wait_until(lambda: Lane.objects.filter(cause="LANE_SLOWED").exists())
        wait_until(lambda: count(state="sending") == 0)

    assert len(fcm.log()) == 1
    lane = Lane.objects.get()
    assert lane.open_until is not None
    assert lane.open_until - datetime.now(UTC) > timedelta(seconds=20)


def test_a_lane_keeps_to_its_rate(fcm: RunningFcm) -> None:
    promise_many(30, now=datetime.now(UTC))
    started = time.monotonic()

    with working(providers=providers_of(fcm), lanes={"fcm": LaneSettings(concurrency=4, rate_per_s=20.0)}):
        wait_until(all_sent)

    assert time.monotonic() - started >= (30 - 20) / 20  # the bucket holds a second's worth


def test_what_waited_too_long_for_its_turn_is_looked_at_again(
    fcm: RunningFcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_worker, "READY_S", 0.3)
    promise_many(3, now=datetime.now(UTC))
    fcm.script("*", {"delay_s": 0.6, "times": 3})

    with working(providers=providers_of(fcm), lanes={"fcm": LaneSettings(concurrency=1)}):
        wait_until(all_sent)

    assert len(fcm.log()) == 3
    assert count(attempts=1) == 3  # a message that was put back was not tried


def test_answers_outlast_a_database_that_is_away(fcm: RunningFcm, monkeypatch: pytest.MonkeyPatch) -> None:
    settle, calls = lane_writer.settle, []

    def settle_later(*given: Any, **more: Any) -> Any:
        calls.append(given)
        if len(calls) <= 2:
            raise OperationalError
        return settle(*given, **more)

    monkeypatch.setattr(lane_writer, "settle", settle_later)
    promise_many(5, now=datetime.now(UTC))

    with working(providers=providers_of(fcm), lanes={"fcm": FEW}):
        wait_until(all_sent)

    assert len(fcm.log()) == 5
    assert Receipt.objects.count() == 5


def test_an_answer_that_cannot_be_written_is_left_alone_to_its_lease(
    fcm: RunningFcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, *well = promise_many(5, now=datetime.now(UTC))
    settle = lane_writer.settle

    def settle_most(answers: Any, *given: Any, **more: Any) -> Any:
        if any(answer.parcel.row_id == poisoned.pk for answer in answers):
            raise ValueError("a defect")
        return settle(answers, *given, **more)

    monkeypatch.setattr(lane_writer, "settle", settle_most)

    with working(providers=providers_of(fcm), lanes={"fcm": FEW}):
        wait_until(lambda: count(state="sent") == len(well))

    assert state_of(poisoned) == ("sending", "")
    assert len(fcm.log()) == 5


def test_what_falls_due_while_a_claim_ends_goes_out_at_once(
    fcm: RunningFcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, later = promise_many(2, now=datetime.now(UTC))
    OutboxMessage.objects.filter(pk=later.pk).update(due_at=datetime.now(UTC) + timedelta(hours=1))
    looked, heard = threading.Event(), threading.Event()
    lane_news, take_in = lane_worker.lane_news, LaneWorker._take_in

    def lane_news_that_grows_old(names: Any) -> Any:
        news = lane_news(names)
        if not looked.is_set():
            looked.set()
            OutboxMessage.objects.filter(pk=later.pk).update(due_at=datetime.now(UTC))
            notify()
            assert heard.wait(10)
        return news

    def take_in_and_tell(worker: LaneWorker, news: Any) -> None:
        take_in(worker, news)
        if looked.is_set():
            heard.set()

    monkeypatch.setattr(lane_worker, "lane_news", lane_news_that_grows_old)
    monkeypatch.setattr(LaneWorker, "_take_in", take_in_and_tell)

    with working(providers=providers_of(fcm), lanes={"fcm": FEW}):
        wait_until(all_sent, within_s=8.0)  # far less than the next look at everything


def test_a_defect_in_a_claim_does_not_end_the_lane(fcm: RunningFcm, monkeypatch: pytest.MonkeyPatch) -> None:
    take, calls = lane_worker.take, []

    def take_later(**given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise ValueError("a defect")
        return take(**given)

    monkeypatch.setattr(lane_worker, "take", take_later)
    promise_many(2, now=datetime.now(UTC))

    with working(providers=providers_of(fcm), lanes={"fcm": FEW}):
        wait_until(all_sent)


@pytest.mark.parametrize("lanes", [{"fcm": FEW}, {"apns": FEW}])
def test_a_lane_takes_its_own_messages_alone(
    fcm: RunningFcm, other: RunningFcm, lanes: dict[str, LaneSettings]
) -> None:
    messages = promise_many(6, now=datetime.now(UTC))
    give_iphones(messages[3:])

    with working(providers=providers_of(fcm), lanes=lanes):
        wait_until(lambda: count(state="sent") == 3)

    assert set(OutboxMessage.objects.filter(state="sent").values_list("lane", flat=True)) == set(lanes)
    assert count(state="queued", attempts=0) == 3


def test_a_message_on_the_wrong_lane_finds_its_own(fcm: RunningFcm, other: RunningFcm) -> None:
    promise_many(3, now=datetime.now(UTC))
    OutboxMessage.objects.update(lane="apns")

    with working(providers=providers_of(fcm), lanes={"fcm": FEW, "apns": FEW}):
        wait_until(all_sent)

    assert set(OutboxMessage.objects.values_list("lane", "attempts")) == {("fcm", 1)}
    assert other.log() == []
