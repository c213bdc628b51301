"""/v1/stream as a phone sees it: who gets in, what is understood, and what ends a socket."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from customers.models import BearerToken, Customer
from offers import pipeline
from offers.api.events.door import in_thread
from offers.api.stream import connection
from offers.api.stream.hub import hub
from offers.models import LocationEvent, OpenSocket, SocketServer
from tests.integration.events.phone import call, call_later, make_token
from tests.integration.events.world import LAT, LON, make_aisle, make_customer, make_store
from tests.integration.stream.client import Client, limits, opened, play

pytestmark = pytest.mark.django_db(transaction=True)

DEEP = "[" * 100_000 + "]" * 100_000
PING = {"type": "ping"}
PONG = {"type": "pong"}


@pytest.fixture(autouse=True)
def customer() -> Customer:
    found = make_customer(ref="buyer")
    make_token(found)
    make_aisle(make_store())
    return found


def fix(**location: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "type": "fix",
        "location": {"lat": LAT, "lon": LON, "accuracy_m": 10.0} | location,
        "occurred_at": timezone.now().isoformat(),
    }


def events(seq: Any, *given: Any) -> dict[str, Any]:
    return {"type": "events", "seq": seq, "events": list(given)}


# --- who gets in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way",
    [
        {},
        {"token": None, "subprotocols": ("rayon.v1", "bearer.a-token")},
        {"token": None, "subprotocols": ("bearer.a-token", "rayon.v1")},
    ],
)
def test_a_token_is_taken_from_the_header_or_the_second_subprotocol(way: dict[str, Any]) -> None:
    async def scene() -> None:
        client = Client(**way)
        assert await client.open() == {"type": "websocket.accept", "subprotocol": "rayon.v1", "headers": []}
        assert await client.ask(PING) == PONG

    play(scene)


@pytest.mark.parametrize(
    ("way", "code"),
    [
        ({"token": None}, 4401),
        ({"token": "another"}, 4401),
        ({"token": None, "subprotocols": ("rayon.v1", "bearer.")}, 4401),
        ({"token": None, "subprotocols": ("rayon.v1", "bearer.a-token", "bearer.another")}, 4401),
        ({"token": None, "headers": {"authorization": "Api-Key a-token"}}, 4401),
        ({"token": None, "query": "token=a-token"}, 4401),  # never in the address
        ({"query": "token=a-token"}, 4401),  # and not besides
        ({"subprotocols": ()}, 1002),
        ({"subprotocols": ("rayon.v2",)}, 1002),
    ],
)
def test_who_has_no_credentials_is_told_by_the_code_after_the_handshake(
    way: dict[str, Any], code: int
) -> None:
    async def scene() -> None:
        client = Client(**way)
        assert (await client.open())["type"] == "websocket.accept"
        assert await client.close_code() == code

    play(scene)
    assert OpenSocket.objects.count() == 0


@pytest.mark.parametrize("way", [{"headers": {"origin": "https://evil.example"}}, {"path": "/v1/elsewhere"}])
def test_a_foreign_page_and_an_unknown_path_get_no_handshake(way: dict[str, Any]) -> None:
    async def scene() -> None:
        assert (await Client(**way).open())["type"] == "websocket.close"

    play(scene)


def test_an_expired_token_and_an_erased_customer_are_refused(customer: Customer) -> None:
    async def scene() -> int:
        client = Client()
        await client.open()
        return await client.close_code()

    BearerToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert play(scene) == 4401
    BearerToken.objects.update(expires_at=timezone.now() + timedelta(days=1))
    Customer.objects.update(erased_at=timezone.now())
    assert play(scene) == 4401


# --- what is understood ------------------------------------------------------------------------------------


def test_events_are_answered_as_by_rest_and_are_on_disk() -> None:
    first, bad = fix(), fix(lat=95.0)

    async def scene() -> Any:
        client = await opened()
        by_socket = await client.ask(events(3, first, bad))
        by_rest = await call_later({"events": [first, bad]})
        again = await client.ask(events(4, first))
        return by_socket, by_rest.body, again

    by_socket, by_rest, again = play(scene)
    assert (by_socket["type"], by_socket["seq"]) == ("results", 3)
    assert [result["status"] for result in by_socket["results"]] == ["accepted", "rejected"]
    assert by_rest["results"] == [{**by_socket["results"][0], "status": "duplicate"}, by_socket["results"][1]]
    assert again["results"] == by_rest["results"][:1]
    assert LocationEvent.objects.count() == 1


BAD_FRAMES = [
    ("", "malformed_json"),
    ("{", "malformed_json"),
    ('{"type":"ping","type":"ping"}', "malformed_json"),
    ('{"type":"events","seq":1,"events":[{"lat":NaN}]}', "malformed_json"),
    ('{"type":"events","seq":1,"events":[Infinity]}', "malformed_json"),
    ('{"type":"ack","codes":["\\ud800"]}', "malformed_json"),
    ("\ud800", "malformed_json"),
    ("\ufeff{}", "malformed_json"),
    (DEEP[99_960:100_040], "malformed_json"),
    ('{"type":"events","seq":' + "9" * 5000 + ',"events":[]}', "malformed_json"),
    ("[]", "invalid"),
    ("null", "invalid"),
    ("{}", "invalid"),
    ('{"type":null}', "invalid"),
    ('{"type":[]}', "invalid"),
    ('{"type":"offer"}', "invalid"),
    ('{"type":"ping","seq":1}', "invalid"),
    ('{"type":"events","events":[{}]}', "invalid"),
    ('{"type":"events","seq":true,"events":[{}]}', "invalid"),
    ('{"type":"events","seq":-1,"events":[{}]}', "invalid"),
    ('{"type":"events","seq":1.5,"events":[{}]}', "invalid"),
    ('{"type":"events","seq":1e400,"events":[{}]}', "invalid"),
    ('{"type":"events","seq":1}', "invalid"),
    ('{"type":"events","seq":1,"events":{}}', "invalid"),
    ('{"type":"events","seq":1,"events":[]}', "invalid"),
    ('{"type":"events","seq":1,"events":[' + "0," * 500 + "0]}", "invalid"),
    ('{"type":"ack"}', "invalid"),
    ('{"type":"ack","codes":[]}', "invalid"),
    ('{"type":"ack","codes":[1]}', "invalid"),
    ('{"type":"ack","codes":"A"}', "invalid"),
]


def test_bad_frames_are_answered_by_a_problem_and_the_socket_lives() -> None:
    async def scene() -> list[tuple[str, str, str]]:
        client = await opened()
        wrong = []
        for text, code in BAD_FRAMES:
            await client.say_text(text)
            answer = await client.hear()
            if answer["type"] != "error" or answer["problem"]["code"] != code:
                wrong.append((text[:80], code, str(answer)))
        await client.say_bytes(b"\x00\xff")
        assert (await client.hear())["problem"]["code"] == "unsupported_media_type"
        assert await client.ask(PING) == PONG
        return wrong

    assert play(scene) == []
    assert LocationEvent.objects.count() == 0


def test_poisoned_events_are_rejected_alone_and_the_socket_lives() -> None:
    poisons: list[Any] = [
        None,
        7,
        {},
        {**fix(), "id": 5},
        {**fix(), "extra": 1},
        {**fix(), "type": "fix\0"},
        {**fix(), "geofence": "G\0"},
        {**fix(), "occurred_at": "2026-02-30T10:00:00Z"},
        {**fix(), "occurred_at": "2026-03-29T02:30:00"},
        fix(lat=True),
        fix(lon=200),
        fix(accuracy_m=-1),
        fix(lat="48.8"),
    ]

    async def scene() -> Any:
        client = await opened()
        await client.say_text(
            '{"type":"events","seq":1,"events":[{"id":"0190d3a2-0000-4000-8000-000000000000","type":"fix",'
            '"location":{"lat":1e400,"lon":0,"accuracy_m":1},"occurred_at":"2026-01-01T00:00:00Z"}]}'
        )
        infinite = await client.hear()
        many = await client.ask(events(2, *poisons, fix()))
        assert await client.ask(PING) == PONG
        return [result["status"] for result in infinite["results"] + many["results"]]

    assert play(scene) == ["rejected"] * (len(poisons) + 1) + ["accepted"]


def test_a_problem_tells_which_frame_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*given: Any, **more: Any) -> Any:
        raise OperationalError("gone")

    async def scene() -> Any:
        client = await opened()
        invalid = await client.ask({"type": "events", "seq": 5, "events": {}})
        monkeypatch.setattr(pipeline, "run", away)
        unavailable = await client.ask(events(6, fix()))
        monkeypatch.undo()
        assert (await client.ask(events(7, fix())))["type"] == "results"
        return [
            (frame["type"], frame["problem"]["seq"], frame["problem"]["code"])
            for frame in (invalid, unavailable)
        ]

    assert play(scene) == [("error", 5, "invalid"), ("error", 6, "unavailable")]


# --- what ends a socket ------------------------------------------------------------------------------------


def test_a_frame_of_64_kib_is_read_and_one_byte_more_closes() -> None:
    async def scene() -> int:
        client = await opened()
        ping = '{"type":"ping"}'
        await client.say_text(ping + " " * (65_536 - len(ping)))
        assert await client.hear() == PONG
        await client.say_text(ping + " " * (65_537 - len(ping)))
        return await client.close_code()

    assert play(scene) == 4413


def test_a_large_binary_frame_closes_as_well() -> None:
    async def scene() -> int:
        client = await opened()
        await client.say_bytes(b"\0" * 65_537)
        return await client.close_code()

    assert play(scene) == 4413


@pytest.mark.parametrize(("frames", "each"), [(4, 1), (3, 400)])
def test_too_many_frames_or_events_in_flight_close_after_the_others_were_answered(
    frames: int, each: int
) -> None:
    async def scene() -> Any:
        with limits(socket_max_frames=3):
            client = await opened()
            for seq in range(frames):
                await client.say(events(seq, *([{}] * (each - 1)), fix()))
            answers = sorted([(await client.hear())["seq"] for _ in range(frames - 1)])
            return answers, await client.close_code()

    assert play(scene) == (list(range(frames - 1)), 4429)
    assert LocationEvent.objects.count() == frames - 1


def test_a_client_that_does_not_read_is_closed_and_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FINISH_S", 0.1)
    monkeypatch.setattr(connection, "CLOSE_S", 0.1)

    async def never(message: Any) -> None:
        await asyncio.Event().wait()

    async def scene() -> Any:
        heard = asyncio.Queue()
        talk = connection.Connection(receive=heard.get, send=never)
        talk._is_accepted.set()

        async def answer(message: Any) -> None:
            if talk.in_flight >= 2:
                talk.end(connection.Close.TOO_FAST)
            else:
                talk.start(talk.say("an answer"))

        for _ in range(4):
            heard.put_nowait({"type": "websocket.receive", "text": ""})
        await asyncio.wait_for(talk.serve(answer), 2)
        await asyncio.sleep(0)
        return talk.in_flight

    assert play(scene) == 0


def test_a_silent_socket_is_closed_as_idle_and_a_speaking_one_is_not() -> None:
    async def scene() -> int:
        with limits(socket_beat_s=0.05, socket_idle_s=0.6):
            speaking, silent = await opened(), await opened()
            for _ in range(8):
                assert await speaking.ask(PING) == PONG
                await asyncio.sleep(0.1)
            code = await silent.close_code()
            assert await speaking.ask(PING) == PONG
            return code

    assert play(scene) == 4408


@pytest.mark.parametrize("change", ["expire", "revoke", "replace"])
def test_a_token_that_no_longer_holds_ends_the_socket(change: str) -> None:
    def write() -> None:
        if change == "expire":
            BearerToken.objects.update(expires_at=timezone.now())
        elif change == "revoke":
            BearerToken.objects.all().delete()
        else:
            BearerToken.objects.update(digest=b"\1" * 32)  # as issue_token does: the row stays

    async def scene() -> int:
        with limits(socket_beat_s=0.05):
            client = await opened()
            assert await client.ask(PING) == PONG
            await in_thread(write)
            return await client.close_code()

    assert play(scene) == 4401


def test_draining_answers_what_is_in_flight_then_closes_and_takes_nobody_in() -> None:
    async def scene() -> Any:
        client = await opened()
        await client.say(events(1, fix()))
        await asyncio.sleep(0)
        await client.say(PING)
        assert await client.hear() == PONG  # the frame before it is in flight
        await hub().drain()
        answer, code = await client.hear(), await client.close_code()
        late = Client()
        await late.open()
        return answer["type"], code, await late.close_code()

    assert play(scene) == ("results", 1012, 1012)
    assert LocationEvent.objects.count() == 1


# --- the register ------------------------------------------------------------------------------------------


def test_an_open_socket_is_on_the_register_until_it_is_closed_and_its_process_until_it_ends(
    customer: Customer,
) -> None:
    count = partial(in_thread, OpenSocket.objects.count)

    async def scene() -> Any:
        first, second = await opened(), await opened()
        both = await in_thread(lambda: list(OpenSocket.objects.values_list("customer_id", "device_id")))
        await first.hang_up()
        await asyncio.sleep(0.4)
        one_left = await count()
        await second.hang_up()
        await asyncio.sleep(0.4)
        return both, one_left, await count()

    assert play(scene) == ([(customer.pk, "phone")], 1, 0)
    assert SocketServer.objects.count() == 0


def test_a_process_that_was_taken_for_dead_comes_back_with_its_sockets() -> None:
    async def scene() -> None:
        with limits(socket_beat_s=0.05):
            client = await opened()
            await in_thread(lambda: SocketServer.objects.all().delete())
            await asyncio.sleep(0.5)
            assert await in_thread(OpenSocket.objects.count) == 1
            assert await client.ask(PING) == PONG

    play(scene)


def test_rest_is_served_beside_the_sockets() -> None:
    assert call({"events": [fix()]}).status == 200
