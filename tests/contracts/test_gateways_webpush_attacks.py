"""The Web Push gateway under attack: subscriptions whose endpoints want to reach, hold or flood what they should not."""

import asyncio
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from offers.gateways.port import Outcome, PushMessage, Receipt
from offers.gateways.webpush import WebPushGateway
from offers.gateways.webpush_guard import Guard
from providers.testing_webpush import BrowserAddress, RunningWebPush, running_webpush

from .test_gateways import NOW, push
from .tls_server import Internet, tls_server
from .webpush_side import SUBJECT, key_file, settings_to

HOST = "evil.push.services.mozilla.com"
PUBLIC, ALSO_PUBLIC = "34.107.243.93", "2600:1901:0:92a9::"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningWebPush]:
    with running_webpush() as webpush:
        yield webpush


@pytest.fixture
def webpush(running: RunningWebPush) -> RunningWebPush:
    running.reset()
    return running


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return key_file(tmp_path)


@pytest.fixture
async def gateway(webpush: RunningWebPush, key: Path) -> AsyncIterator[WebPushGateway]:
    async with gateway_to(webpush.base_url, key=key, timeout_s=0.5) as made:
        yield made


@asynccontextmanager
async def gateway_to(*origins: str, key: Path, **changes: Any) -> AsyncIterator[WebPushGateway]:
    guard = Guard.of(settings_to(*origins, key=key))
    made = WebPushGateway(guard=guard, vapid_key_file=key, vapid_subject=SUBJECT, **changes)
    try:
        yield made
    finally:
        await made.aclose()


def to(browser: BrowserAddress, *, endpoint: str | None = None) -> PushMessage:
    token = json.loads(browser.token) | ({} if endpoint is None else {"endpoint": endpoint})
    return push(platform="webpush", token=json.dumps(token))


def told(receipt: Receipt) -> tuple[Outcome, str | None]:
    return receipt.outcome, receipt.provider_code


def names(answers: dict[str, list[str]], asked: list[str]) -> Callable[[str, int], Any]:
    """Return a resolver that gives, call by call, what each name is meant to be."""

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[host]

    return resolve


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(
    webpush: RunningWebPush, gateway: WebPushGateway, status: int
) -> None:
    with running_webpush() as inside:
        browser, victim = webpush.subscribe(), inside.subscribe()
        webpush.script(browser.endpoint, {"status": status, "location": victim.endpoint})

        [receipt] = await gateway.send([to(browser)], now=NOW)

        assert told(receipt) == (Outcome.OUR_FAULT, f"HTTP_{status}")
        assert inside.log() == []
    assert len(webpush.log()) == 1


@pytest.mark.parametrize("status", [201, 500])
async def test_an_answer_without_an_end_is_left_at_the_deadline_and_holds_up_nobody(
    webpush: RunningWebPush, gateway: WebPushGateway, status: int
) -> None:
    dripping, well = webpush.subscribe(), webpush.subscribe()
    webpush.script(dripping.endpoint, {"status": status, "body": "drip"})

    started = time.monotonic()
    receipts = await gateway.send([to(dripping), to(well)], now=NOW)
    took_s = time.monotonic() - started

    assert [told(receipt) for receipt in receipts] == [
        (Outcome.TRY_LATER, "TIMEOUT"),
        (Outcome.ACCEPTED, None),
    ]
    assert 0.5 <= took_s < 1.5


