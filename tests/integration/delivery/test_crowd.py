"""Many messages, some of them to addresses that are dead: everybody else gets theirs, and only the dead are forgotten."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from customers.models import Device
from offers.models import Lane, OutboxMessage
from providers.testing import RunningFcm
from tests.crowd import make_crowd, promise_to_crowd
from tests.integration.delivery.worker_process import running_worker, stop, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

EACH = 20  # one address in twenty is dead


def is_open() -> bool:
    return OutboxMessage.objects.filter(state__in=["queued", "sending"]).exists()


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_every_good_address_gets_its_message_and_only_the_dead_ones_are_forgotten(
    fcm: RunningFcm, tmp_path: Path, count: int
) -> None:
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        make_crowd(cursor.execute, count=count, now=now)
        promise_to_crowd(cursor.execute, count=count, now=now)
    dead = list(range(EACH, count + 1, EACH))
    for device in Device.objects.filter(pk__in=dead).select_related("fcm"):
        fcm.script(device.fcm.registration_id, {"error_code": "UNREGISTERED"})

    with running_worker(fcm=fcm, home=tmp_path, LANE_FCM_CONCURRENCY="16") as worker:
        wait_until(lambda: not is_open(), within_s=count / 10 + 60)
        assert stop(worker) == 0

    assert list(Device.objects.filter(active=False).order_by("id").values_list("id", flat=True)) == dead
    sent = OutboxMessage.objects.filter(state="sent")
    assert set(sent.values_list("device_id", flat=True)) == set(range(1, count + 1)) - set(dead)
    dropped = OutboxMessage.objects.exclude(state="sent")
    assert set(dropped.values_list("device_id", "state", "reason")) == {
        (device, "dropped", "no_device") for device in dead
    }
    tags = [push["android"]["notification"]["tag"] for push in fcm.delivered()]
    assert set(tags) == {str(message_id) for message_id in sent.values_list("message_id", flat=True)}
    assert Lane.objects.get().stopped_at is None
