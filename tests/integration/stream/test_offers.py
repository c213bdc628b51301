"""Which way a promised message goes: the phone's open socket once, then the push; and what an acknowledgement ends."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection
from django.utils import timezone

from customers.models import Customer
from offers.api.events.door import in_thread
from offers.gateways.port import Outcome, PushMessage
from offers.gateways.socket import SocketGateway
from offers.models import OpenSocket, OutboxMessage, Receipt, SocketServer
from offers.operations.erasure import erase_customer
from offers.operations.sockets import acknowledge, close_sockets, open_socket, renew_server
from offers.rules.coupon_codes import grouped
from offers.stages.deliver import Lanes, look_again
from providers.testing import RunningFcm, running_fcm
from tests.integration.delivery.outbox import (
    deliver,
    make_customer,
    make_shop,
    open_lanes,
    promise,
    state_of,
)
from tests.integration.events.phone import make_token
from tests.integration.stream.client import opened, play

pytestmark = pytest.mark.django_db(transaction=True)

ACK = timedelta(seconds=10)


@pytest.fixture(scope="module")
def local_fcm() -> Iterator[RunningFcm]:
    with running_fcm() as fcm:
        yield fcm


@pytest.fixture
def fcm(local_fcm: RunningFcm) -> RunningFcm:
    local_fcm.reset()
    return local_fcm


@pytest.fixture
def lanes(fcm: RunningFcm) -> Iterator[Lanes]:
    with open_lanes(base_url=fcm.base_url, credentials_file=fcm.credentials_file) as opened_lanes:
        yield opened_lanes


def make_message(*, now: datetime, ref: str = "C1", **changed: Any) -> OutboxMessage:
    store, offer = make_shop(now=now)
    return promise(make_customer(now=now, ref=ref), store=store, offer=offer, now=now, **changed)


def hold_socket(customer: Customer, *, now: datetime, device_id: str = "phone", lease_s: float = 15) -> str:
    server = SocketServer.objects.create(
        channel=f"stream.test!{customer.pk}{device_id}", alive_until=now + timedelta(seconds=lease_s)
    )
    OpenSocket.objects.create(customer=customer, device_id=device_id, server=server, opened_at=now)
    return server.channel


def receipts() -> list[tuple[str, str, str]]:
    return list(Receipt.objects.order_by("id").values_list("platform", "outcome", "provider_code"))


def ack(message: OutboxMessage, *, now: datetime, customer: Customer | None = None) -> int:
    code = grouped(message.coupon.code).lower()
    owner = customer or message.customer
    return acknowledge(customer_id=owner.pk, device_id="phone", codes=[code, code, "nonsense"], now=now)


def test_an_open_socket_is_offered_the_message_once_and_then_the_push_goes(
    now: datetime, lanes: Lanes, fcm: RunningFcm
) -> None:
    message = make_message(now=now)
    hold_socket(message.customer, now=now, lease_s=60)

    assert deliver(lanes, now=now) == 2  # handed over to the sockets' lane, and offered
    assert (state_of(message), message.lane, message.due_at) == (("queued", ""), "fcm", now + ACK)
    assert receipts() == [("socket", "offered", "")]
    assert deliver(lanes, now=now + ACK - timedelta(seconds=1)) == 0
    assert fcm.log() == []

    assert deliver(lanes, now=now + ACK) == 1
    assert state_of(message) == ("sent", "")
    assert [push["data"]["message_id"] for push in fcm.delivered()] == [str(message.message_id)]
    assert deliver(lanes, now=now + 3 * ACK) == 0
    assert message.channel == "push"


def test_each_change_of_lanes_wakes_the_workers(now: datetime, lanes: Lanes) -> None:
    """To the sockets' lane, and on to the push's: that lane knows of nothing, and would sleep past the deadline."""
    message = make_message(now=now)
    hold_socket(message.customer, now=now, lease_s=60)
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as listening:
        listening.execute("LISTEN rayon_outbox")
        deliver(lanes, now=now)
        assert (state_of(message), message.lane) == (("queued", ""), "fcm")
        assert len(list(listening.notifies(timeout=2, stop_after=2))) == 2


def test_an_acknowledged_message_is_finished_by_the_socket_and_pushed_to_nobody(
    now: datetime, lanes: Lanes, fcm: RunningFcm
) -> None:
    message = make_message(now=now)
    hold_socket(message.customer, now=now)
    deliver(lanes, now=now)

    assert ack(message, now=now + timedelta(seconds=3)) == 1
    assert ack(message, now=now + timedelta(seconds=4)) == 0  # twice is once

    assert state_of(message) == ("sent", "")
    assert (message.channel, message.finished_at) == ("socket", now + timedelta(seconds=3))
    assert receipts() == [("socket", "offered", ""), ("socket", "accepted", "")]
    assert deliver(lanes, now=now + 2 * ACK) == 0
    assert fcm.log() == []


def test_an_acknowledgement_may_come_before_the_worker_and_while_it_holds_the_message(
    now: datetime, lanes: Lanes, fcm: RunningFcm
) -> None:
    early = make_message(now=now)
    assert ack(early, now=now) == 1
    assert deliver(lanes, now=now) == 0

    held = promise(early.customer, store=early.coupon.store, offer=early.coupon.offer, now=now)
    OutboxMessage.objects.filter(pk=held.pk).update(state="sending", attempts=1, lease_until=now + ACK)
    assert ack(held, now=now) == 1
    assert state_of(held) == ("sent", "")
    assert deliver(lanes, now=now + timedelta(minutes=2)) == 0  # the lease went with it
    assert fcm.log() == []


def test_nobody_acknowledges_for_another(now: datetime) -> None:
    message = make_message(now=now)
    stranger = make_customer(now=now, ref="C2")

    assert ack(message, now=now, customer=stranger) == 0
    assert state_of(message) == ("queued", "")
    assert receipts() == []


@pytest.mark.parametrize("why", ["dead server", "other phone", "no time left"])
def test_the_push_goes_at_once_where_no_socket_can_answer_in_time(
    now: datetime, lanes: Lanes, fcm: RunningFcm, why: str
) -> None:
    more = {"expires_at": now + ACK} if why == "no time left" else {}
    message = make_message(now=now, **more)
    hold_socket(
        message.customer,
        now=now,
        lease_s=0 if why == "dead server" else 15,
        device_id="tablet" if why == "other phone" else "phone",
    )

    deliver(lanes, now=now)

    assert state_of(message) == ("sent", "")
    assert len(fcm.delivered()) == 1


def test_a_phone_is_registered_with_a_living_process_and_not_after_its_erasure(now: datetime) -> None:
    customer = make_customer(now=now)
    first = SocketServer.objects.create(channel="stream.a!1", alive_until=now)
    second = SocketServer.objects.create(channel="stream.b!1", alive_until=now)

    def opens(server_id: int) -> bool:
        return open_socket(customer_id=customer.pk, device_id="phone", server_id=server_id, now=now)

    assert [opens(first.pk), opens(second.pk), opens(second.pk + 1)] == [True, True, False]
    close_sockets([(customer.pk, "phone")], server_id=first.pk)  # it has come back by the other one
    assert OpenSocket.objects.get().server_id == second.pk

    erase_customer(customer_id=customer.pk, now=now)
    assert OpenSocket.objects.count() == 0
    assert opens(second.pk) is False


def test_a_server_that_died_is_forgotten_with_its_sockets(now: datetime) -> None:
    customer = make_customer(now=now)
    hold_socket(customer, now=now, lease_s=15)
    mine = SocketServer.objects.create(channel="stream.mine!1", alive_until=now)
    later = now + timedelta(seconds=16)

    assert renew_server(server_id=mine.pk, channel="stream.mine!2", alive_until=later, now=later)
    assert list(SocketServer.objects.values_list("channel", "alive_until")) == [("stream.mine!2", later)]
    assert OpenSocket.objects.count() == 0
    assert not renew_server(server_id=mine.pk + 1000, channel="x", alive_until=later, now=later)


async def test_a_channel_layer_that_fails_leaves_the_message_to_the_push_at_once(now: datetime) -> None:
    class Broken:
        async def send(self, channel: str, message: Any) -> None:
            raise ConnectionError

    gateway = SocketGateway(layer=Broken())
    message = PushMessage(
        message_id="m",
        platform="socket",
        token="stream.x!y",
        title="",
        body="",
        expires_at=now,
        registered_at=now,
        data={"customer": "1", "device": "phone"},
    )
    [receipt] = await gateway.send([message], now=now)
    assert (receipt.outcome, receipt.provider_code, receipt.retry_at) == (Outcome.OFFERED, "NOT_REACHED", now)
    await gateway.aclose()


def test_the_second_look_stays_one_query_with_sockets(now: datetime, count_queries: Any) -> None:
    message = make_message(now=now)
    hold_socket(message.customer, now=now)
    with count_queries() as seen:
        looked = look_again({message.pk: 1}, lane="socket", now=now, params=settings.RAYON)
    assert len(seen) == 1
    assert [(parcel.push.platform, parcel.next_lane) for parcel in looked.parcels] == [("socket", "fcm")]


# --- on the socket -----------------------------------------------------------------------------------------


async def offer_to(message: OutboxMessage, *, device_id: str = "phone") -> None:
    """Do what the worker's gateway does."""
    channel = await in_thread(lambda: SocketServer.objects.get().channel)
    layer = get_channel_layer()
    assert layer is not None
    to = [[message.customer_id, device_id, str(message.message_id)]]
    await layer.send(channel, {"type": "offers", "to": to})


