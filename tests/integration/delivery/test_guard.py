"""The dead-token guard, and what it keeps from dying: a lane that calls too many addresses dead stops, and kills none."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from push_notifications.models import APNSDevice, WebPushDevice

from customers.models import Device, PushTokenClaim
from customers.operations.dead_addresses import DeadAddress, retire_addresses
from offers.gateways.port import Outcome, PushMessage, Receipt
from offers.models import Lane, OutboxMessage
from offers.operations.lanes import resume_lane
from offers.stages.deliver import Answer, Lanes, Parcel
from offers.stages.deliver.gate import judge
from providers.testing import RunningFcm
from tests.integration.delivery.outbox import (
    claim_address,
    deliver,
    make_customer,
    promise_many,
    state_of,
)

pytestmark = pytest.mark.django_db


def answers(bits: str, *, now: datetime) -> Iterator[Answer]:
    """Yield one answer a bit: 1 a dead address, 0 a good one, anything else a failure."""
    outcomes = {"1": Outcome.DEAD_TOKEN, "0": Outcome.ACCEPTED}
    push = PushMessage(
        message_id="m",
        platform="fcm",
        token="t",
        title="t",
        body="",
        expires_at=now,
        registered_at=now,
    )
    for bit in bits:
        receipt = Receipt(message_id="m", outcome=outcomes.get(bit, Outcome.OUR_FAULT))
        parcel = Parcel(row_id=1, attempts=1, customer_id=1, device_id=1, push=push, next_lane="fcm")
        yield Answer(parcel=parcel, receipt=receipt, at=now)


@pytest.mark.parametrize(
    ("batches", "stops"),
    [
        (["1" * 39], [False]),
        (["1" * 40], [True]),
        (["1" * 39, "0"], [False, True]),  # by the fortieth answer
        (["0" * 32 + "1" * 8], [False]),  # 20 % is not more than 20 %
        (["0" * 31 + "1" * 9], [True]),
        (["1" * 8 + "x" * 100 + "0" * 32], [False]),  # other answers say nothing of addresses
        (["0" * 200, "1" * 40, "1"], [False, False, True]),
        (["1" * 30, "0" * 200, "1" * 40], [False, False, False]),  # the first ones are forgotten
        (["0" * 300 + "1" * 41], [True]),
    ],
)
def test_more_than_a_fifth_dead_of_the_last_two_hundred_stops_the_lane(
    now: datetime, batches: list[str], stops: list[bool]
) -> None:
    found = [judge(list(answers(bits, now=now)), lane="fcm", now=now)[0] for bits in batches]

    assert found == stops
    assert Lane.objects.get().stopped_at == (now if stops[-1] else None)


def test_a_stopped_lane_stays_stopped_and_is_told_once(now: datetime) -> None:
    assert judge(list(answers("1" * 40, now=now)), lane="fcm", now=now) == (True, True)
    later = now + timedelta(minutes=1)
    assert judge(list(answers("0" * 200, now=now)), lane="fcm", now=later) == (True, False)
    assert judge(list(answers("1" * 9, now=now)), lane="apns", now=later) == (False, False)
    assert Lane.objects.get(name="fcm").stopped_at == now


def test_a_lane_that_calls_everybody_dead_kills_nobody_and_goes_on_when_staff_say_so(
    lanes: Lanes,
    fcm: RunningFcm,
    now: datetime,
    client: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    messages = promise_many(41, now=now)
    fcm.script("*", {"error_code": "SENDER_ID_MISMATCH", "times": 41})

    deliver(lanes, now=now)

    assert Device.objects.filter(active=True).count() == 41
    assert {state_of(message) for message in messages} == {("queued", "")}
    assert [r.levelname for r in caplog.records if "lane_stopped_by_dead_addresses" in r.getMessage()] == [
        "ERROR"
    ]
    assert client.get("/readyz").json()["alerts"] == [{"lane": "fcm", "is": "stopped", "cause": ""}]
    assert deliver(lanes, now=now) == 0

    assert resume_lane("fcm")
    deliver(lanes, now=now)
    assert {state_of(message) for message in messages} == {("sent", "")}
    assert client.get("/readyz").json()["alerts"] == []


def test_the_dead_of_a_well_lane_are_retired_alone(lanes: Lanes, fcm: RunningFcm, now: datetime) -> None:
    messages = promise_many(45, now=now)
    dead = [message.customer.devices.get() for message in messages[:9]]  # 20 %
    for device in dead:
        assert device.fcm is not None
        fcm.script(device.fcm.registration_id, {"error_code": "UNREGISTERED"})

    deliver(lanes, now=now)

    assert set(Device.objects.filter(active=False)) == set(dead)
    assert OutboxMessage.objects.filter(state="sent").count() == 36


@pytest.mark.parametrize("platform", ["apns", "webpush"])
def test_addresses_of_every_platform_are_forgotten_with_their_claims(now: datetime, platform: str) -> None:
    customer = make_customer(now=now, phones=())
    row = {
        "apns": lambda: APNSDevice.objects.create(registration_id="ab" * 32),
        "webpush": lambda: WebPushDevice.objects.create(
            registration_id="https://push.example/x", p256dh="k", auth="a"
        ),
    }[platform]()
    device = Device.objects.create(
        customer=customer,
        device_id="d",
        platform=platform,
        registered_at=now,
        last_seen_at=now,
        **{platform: row},
    )
    claim_address(device)

    def dead(registered_at: datetime) -> list[DeadAddress]:
        return [DeadAddress(customer_id=customer.pk, device_id=device.pk, registered_at=registered_at)]

    assert retire_addresses(dead(now - timedelta(seconds=1))) == 0  # registered anew since
    device.refresh_from_db()
    assert device.active

    assert retire_addresses(dead(now)) == 1
    device.refresh_from_db()
    assert (device.active, device.fcm_id, device.apns_id, device.webpush_id) == (False, None, None, None)
    assert not type(row).objects.exists()
    assert not PushTokenClaim.objects.exists()