@pytest.mark.parametrize(("status", "outcome"), [(201, Outcome.ACCEPTED), (500, Outcome.TRY_LATER)])
async def test_of_a_huge_answer_little_is_read_and_nothing_kept(
    webpush: RunningWebPush, gateway: WebPushGateway, status: int, outcome: Outcome
) -> None:
    browser = webpush.subscribe()
    webpush.script(browser.endpoint, {"status": status, "body": "huge"})

    with structlog.testing.capture_logs() as lines:
        [receipt] = await gateway.send([to(browser)], now=NOW)
        [again] = await gateway.send([to(browser)], now=NOW)

    assert (receipt.outcome, again.outcome) == (outcome, Outcome.ACCEPTED)
    assert "xxxx" not in repr(lines) + repr(receipt)
    # What left the server lies in the buffers of two sockets; it had 200 MB to give.
    assert webpush.log()[0]["flooded"] < 16 << 20


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.7"],
        ["100.64.0.7"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        [PUBLIC, "127.0.0.1"],
        [ALSO_PUBLIC, PUBLIC, "fd00::1"],
        [],
    ],
)
async def test_a_listed_name_that_leads_inside_is_not_connected_to(
    webpush: RunningWebPush, key: Path, addresses: list[str]
) -> None:
    network, asked = Internet({}), []
    resolve = names({HOST: addresses}, asked)
    async with gateway_to(webpush.base_url, key=key, network=network, resolve=resolve) as gateway:
        [receipt] = await gateway.send([to(webpush.subscribe(), endpoint=f"https://{HOST}/x")], now=NOW)

    assert told(receipt) == (Outcome.OUR_FAULT, "ADDRESS_NOT_PUBLIC")
    assert (network.asked, asked) == ([], [HOST])


async def test_the_real_resolver_and_network_are_guarded_too(webpush: RunningWebPush, key: Path) -> None:
    guard = Guard(allowed_hosts=("127.0.0.1",))  # a list that is itself a mistake
    gateway = WebPushGateway(guard=guard, vapid_key_file=key, vapid_subject=SUBJECT)

    [receipt] = await gateway.send([to(webpush.subscribe(), endpoint="https://127.0.0.1/x")], now=NOW)
    await gateway.aclose()

    assert told(receipt) == (Outcome.OUR_FAULT, "ADDRESS_NOT_PUBLIC")


async def test_the_connection_goes_to_the_judged_address_and_tls_and_host_keep_the_name(
    webpush: RunningWebPush, key: Path, tmp_path: Path
) -> None:
    asked: list[str] = []
    resolve = names({HOST: [PUBLIC]}, asked)
    async with tls_server(HOST, directory=tmp_path) as server:
        network = Internet({PUBLIC: server.port})
        async with gateway_to(key=key, network=network, resolve=resolve, ca_file=server.ca_file) as gateway:
            messages = [to(webpush.subscribe(), endpoint=f"https://{HOST}/push/{n}") for n in range(3)]
            receipts = [(await gateway.send([message], now=NOW))[0] for message in messages]

    assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}
    assert (server.names, server.hosts) == ([HOST], [HOST] * 3)
    # One connection for all three, its name looked up once.
    assert (network.asked, asked) == ([(PUBLIC, 443)], [HOST])


async def test_a_certificate_for_another_name_is_not_believed(
    webpush: RunningWebPush, key: Path, tmp_path: Path
) -> None:
    async with tls_server("attacker.example", directory=tmp_path) as server:
        network = Internet({PUBLIC: server.port})
        resolve = names({HOST: [PUBLIC]}, [])
        async with gateway_to(key=key, network=network, resolve=resolve, ca_file=server.ca_file) as gateway:
            [receipt] = await gateway.send([to(webpush.subscribe(), endpoint=f"https://{HOST}/x")], now=NOW)

    assert told(receipt) == (Outcome.TRY_LATER, "CONNECT_FAILED")
    assert server.hosts == []


async def test_a_name_that_changes_its_mind_is_judged_at_each_connection(
    webpush: RunningWebPush, key: Path, tmp_path: Path
) -> None:
    leads = {HOST: [PUBLIC]}
    async with tls_server(HOST, directory=tmp_path, keeps_open=False) as server:
        network = Internet({PUBLIC: server.port, "127.0.0.1": server.port})
        resolve = names(leads, [])
        async with gateway_to(key=key, network=network, resolve=resolve, ca_file=server.ca_file) as gateway:
            message = to(webpush.subscribe(), endpoint=f"https://{HOST}/x")
            [before] = await gateway.send([message], now=NOW)
            leads[HOST] = ["127.0.0.1"]
            [rebound] = await gateway.send([message], now=NOW)

    assert before.outcome is Outcome.ACCEPTED
    assert told(rebound) == (Outcome.OUR_FAULT, "ADDRESS_NOT_PUBLIC")
    assert network.asked == [(PUBLIC, 443)]


