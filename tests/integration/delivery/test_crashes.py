"""A worker is killed at each of its steps in turn: no promise stays open, and no phone shows an offer twice."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from customers.models import Device
from offers.delivery import LEASE
from offers.models import Capacity, Coupon, Exposure, OutboxMessage
from offers.stages.deliver import Lanes
from providers.testing import RunningFcm
from tests.integration.delivery.crash_at import STEPS
from tests.integration.delivery.outbox import (
    address_of,
    deliver,
    make_customer,
    make_shop,
    promise,
    state_of,
)
from tests.integration.delivery.worker_process import ROOT, environment_of_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

KILLED = -9


@pytest.fixture(scope="module")
def kill_worker_at(
    local_fcm: RunningFcm, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], int]]:
    """Yield a function that runs a worker until it is killed at a step ("before send"), and returns its exit status."""
    home = tmp_path_factory.mktemp("workers")
    with (home / "worker.log").open("wb") as log:
        maker = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.delivery.crash_at"],
            cwd=ROOT,
            env={
                **environment_of_worker(fcm=local_fcm, home=home),
                "DJANGO_SETTINGS_MODULE": "config.settings",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert maker.stdin is not None
    assert maker.stdout is not None
    stdin, stdout = maker.stdin, maker.stdout

    def kill(step: str) -> int:
        stdin.write(step + "\n")
        stdin.flush()
        return int(stdout.readline())

    try:
        yield kill
    finally:
        stdin.close()
        assert maker.wait(30) == 0
        stdout.close()


@pytest.mark.parametrize("step", [f"{when} {step}" for step in STEPS for when in ("before", "after")])
def test_what_a_worker_leaves_behind_is_finished_by_the_next(
    kill_worker_at: Callable[[str], int], lanes: Lanes, fcm: RunningFcm, step: str
) -> None:
    now = datetime.now(UTC)
    store, offer = make_shop(now=now)
    customers = {
        ref: make_customer(now=now, ref=ref, phones=phones)
        for ref, phones in {
            "well": ["phone"],
            "too": ["phone"],
            "renewed": ["old", "new"],
            "moved": ["phone"],
            "withdrawn": ["phone"],
        }.items()
    }
    messages = {
        ref: promise(customer, store=store, offer=offer, now=now) for ref, customer in customers.items()
    }
    OutboxMessage.objects.filter(pk=messages["moved"].pk).update(lane="apns")
    customers["withdrawn"].granted = []
    customers["withdrawn"].save()
    dead = customers["renewed"].devices.get(device_id="old")
    dead_address = address_of(dead)
    fcm.script(dead_address, {"error_code": "UNREGISTERED", "times": 9})

    assert kill_worker_at(step) == KILLED

    later = datetime.now(UTC) + LEASE
    while deliver(lanes, now=later):
        pass
    withdrawn = messages.pop("withdrawn")
    assert state_of(withdrawn) == ("dropped", "no_consent")
    assert {ref: state_of(message) for ref, message in messages.items()} == dict.fromkeys(
        messages, ("sent", "")
    )
    shown = {(push["token"], push["android"]["notification"]["tag"]) for push in fcm.delivered()}
    assert shown == {
        (address_of(message.customer.devices.get(active=True)), str(message.message_id))
        for message in messages.values()
    }
    assert list(Device.objects.filter(active=False)) == [dead]
    assert Capacity.objects.get().claimed == len(messages)
    assert Exposure.objects.get(coupon__state="revoked").voided_at is not None
    assert Coupon.objects.get(state="revoked") == withdrawn.coupon