def test_an_offer_goes_to_its_own_phone_alone_once_and_only_while_it_waits() -> None:
    now = timezone.now()
    message = make_message(now=now)
    make_token(message.customer)
    other = make_customer(now=now, ref="C2")
    make_token(other, token="another-token")
    make_token(message.customer, token="tablets-token", device_id="tablet")

    async def scene() -> Any:
        phone, stranger = await opened(), await opened(token="another-token")
        tablet = await opened(token="tablets-token")
        await offer_to(message)
        offer = await phone.hear()
        await offer_to(message)  # a worker that died before it wrote down what it did offers again
        is_told_once = await phone.is_silent()
        await phone.say({"type": "ack", "codes": [offer["coupon"]["code"]]})
        await asyncio.sleep(0.2)
        late = await opened()
        await offer_to(message)
        silent = [await each.is_silent() for each in (late, stranger, tablet)]
        return offer, is_told_once, silent

    offer, is_told_once, silent = play(scene)
    assert offer["type"] == "offer"
    assert offer["coupon"]["code"] == grouped(message.coupon.code)
    assert offer["coupon"]["title"] == "20 % sur Danone"
    assert (is_told_once, silent) == (True, [True] * 3)
    assert state_of(message) == ("sent", "")
    assert message.channel == "socket"


def test_an_offer_under_anothers_name_is_told_to_nobody() -> None:
    now = timezone.now()
    message = make_message(now=now)
    other = make_customer(now=now, ref="C2")
    make_token(other)

    async def scene() -> bool:
        phone = await opened()
        message.customer_id = other.pk
        await offer_to(message)
        return await phone.is_silent()

    assert play(scene) is True
