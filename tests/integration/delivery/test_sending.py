"""From a queued message to one push on the wire, and to what each answer of FCM makes of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test.utils import CaptureQueriesContext
from push_notifications.models import APNSDevice, GCMDevice

from customers.models import Device, Platform, PushTokenClaim
from offers.delivery import LEASE
from offers.gateways.registry import GATEWAYS
from offers.models import Coupon, OutboxMessage, Receipt
from offers.rules.coupon_codes import grouped
from offers.stages.deliver import Lanes
from providers.testing import RunningFcm
from tests.integration.delivery.outbox import (
    address_of,
    claim_address,
    deliver,
    is_given_back,
    make_customer,
    make_phone,
    make_shop,
    open_lanes,
    promise,
    promise_many,
    state_of,
)

pytestmark = pytest.mark.django_db

FRESH = "fresh:" + "a" * 128


@pytest.fixture
def message(now: datetime) -> OutboxMessage:
    [one] = promise_many(1, now=now)
    return one


def test_one_message_is_one_push_with_its_tag_its_time_to_live_and_its_code(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    assert deliver(lanes, now=now) == 1

    [push] = fcm.delivered()
    code = grouped(message.coupon.code)
    assert push["token"] == address_of(message.customer.devices.get())
    assert push["notification"] == {"title": "20 % sur Danone", "body": "Au rayon frais"}
    assert push["android"]["notification"]["tag"] == str(message.message_id)
    assert push["android"]["ttl"] in ("3600s", "3599s")  # whole seconds, less what passes while sending
    assert push["data"] == {
        "code": code,
        "link": f"rayon://coupons/{code}",
        "offer": "yoghurt-20",
        "message_id": str(message.message_id),
    }
    assert state_of(message) == ("sent", "")
    assert (message.attempts, message.lease_until, message.finished_at) == (1, None, now)
    receipt = Receipt.objects.get()
    assert (receipt.outcome, receipt.status, receipt.platform, receipt.attempt) == ("accepted", 200, "fcm", 1)
    assert receipt.provider_message_id.startswith("projects/rayon-local/messages/")
    assert (receipt.message_id, receipt.customer_id) == (message.pk, message.customer_id)
    assert not is_given_back(message)


def test_what_was_sent_is_not_sent_again(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    deliver(lanes, now=now)

    assert deliver(lanes, now=now + timedelta(minutes=5)) == 0
    assert len(fcm.log()) == 1


def test_a_message_that_is_not_due_waits(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    assert deliver(lanes, now=now - timedelta(seconds=1)) == 0

    assert fcm.log() == []
    assert (state_of(message), message.attempts) == (("queued", ""), 0)


def test_a_dead_address_is_forgotten_and_the_next_device_gets_the_message(
    lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    store, offer = make_shop(now=now)
    customer = make_customer(now=now, phones=("new", "old"))
    new, old = (customer.devices.get(device_id=name) for name in ("new", "old"))
    claim_address(new)
    message = promise(customer, store=store, offer=offer, now=now)
    fcm.script(address_of(new), {"error_code": "UNREGISTERED"})

    assert [deliver(lanes, now=now), deliver(lanes, now=now), deliver(lanes, now=now)] == [1, 1, 0]

    new.refresh_from_db()
    assert (new.active, new.fcm_id) == (False, None)
    assert list(GCMDevice.objects.values_list("registration_id", flat=True)) == [address_of(old)]
    assert not PushTokenClaim.objects.exists()
    assert [push["token"] for push in fcm.delivered()] == [address_of(old)]
    assert state_of(message) == ("sent", "")
    tries = Receipt.objects.order_by("id").values_list("device_id", "outcome", "provider_code", "status")
    assert list(tries) == [(new.pk, "dead_token", "UNREGISTERED", 404), (old.pk, "accepted", "", 200)]


def test_the_last_dead_address_drops_the_message_and_gives_everything_back(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    fcm.script("*", {"error_code": "UNREGISTERED"})

    deliver(lanes, now=now)
    deliver(lanes, now=now)

    assert state_of(message) == ("dropped", "no_device")
    assert is_given_back(message)
    assert len(fcm.log()) == 1


def test_an_address_registered_anew_since_outlives_the_answer_about_the_old_one(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcm.script("*", {"error_code": "UNREGISTERED"})
    send = Lanes.send

    def send_while_the_phone_registers(*given: object, **more: object) -> object:
        answers = send(*given, **more)
        GCMDevice.objects.update(registration_id=FRESH)
        Device.objects.update(registered_at=now + timedelta(seconds=1))
        return answers

    monkeypatch.setattr(Lanes, "send", send_while_the_phone_registers)

    deliver(lanes, now=now)
    deliver(lanes, now=now)

    device = Device.objects.get()
    assert (device.active, address_of(device)) == (True, FRESH)
    assert [push["token"] for push in fcm.delivered()] == [FRESH]
    assert state_of(message) == ("sent", "")


def test_only_the_one_whose_fault_it_is_becomes_a_dead_letter(
    lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    refused, well = promise_many(2, now=now)
    fcm.script(address_of(refused.customer.devices.get()), {"error_code": "INVALID_ARGUMENT"})

    deliver(lanes, now=now)

    assert state_of(refused) == ("dead", "invalid_argument")
    assert refused.finished_at == now
    assert state_of(well) == ("sent", "")
    assert Device.objects.filter(active=True).count() == 2


def test_a_coupon_whose_terms_make_no_message_is_a_dead_letter_beside_its_neighbour(
    lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    empty, well = promise_many(2, now=now)
    Coupon.objects.filter(pk=empty.coupon_id).update(terms=[])

    deliver(lanes, now=now)

    assert state_of(empty) == ("dead", "malformed_terms")
    assert state_of(well) == ("sent", "")
    assert len(fcm.log()) == 1


def test_the_provider_says_when_to_try_again(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    fcm.script("*", {"status": 503, "retry_after": 120})

    deliver(lanes, now=now)

    assert state_of(message) == ("queued", "")
    assert timedelta(seconds=120) <= message.due_at - now < timedelta(seconds=125)
    assert deliver(lanes, now=now + timedelta(seconds=119)) == 0
    assert deliver(lanes, now=message.due_at) == 1
    assert state_of(message) == ("sent", "")
    assert [entry["answer"]["status"] for entry in fcm.log()] == [503, 200]


def test_waits_of_our_own_double_and_carry_jitter(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    fcm.script("*", {"status": 503, "retry_after": 0, "times": 3})
    waits = []
    at = now
    for chance in (0.5, 0.5, 0.9):
        deliver(lanes, now=at, chance=chance)
        message.refresh_from_db()
        waits.append((message.due_at - at).total_seconds())
        at = message.due_at

    assert waits == pytest.approx([5.0, 10.0, 36.0])


def test_a_retry_that_would_come_too_late_drops_the_message(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    fcm.script("*", {"status": 503, "retry_after": 3600})

    deliver(lanes, now=now)

    assert state_of(message) == ("dropped", "expired")
    assert is_given_back(message)


def test_a_lane_whose_credentials_are_refused_keeps_its_messages(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    fcm.script("*", {"error_code": "PERMISSION_DENIED", "times": 2})

    deliver(lanes, now=now)

    assert state_of(message) == ("queued", "")
    assert message.due_at == now + timedelta(seconds=60)
    assert Receipt.objects.get().outcome == "lane_stopped"
    fcm.reset()
    deliver(lanes, now=message.due_at)
    assert state_of(message) == ("sent", "")


def test_without_credentials_messages_wait_and_the_log_names_the_variable(
    message: OutboxMessage, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    with open_lanes() as closed:
        deliver(closed, now=now)

    assert state_of(message) == ("queued", "")
    assert message.due_at == now + timedelta(seconds=60)
    assert not Receipt.objects.exists()
    [said] = [record for record in caplog.records if "lane_without_credentials" in record.getMessage()]
    assert said.levelname == "ERROR"
    assert "GOOGLE_APPLICATION_CREDENTIALS" in said.getMessage()


def test_a_credentials_file_is_read_again_once_it_is_mended(
    message: OutboxMessage, fcm: RunningFcm, now: datetime, tmp_path: Path
) -> None:
    file = tmp_path / "account.json"
    file.write_text("{}")
    with open_lanes(base_url=fcm.base_url, credentials_file=file) as opened:
        deliver(opened, now=now)
        assert state_of(message) == ("queued", "")
        file.write_text(fcm.credentials_file.read_text())
        deliver(opened, now=message.due_at)

    assert state_of(message) == ("sent", "")


def test_at_a_desk_without_credentials_messages_go_to_the_log(
    message: OutboxMessage, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    with open_lanes(is_console=True) as desk:
        deliver(desk, now=now)

    assert state_of(message) == ("sent", "")
    assert message.coupon.code not in caplog.text
    assert address_of(message.customer.devices.get()) not in caplog.text


def test_a_platform_without_a_gateway_is_a_named_dead_letter(
    lanes: Lanes, fcm: RunningFcm, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(GATEWAYS, "apns")
    store, offer = make_shop(now=now)
    customer = make_customer(now=now, phones=())
    Device.objects.create(
        customer=customer,
        device_id="phone",
        platform=Platform.APNS,
        apns=APNSDevice.objects.create(registration_id="ab" * 32),
        registered_at=now,
        last_seen_at=now,
    )
    message = promise(customer, store=store, offer=offer, now=now)

    deliver(lanes, now=now)

    assert state_of(message) == ("dead", "no_gateway")
    assert fcm.log() == []


def test_a_device_that_is_gone_leaves_the_message_to_the_one_last_seen(
    lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    store, offer = make_shop(now=now)
    customer = make_customer(now=now, phones=("sender", "other"))
    message = promise(customer, store=store, offer=offer, now=now)
    customer.devices.filter(device_id="sender").delete()
    seen = make_phone(customer, device_id="seen", seen_at=now, now=now)

    deliver(lanes, now=now)

    assert [push["token"] for push in fcm.delivered()] == [address_of(seen)]
    assert state_of(message) == ("sent", "")


def test_a_device_removed_while_its_push_is_under_way_still_leaves_a_receipt(
    message: OutboxMessage, lanes: Lanes, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Lanes.send

    def send_while_the_device_goes(*given: object, **more: object) -> object:
        answers = send(*given, **more)
        Device.objects.all().delete()
        return answers

    monkeypatch.setattr(Lanes, "send", send_while_the_device_goes)

    deliver(lanes, now=now)

    assert state_of(message) == ("sent", "")
    assert Receipt.objects.get().device_id is None


def test_a_worker_that_dies_after_sending_leaves_a_message_that_is_shown_once(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("offers.delivery.record_answers", _die)
        with pytest.raises(SystemExit):
            deliver(lanes, now=now)
    assert state_of(message) == ("sending", "")

    assert timedelta(seconds=60) > LEASE
    assert deliver(lanes, now=now + LEASE - timedelta(microseconds=1)) == 0
    assert deliver(lanes, now=now + LEASE) == 1

    assert len(fcm.delivered()) == 2
    assert {push["android"]["notification"]["tag"] for push in fcm.delivered()} == {str(message.message_id)}
    assert (state_of(message), message.attempts) == (("sent", ""), 2)


def _die(*given: object, **more: object) -> None:
    raise SystemExit(1)


def test_an_answer_that_was_lost_is_sent_again_under_the_same_tag(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    fcm.script("*", {"drop": "after"})

    deliver(lanes, now=now)
    message.refresh_from_db()
    deliver(lanes, now=message.due_at)

    assert {push["android"]["notification"]["tag"] for push in fcm.delivered()} == {str(message.message_id)}
    assert state_of(message) == ("sent", "")


def test_a_provider_that_hangs_is_given_up_and_its_messages_are_tried_later(
    fcm: RunningFcm, now: datetime
) -> None:
    messages = promise_many(3, now=now)
    fcm.script("*", {"delay_s": 30, "times": 3})
    with open_lanes(
        base_url=fcm.base_url, credentials_file=fcm.credentials_file, send_limit_s=0.5
    ) as impatient:
        deliver(impatient, now=now, chance=0.5)

    assert [state_of(message) for message in messages] == [("queued", "")] * 3
    assert [message.due_at for message in messages] == [now + timedelta(seconds=5)] * 3


def test_a_request_that_hangs_ends_with_its_time_out(
    message: OutboxMessage, fcm: RunningFcm, now: datetime
) -> None:
    fcm.script("*", {"delay_s": 30})
    with open_lanes(
        base_url=fcm.base_url, credentials_file=fcm.credentials_file, providers={"timeout_s": 0.5}
    ) as impatient:
        deliver(impatient, now=now)

    assert state_of(message) == ("queued", "")
    assert Receipt.objects.get().provider_code == "TIMEOUT"


def test_two_hundred_messages_cost_as_many_queries_as_two(
    lanes: Lanes,
    fcm: RunningFcm,
    now: datetime,
    count_queries: Callable[[], AbstractContextManager[CaptureQueriesContext]],
) -> None:
    store, offer = make_shop(now=now)

    def promise_to(numbers: range) -> None:
        for number in numbers:
            promise(make_customer(now=now, ref=f"C{number}"), store=store, offer=offer, now=now)

    promise_to(range(2))
    with count_queries() as few:
        assert deliver(lanes, now=now, names=["fcm"]) == 2
    promise_to(range(2, 202))
    with count_queries() as many:
        assert deliver(lanes, now=now, names=["fcm"]) == 200

    # claim, look; then the dead-token guard's judgement, and receipts with states
    assert (len(few), len(many)) == (4, 4)
    assert OutboxMessage.objects.filter(state="sent").count() == 202
    assert len(fcm.delivered()) == 202