async def test_an_address_that_does_not_answer_gives_way_to_the_next(
    webpush: RunningWebPush, key: Path, tmp_path: Path
) -> None:
    async with tls_server(HOST, directory=tmp_path) as server:
        network = Internet({PUBLIC: server.port})
        resolve = names({HOST: [ALSO_PUBLIC, PUBLIC]}, [])
        async with gateway_to(key=key, network=network, resolve=resolve, ca_file=server.ca_file) as gateway:
            [receipt] = await gateway.send([to(webpush.subscribe(), endpoint=f"https://{HOST}/x")], now=NOW)

    assert receipt.outcome is Outcome.ACCEPTED
    assert network.asked == [(ALSO_PUBLIC, 443), (PUBLIC, 443)]


async def test_a_name_that_is_not_found_or_not_answered_is_tried_later(
    webpush: RunningWebPush, key: Path
) -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    async def silent(host: str, port: int) -> list[str]:
        await asyncio.sleep(30)
        return [PUBLIC]

    codes = []
    for resolve in (unknown, silent):
        async with gateway_to(key=key, resolve=resolve, network=Internet({}), timeout_s=0.3) as gateway:
            message = to(webpush.subscribe(), endpoint=f"https://{HOST}/x")
            [receipt] = await gateway.send([message], now=NOW)
            codes.append(told(receipt))

    assert codes == [(Outcome.TRY_LATER, "CONNECT_FAILED"), (Outcome.TRY_LATER, "TIMEOUT")]


async def test_a_refused_endpoint_costs_neither_its_key_nor_its_neighbours(
    webpush: RunningWebPush, key: Path
) -> None:
    port = webpush.base_url.rpartition(":")[2]
    endpoints = {
        "http://169.254.169.254/latest/meta-data": "ENDPOINT_NOT_HTTPS",
        "https://169.254.169.254/latest/meta-data": "ENDPOINT_HOST_NOT_ALLOWED",
        f"https://fcm.googleapis.com@127.0.0.1:{port}/push/x": "ENDPOINT_WITH_USER_INFO",
        f"https://fcm.googleapis.com:{port}/push/x": "ENDPOINT_PORT_NOT_443",
        f"http://localhost:{port}/push/x": "ENDPOINT_NOT_HTTPS",
        "https://fcm.googleapis.com/x#y": "ENDPOINT_WITH_FRAGMENT",
        "https://fcm.googleapis.com/\r\nx: y": "ENDPOINT_MALFORMED",
    }
    browser, asked = webpush.subscribe(), []
    resolve = names({}, asked)
    async with gateway_to(webpush.base_url, key=key, resolve=resolve) as gateway:
        messages = [to(browser, endpoint=endpoint) for endpoint in endpoints]
        receipts = await gateway.send([*messages, to(browser)], now=NOW)

    assert [told(receipt) for receipt in receipts] == [
        *((Outcome.OUR_FAULT, code) for code in endpoints.values()),
        (Outcome.ACCEPTED, None),
    ]
    assert (asked, len(webpush.log())) == ([], 1)


async def test_nothing_goes_through_a_proxy_that_the_environment_names(
    webpush: RunningWebPush, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.getsockname()[1]}")
        async with gateway_to(webpush.base_url, key=key) as gateway:
            [receipt] = await gateway.send([to(webpush.subscribe())], now=NOW)
        proxy.setblocking(False)

        assert receipt.outcome is Outcome.ACCEPTED
        with pytest.raises(BlockingIOError):
            proxy.accept()


async def test_no_log_line_of_any_library_holds_an_endpoint(
    webpush: RunningWebPush, gateway: WebPushGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    browser = webpush.subscribe()
    webpush.script(browser.endpoint, {}, {"status": 500}, {"drop": "before"})

    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            await gateway.send([to(browser)], now=NOW)

    assert len(lines) == 3
    assert browser.endpoint.rpartition("/")[2] not in caplog.text + repr(lines)
