"""FCM over HTTP/2: one connection, what becomes of the messages on it, and when it is not taken."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from offers.gateways.fcm import FcmGateway
from offers.gateways.fcm_ways import is_proxied
from offers.gateways.http2_connection import MAX_BODY_BYTES
from offers.gateways.port import Outcome
from providers.testing import RunningFcm, running_fcm

from .test_gateways import NOW, push

LATER = Outcome.TRY_LATER
MadeFcm = Callable[..., FcmGateway]


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return "HTTP/2"


def connections(fcm: RunningFcm) -> set[int]:
    return {entry["connection"] for entry in fcm.log()}


async def test_many_messages_share_one_connection(fcm: RunningFcm, made_fcm: MadeFcm) -> None:
    gateway = made_fcm(concurrency=500)

    receipts = await gateway.send([push() for _ in range(500)], now=NOW)

    assert Counter(r.outcome for r in receipts) == {Outcome.ACCEPTED: 500}
    assert len(fcm.delivered()) == 500
    assert len(connections(fcm)) == 1 and 0 not in connections(fcm)


async def test_a_plain_address_is_spoken_to_without_tls_over_http1(
    fcm: RunningFcm, made_fcm: MadeFcm
) -> None:
    [receipt] = await made_fcm(base_url=fcm.base_url).send([push()], now=NOW)

    assert receipt.outcome is Outcome.ACCEPTED
    assert connections(fcm) == {0}


async def test_a_goaway_is_made_good_at_once_and_nothing_is_sent_twice(
    fcm: RunningFcm, made_fcm: MadeFcm
) -> None:
    gateway = made_fcm(concurrency=20)
    messages = [push() for _ in range(200)]
    fcm.script("*", {"delay_s": 0.01, "times": 100}, {"goaway": "session_timed_out"})

    with structlog.testing.capture_logs() as lines:
        receipts = await gateway.send(messages, now=NOW)

    assert Counter(r.outcome for r in receipts) == {Outcome.ACCEPTED: 200}
    assert Counter(m["token"] for m in fcm.delivered()) == Counter(m.token for m in messages)
    assert len(connections(fcm)) == 2
    said = [line for line in lines if line["event"] != "push_sent"]
    assert [(line["event"], line["gateway"]) for line in said] == [("http2_goaway", "fcm")]


@pytest.mark.parametrize("not_processed", [{"reset": "before"}, {"goaway": "max_age"}])
async def test_what_was_not_processed_is_sent_once_more_and_not_twice(
    fcm: RunningFcm, fcm_gateway: FcmGateway, not_processed: dict[str, str]
) -> None:
    once, ever = push(), push()
    fcm.script(once.token, not_processed)
    fcm.script(ever.token, not_processed, not_processed, not_processed)

    [one] = await fcm_gateway.send([once], now=NOW)
    [other] = await fcm_gateway.send([ever], now=NOW)

    assert one.outcome is Outcome.ACCEPTED
    assert (other.outcome, other.status) == (LATER, None)
    assert other.provider_code in ("STREAM_REFUSED", "GOAWAY")
    assert [entry["token"] for entry in fcm.log()] == [once.token] * 2 + [ever.token] * 2
    assert [message["token"] for message in fcm.delivered()] == [once.token]


async def test_a_stream_that_was_reset_may_have_been_processed_and_is_not_sent_again(
    fcm: RunningFcm, fcm_gateway: FcmGateway
) -> None:
    message = push()
    fcm.script(message.token, {"reset": "after"})

    [receipt] = await fcm_gateway.send([message], now=NOW)

    assert (receipt.outcome, receipt.provider_code) == (LATER, "STREAM_RESET")
    assert len(fcm.log()) == 1


async def test_a_connection_lost_in_the_middle_loses_nothing(fcm: RunningFcm, made_fcm: MadeFcm) -> None:
    gateway = made_fcm(concurrency=20)
    messages = [push() for _ in range(100)]
    fcm.script(messages[50].token, {"drop": "after"})

    first = await gateway.send(messages, now=NOW)
    again = [m for m, r in zip(messages, first, strict=True) if r.outcome is LATER]
    second = await gateway.send(again, now=NOW)

    assert {r.provider_code for r in first} == {None, "CONNECTION_LOST"}
    assert 1 <= len(again) <= 20  # no more than were under way
    assert {r.outcome for r in second} == {Outcome.ACCEPTED}
    assert {m["token"] for m in fcm.delivered()} == {m.token for m in messages}


async def test_a_server_that_no_authority_vouches_for_gets_nothing_and_is_not_asked_again(
    fcm: RunningFcm, made_fcm: MadeFcm
) -> None:
    gateway = made_fcm(ca_file=None, concurrency=1)

    receipts = await gateway.send([push() for _ in range(3)], now=NOW)

    assert {(r.outcome, r.provider_code) for r in receipts} == {(LATER, "CONNECT_FAILED")}
    assert fcm.log() == []


async def test_an_idle_connection_that_was_cut_while_nobody_looked_costs_no_message(
    made_fcm: MadeFcm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offers.gateways.http2_shared.IDLE_S", -1.0)
    with running_fcm(directory=tmp_path) as short_lived:
        gateway = made_fcm(short_lived)
        await gateway.send([push()], now=NOW)

    [receipt] = await gateway.send([push()], now=NOW)  # by now, nobody is there

    assert (receipt.outcome, receipt.provider_code) == (LATER, "CONNECT_FAILED")


async def test_a_token_too_large_for_one_frame_is_our_fault_and_holds_nobody_up(
    fcm: RunningFcm, fcm_gateway: FcmGateway
) -> None:
    receipts = await fcm_gateway.send([push(token="x" * MAX_BODY_BYTES), push()], now=NOW)

    assert [(r.outcome, r.provider_code) for r in receipts] == [
        (Outcome.OUR_FAULT, "TOKEN_TOO_LARGE"),
        (Outcome.ACCEPTED, None),
    ]
    assert len(fcm.log()) == 1


@pytest.mark.parametrize(
    ("environment", "is_through_proxy"),
    [
        ({}, False),
        ({"https_proxy": "http://127.0.0.1:3128"}, True),
        ({"all_proxy": "http://127.0.0.1:3128"}, True),
        ({"http_proxy": "http://127.0.0.1:3128"}, False),
        ({"https_proxy": "http://127.0.0.1:3128", "no_proxy": "localhost,fcm.example"}, False),
        ({"https_proxy": "http://127.0.0.1:3128", "no_proxy": "other.example"}, True),
    ],
)
def test_the_environment_s_proxies_are_known(
    environment: dict[str, str], is_through_proxy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert is_proxied("https://fcm.example:8443/x") is is_through_proxy


async def test_where_the_environment_has_a_proxy_everything_goes_through_it(
    fcm: RunningFcm, made_fcm: MadeFcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxy() as (url, asked):
        monkeypatch.setenv("https_proxy", url)
        monkeypatch.setenv("no_proxy", "")
        receipts = await made_fcm().send([push() for _ in range(5)], now=NOW)

    assert {r.outcome for r in receipts} == {Outcome.ACCEPTED}
    assert set(asked) == {f"CONNECT {fcm.tls_base_url.removeprefix('https://')} HTTP/1.1"}


@asynccontextmanager
async def proxy() -> AsyncIterator[tuple[str, list[str]]]:
    """Yield the address of a proxy, and what it was asked for."""
    asked: list[str] = []
    serving: set[asyncio.Task[None] | None] = set()

    async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while block := await reader.read(1 << 16):
                writer.write(block)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0])
        host, port = asked[-1].split()[1].split(":")
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(copied(reader, back), copied(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        open_still = [task for task in serving if task is not None]
        for task in open_still:
            task.cancel()
        await asyncio.gather(*open_still, return_exceptions=True)
