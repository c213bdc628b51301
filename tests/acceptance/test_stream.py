"""Sockets as apps use them: real server, real worker, the channel layer over PostgreSQL and over Redis, a local FCM."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from customers.api.credentials import token_digest
from customers.models import BearerToken, Customer
from offers.models import LocationEvent, OpenSocket, OutboxMessage, Receipt, SocketServer
from providers.testing import running_fcm
from tests.acceptance.phones import open_socket, stream_url
from tests.acceptance.redis_server import running_redis
from tests.acceptance.service import Service, beacon_event, now_text, running_service
from tests.acceptance.test_yoghurt import (
    BEACON,
    MILK,
    YOGHURT,
    made,
    pass_the_aisle,
    publish_the_offer,
    stock_the_store,
    welcome,
)

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

ACK_S = 2.0
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "config.settings",  # those of the tests have a channel layer that no other process hears
    "RAYON_SOCKET_ACK_S": str(ACK_S),
    "RAYON_SOCKET_BEAT_S": "0.5",
}


@pytest.fixture(scope="module", params=["postgres", "redis"])
def running(
    request: pytest.FixtureRequest, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    with ExitStack() as stack:
        fcm = stack.enter_context(running_fcm())
        layer = {"REDIS_URL": stack.enter_context(running_redis())} if request.param == "redis" else {}
        home = tmp_path_factory.mktemp("home")
        yield stack.enter_context(running_service(fcm=fcm, home=home, settings={**SETTINGS, **layer}))


@pytest.fixture
def service(running: Service, transactional_db: None) -> Service:
    running.fcm.reset()
    running.new_key()
    return running


@pytest.fixture
def buyer(service: Service) -> str:
    """The token of a customer who buys that yoghurt, in a store that offers it."""
    stock_the_store(service)
    publish_the_offer(service)
    return welcome(service, ref="buyer", bought=YOGHURT, phone_token="buyers-phone-token")


def coupons_in(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [made["coupon"] for result in results for made in result["decisions"] if made["coupon"]]


def fix() -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "type": "fix",
        "location": {"lat": 48.9, "lon": 2.5, "accuracy_m": 12.0},
        "occurred_at": now_text(),
    }


def wait_until_sent() -> OutboxMessage:
    until = time.monotonic() + 5
    while (message := OutboxMessage.objects.get()).state != "sent" and time.monotonic() < until:
        time.sleep(0.05)
    return message


def test_a_coupon_that_the_app_acknowledges_is_pushed_to_nobody(service: Service, buyer: str) -> None:
    with open_socket(service, buyer) as phone:
        phone.say(type="events", seq=7, events=[beacon_event(beacon=BEACON)])
        answer = phone.hear()
        assert (answer["type"], answer["seq"]) == ("results", 7)
        [coupon] = coupons_in(answer["results"])
        phone.say(type="ack", codes=[coupon["code"]])
        message = wait_until_sent()

        assert (message.state, message.channel) == ("sent", "socket")
        assert phone.is_silent(for_s=ACK_S + 1)
    assert service.fcm.log() == []
    receipts = list(Receipt.objects.values_list("platform", "outcome"))
    assert receipts.count(("socket", "accepted")) == 1
    assert set(receipts) <= {("socket", "accepted"), ("socket", "offered")}


def test_a_coupon_without_an_acknowledgement_is_pushed_once_when_the_time_is_over(
    service: Service, buyer: str
) -> None:
    with open_socket(service, buyer) as phone:
        started = time.monotonic()
        phone.say(type="events", seq=1, events=[beacon_event(beacon=BEACON)])
        [coupon] = coupons_in(phone.hear()["results"])
        [push] = service.wait_for_pushes(1)

        assert time.monotonic() - started >= ACK_S
        assert push["data"]["code"] == coupon["code"]
        assert len(service.wait_for_pushes(2, within_s=2.0)) == 1
        assert phone.is_silent(for_s=0.5)  # the results held it: no offer besides
    assert wait_until_sent().channel == "push"


def test_what_is_decided_elsewhere_comes_as_an_offer_to_that_phone_alone(
    service: Service, buyer: str
) -> None:
    neighbour = welcome(service, ref="neighbour", bought=MILK, phone_token="neighbours-phone-token")
    with open_socket(service, buyer) as phone, open_socket(service, neighbour) as other:
        result = pass_the_aisle(service, buyer, beacon_event(beacon=BEACON))
        [coupon] = coupons_in([result])
        offer = phone.hear()

        assert offer == {"type": "offer", "coupon": coupon}
        phone.say(type="ack", codes=[coupon["code"].lower().replace("-", "")])
        assert wait_until_sent().channel == "socket"
        assert other.is_silent(for_s=ACK_S + 1)
    assert service.fcm.log() == []


def test_the_same_event_by_socket_and_by_rest_has_one_answer_and_one_coupon(
    service: Service, buyer: str
) -> None:
    event = beacon_event(beacon=BEACON)
    with open_socket(service, buyer) as phone:
        phone.say(type="events", seq=1, events=[event])
        [first] = phone.hear()["results"]
        again = pass_the_aisle(service, buyer, event)
        phone.say(type="events", seq=2, events=[event])
        third = phone.hear()

    assert again == {**first, "status": "duplicate"}
    assert third == {"type": "results", "seq": 2, "results": [again]}
    assert OutboxMessage.objects.count() == 1


def test_a_token_that_was_replaced_ends_the_socket_and_a_foreign_page_gets_none(
    service: Service, buyer: str
) -> None:
    with open_socket(service, buyer) as phone:
        made(service.office("POST", "/v1/customers/buyer/tokens", {"device_id": "phone"}))
        with pytest.raises(ConnectionClosed) as closed:
            phone.hear()
    assert closed.value.rcvd.code == 4401

    with pytest.raises(InvalidStatus) as refused:
        connect(stream_url(service), origin=Origin("https://evil.example"), proxy=None)
    assert refused.value.response.status_code == 403


def test_an_erased_customer_is_cut_off(service: Service, buyer: str) -> None:
    with open_socket(service, buyer) as phone:
        assert service.phone(buyer, "DELETE", "/v1/me").status_code == 202
        with pytest.raises(ConnectionClosed) as closed:
            phone.hear()
    assert closed.value.rcvd.code == 4401


def test_two_hundred_sockets_that_speak_at_once_are_all_answered(service: Service, buyer: str) -> None:
    tokens = [f"token-{number}" for number in range(200)]
    customer, now = Customer.objects.get(ref="buyer"), datetime.now(UTC)
    BearerToken.objects.bulk_create(
        BearerToken(
            digest=token_digest(token),
            customer=customer,
            device_id=token,
            created_at=now,
            expires_at=now + timedelta(hours=1),
        )
        for token in tokens
    )

    async def one(number: int) -> str:
        protocols = ["rayon.v1", f"bearer.{tokens[number]}"]
        url = stream_url(service)
        async with connect_async(url, subprotocols=protocols, proxy=None, open_timeout=60) as socket:
            assert socket.subprotocol == "rayon.v1"
            await everybody.wait()
            await socket.send(json.dumps({"type": "events", "seq": number, "events": [fix()]}))
            answer = json.loads(await asyncio.wait_for(socket.recv(), 60))
            assert (answer["type"], answer["seq"]) == ("results", number)
            return str(answer["results"][0]["status"])

    async def all_of_them() -> list[str]:
        return list(await asyncio.gather(*(one(number) for number in range(200))))

    everybody = asyncio.Barrier(200)
    assert asyncio.run(all_of_them()) == ["accepted"] * 200
    assert LocationEvent.objects.count() == 200


def test_offers_arrive_again_after_the_database_dropped_every_connection(
    service: Service, buyer: str
) -> None:
    with open_socket(service, buyer) as phone:
        before = SocketServer.objects.get().channel
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        until = time.monotonic() + 15
        while SocketServer.objects.get().channel == before and time.monotonic() < until:
            time.sleep(0.1)
        [coupon] = coupons_in([pass_the_aisle(service, buyer, beacon_event(beacon=BEACON))])

        assert phone.hear() == {"type": "offer", "coupon": coupon}


def test_a_restart_answers_what_is_in_flight_and_closes_with_1012(
    transactional_db: None, tmp_path: Path
) -> None:
    with running_fcm() as fcm, running_service(fcm=fcm, home=tmp_path, settings=SETTINGS) as service:
        service.new_key()
        made(service.office("PUT", "/v1/customers/c", {"time_zone": "Europe/Paris"}))
        token = made(service.office("POST", "/v1/customers/c/tokens", {"device_id": "phone"}))["token"]
        assert service.server is not None
        with open_socket(service, token) as phone:
            for seq in range(20):
                phone.say(type="events", seq=seq, events=[fix() for _ in range(20)])
            answered = [phone.hear()["seq"]]
            service.server.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    answered.append(phone.hear()["seq"])
        assert service.server.wait(15) in (0, -signal.SIGTERM)

    assert closed.value.rcvd.code == 1012
    assert LocationEvent.objects.count() == 20 * len(answered)
    assert OpenSocket.objects.count() == 0
