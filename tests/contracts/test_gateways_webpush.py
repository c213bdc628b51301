"""The Web Push gateway against a push service that decrypts: one row per line of the catalogue."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from offers.gateways.port import Outcome, PushMessage, Receipt
from offers.gateways.webpush import WebPushGateway
from offers.gateways.webpush_guard import Guard
from offers.gateways.webpush_vapid import load_key, public_key_text
from providers.testing_webpush import BrowserAddress, RunningWebPush, running_webpush

from .test_gateways import NOW, push
from .webpush_side import SUBJECT, key_file, settings_to

AT_ONCE = time.time()


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
    made = new_gateway(webpush.base_url, key=key)
    yield made
    await made.aclose()


def new_gateway(*origins: str, key: Path, **changes: Any) -> WebPushGateway:
    # A clock that stands still: no time passes within a call, so that retry_at is exact.
    arguments = {"timeout_s": 5.0, "clock": lambda: AT_ONCE, **changes}
    guard = Guard.of(settings_to(*origins, key=key))
    return WebPushGateway(guard=guard, vapid_key_file=key, vapid_subject=SUBJECT, **arguments)


def to(browser: BrowserAddress, **changes: Any) -> PushMessage:
    return push(platform="webpush", token=browser.token, **changes)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


CATALOGUE: list[tuple[dict[str, Any], Outcome, str, int | None, float | None]] = [
    ({"error_code": "NO_TTL"}, Outcome.OUR_FAULT, "HTTP_400", 400, None),
    ({"error_code": "BAD_TOPIC"}, Outcome.OUR_FAULT, "HTTP_400", 400, None),
    ({"error_code": "TOO_LARGE"}, Outcome.OUR_FAULT, "HTTP_413", 413, None),
    ({"error_code": "NO_VAPID"}, Outcome.LANE_STOPPED, "VAPID_REFUSED", 401, None),
    ({"error_code": "VAPID_REFUSED"}, Outcome.LANE_STOPPED, "VAPID_REFUSED", 403, None),
    ({"error_code": "BAD_JWT_APPLE"}, Outcome.LANE_STOPPED, "VAPID_REFUSED", 403, None),
    ({"error_code": "UNAUTHORIZED_REGISTRATION"}, Outcome.LANE_STOPPED, "VAPID_REFUSED", 400, None),
    ({"error_code": "KEY_MISMATCH"}, Outcome.LANE_STOPPED, "VAPID_KEY_MISMATCH", 401, None),
    ({"error_code": "KEY_MISMATCH_GOOGLE"}, Outcome.LANE_STOPPED, "VAPID_KEY_MISMATCH", 403, None),
    ({"error_code": "KEY_MISMATCH_APPLE"}, Outcome.LANE_STOPPED, "VAPID_KEY_MISMATCH", 400, None),
    ({"error_code": "NOT_FOUND"}, Outcome.DEAD_TOKEN, "NOT_FOUND", 404, None),
    ({"error_code": "GONE"}, Outcome.DEAD_TOKEN, "GONE", 410, None),
    ({"error_code": "TOO_MANY"}, Outcome.TRY_LATER, "TOO_MANY_REQUESTS", 429, 60),
    ({"error_code": "TOO_MANY", "retry_after": 7}, Outcome.TRY_LATER, "TOO_MANY_REQUESTS", 429, 7),
    ({"error_code": "INTERNAL"}, Outcome.TRY_LATER, "HTTP_500", 500, 10),
    ({"error_code": "UNAVAILABLE"}, Outcome.TRY_LATER, "HTTP_503", 503, 10),
    ({"error_code": "UNAVAILABLE", "retry_after": 120}, Outcome.TRY_LATER, "HTTP_503", 503, 120),
    ({"status": 502}, Outcome.TRY_LATER, "HTTP_502", 502, 10),
    ({"status": 405}, Outcome.OUR_FAULT, "HTTP_405", 405, None),
    ({"status": 302, "location": "/elsewhere"}, Outcome.OUR_FAULT, "HTTP_302", 302, None),
    ({"status": 308, "location": "/elsewhere"}, Outcome.OUR_FAULT, "HTTP_308", 308, None),
    ({"drop": "before"}, Outcome.TRY_LATER, "CONNECTION_LOST", None, 10),
    ({"drop": "after"}, Outcome.TRY_LATER, "CONNECTION_LOST", None, 10),
]


@pytest.mark.parametrize(("answer", "outcome", "code", "status", "wait_s"), CATALOGUE)
async def test_an_answer_means_what_the_catalogue_says(
    webpush: RunningWebPush,
    gateway: WebPushGateway,
    answer: dict[str, Any],
    outcome: Outcome,
    code: str,
    status: int | None,
    wait_s: float | None,
) -> None:
    browser = webpush.subscribe()
    message = to(browser)
    webpush.script(browser.endpoint, answer)

    receipts = await gateway.send([message], now=NOW)

    assert receipts == [
        Receipt(
            message_id=message.message_id,
            outcome=outcome,
            provider_code=code,
            status=status,
            retry_at=None if wait_s is None else after(wait_s),
        )
    ]
    assert len(webpush.log()) == 1


@pytest.mark.parametrize("answer", [{}, {"status": 200}, {"status": 202}, {"ttl": 60}])
async def test_any_acceptance_is_one_and_the_service_may_lower_the_ttl(
    webpush: RunningWebPush, gateway: WebPushGateway, answer: dict[str, Any]
) -> None:
    browser = webpush.subscribe()
    message = to(browser)
    webpush.script(browser.endpoint, answer)

    [receipt] = await gateway.send([message], now=NOW)

    [entry] = webpush.log()
    assert receipt == Receipt(
        message_id=message.message_id,
        outcome=Outcome.ACCEPTED,
        provider_message_id=entry["message"]["headers"]["topic"],
        status=answer.get("status", 201),
    )


async def test_an_accepted_message_reaches_the_browser_with_all_it_needs(
    webpush: RunningWebPush, gateway: WebPushGateway, key: Path
) -> None:
    public = public_key_text(load_key(key))
    browser = webpush.subscribe(server_key=public)
    message = to(browser, image_url="https://images.example/yaourt.jpg")

    await gateway.send([message], now=NOW)

    [entry] = webpush.log()
    sent = entry["message"]
    assert sent["headers"] == {
        "ttl": "3600",
        "urgency": "high",
        "topic": sent["headers"]["topic"],
        "content-encoding": "aes128gcm",
    }
    assert sent["vapid"] == {
        "aud": webpush.base_url,
        "exp": int(AT_ONCE) + 12 * 3600,
        "sub": SUBJECT,
        "k": public,
    }
    assert json.loads(sent["text"]) == {
        "title": message.title,
        "body": message.body,
        "tag": message.message_id,
        "lang": "fr",
        "image": "https://images.example/yaourt.jpg",
        "actions": [
            {"action": "open", "title": "Voir l’offre"},
            {"action": "not_interested", "title": "Pas pour moi"},
            {"action": "pause", "title": "Faire une pause"},
        ],
        "data": {"code": "7K3M-ZQ8V-0T"},
    }
    assert [waiting["text"] for waiting in webpush.waiting(browser)] == [sent["text"]]


async def test_a_message_past_its_end_makes_no_call(webpush: RunningWebPush, gateway: WebPushGateway) -> None:
    [receipt] = await gateway.send([to(webpush.subscribe(), expires_at=NOW)], now=NOW)

    assert (receipt.outcome, webpush.log()) == (Outcome.EXPIRED, [])


async def test_a_drop_after_processing_is_sent_again_and_shown_once(
    webpush: RunningWebPush, gateway: WebPushGateway
) -> None:
    browser, other = webpush.subscribe(), webpush.subscribe()
    message = to(browser)
    webpush.script(browser.endpoint, {"drop": "after"})

    [first] = await gateway.send([message], now=NOW)
    await gateway.send([to(browser), to(other)], now=NOW)
    [again] = await gateway.send([message], now=after(10))

    assert (first.outcome, again.outcome) == (Outcome.TRY_LATER, Outcome.ACCEPTED)
    assert len(webpush.delivered()) == 4
    tags = [json.loads(waiting["text"])["tag"] for waiting in webpush.waiting(browser)]
    assert (len(tags), tags.count(message.message_id)) == (2, 1)


async def test_one_dead_subscription_among_many_costs_the_others_nothing(
    webpush: RunningWebPush, gateway: WebPushGateway
) -> None:
    browsers = [webpush.subscribe() for _ in range(30)]
    webpush.unsubscribe(browsers[17])
    messages = [to(browser) for browser in browsers]

    receipts = await gateway.send(messages, now=NOW)

    assert [r.message_id for r in receipts] == [m.message_id for m in messages]
    assert [i for i, r in enumerate(receipts) if r.outcome is Outcome.DEAD_TOKEN] == [17]
    assert sum(r.outcome is Outcome.ACCEPTED for r in receipts) == 29


async def test_a_subscription_made_with_another_key_is_dead_once_ours_is_known_to_be_good(
    webpush: RunningWebPush, gateway: WebPushGateway
) -> None:
    strangers = [
        webpush.subscribe(server_key=public_key_text(ec.generate_private_key(ec.SECP256R1())))
        for _ in range(5)
    ]

    alone = await gateway.send([to(browser) for browser in strangers], now=NOW)
    [ours] = await gateway.send([to(webpush.subscribe())], now=NOW)
    [later] = await gateway.send([to(strangers[0])], now=NOW)

    assert {(r.outcome, r.provider_code) for r in alone} == {(Outcome.LANE_STOPPED, "VAPID_KEY_MISMATCH")}
    assert ours.outcome is Outcome.ACCEPTED
    assert (later.outcome, later.provider_code, later.status) == (
        Outcome.DEAD_TOKEN,
        "VAPID_KEY_MISMATCH",
        401,
    )


async def test_a_service_that_refuses_us_is_not_hammered_and_another_still_served(
    webpush: RunningWebPush, key: Path
) -> None:
    with running_webpush() as other:
        gateway = new_gateway(webpush.base_url, other.base_url, key=key, concurrency=1)
        webpush.script("*", {"error_code": "VAPID_REFUSED", "times": 1000})
        refused = [to(webpush.subscribe()) for _ in range(20)]
        well = to(other.subscribe())

        receipts = await gateway.send([*refused, well], now=NOW)
        await gateway.send([refused[0]], now=NOW)
        await gateway.aclose()

    assert {(r.outcome, r.provider_code) for r in receipts[:20]} == {(Outcome.LANE_STOPPED, "VAPID_REFUSED")}
    assert receipts[20].outcome is Outcome.ACCEPTED
    assert len(webpush.log()) == 3 + 1  # three in a row are believed; the next batch asks anew


async def test_one_refused_subscription_among_many_stops_nobody(
    webpush: RunningWebPush, gateway: WebPushGateway
) -> None:
    browsers = [webpush.subscribe() for _ in range(10)]
    webpush.script(browsers[0].endpoint, {"status": 403, "times": 10})

    for _ in range(3):
        receipts = await gateway.send([to(browser) for browser in browsers], now=NOW)
        assert receipts[0].outcome is Outcome.LANE_STOPPED
        assert {r.outcome for r in receipts[1:]} == {Outcome.ACCEPTED}


async def test_a_signature_that_is_refused_when_old_is_made_anew_once(
    webpush: RunningWebPush, key: Path
) -> None:
    moment = [AT_ONCE]
    gateway = new_gateway(webpush.base_url, key=key, clock=lambda: moment[0])
    browser = webpush.subscribe()
    await gateway.send([to(browser)], now=NOW)

    moment[0] += 3600
    webpush.script(browser.endpoint, {"error_code": "BAD_VAPID"})
    [receipt] = await gateway.send([to(browser)], now=NOW)
    webpush.script(browser.endpoint, {"error_code": "BAD_VAPID"})
    [fresh] = await gateway.send([to(browser)], now=NOW)
    await gateway.aclose()

    assert (receipt.outcome, fresh.outcome) == (Outcome.ACCEPTED, Outcome.LANE_STOPPED)
    expiries = [entry["message"]["vapid"]["exp"] - int(AT_ONCE) for entry in webpush.log()]
    assert expiries == [12 * 3600, 12 * 3600, 13 * 3600, 13 * 3600]


@pytest.mark.parametrize("hours", [-13, 13])
async def test_a_clock_that_is_wrong_by_hours_stops_the_lane(
    webpush: RunningWebPush, key: Path, hours: int
) -> None:
    gateway = new_gateway(webpush.base_url, key=key, clock=lambda: time.time() + hours * 3600)

    [receipt] = await gateway.send([to(webpush.subscribe())], now=NOW)
    await gateway.aclose()

    assert (receipt.outcome, receipt.provider_code) == (Outcome.LANE_STOPPED, "VAPID_REFUSED")


async def test_too_many_for_one_subscription_slows_that_one_alone(
    webpush: RunningWebPush, gateway: WebPushGateway
) -> None:
    busy, well = webpush.subscribe(), webpush.subscribe()
    webpush.script(busy.endpoint, {"error_code": "TOO_MANY", "retry_after": 30})

    [first] = await gateway.send([to(busy)], now=NOW)
    [second] = await gateway.send([to(well)], now=after(1))

    assert (first.retry_at, second.outcome) == (after(30), Outcome.ACCEPTED)


async def test_too_many_for_three_in_a_row_slows_the_service_until_its_time(
    webpush: RunningWebPush, key: Path
) -> None:
    gateway = new_gateway(webpush.base_url, key=key, concurrency=1)
    webpush.script("*", {"error_code": "TOO_MANY", "retry_after": 30, "times": 3})
    browser = webpush.subscribe()

    receipts = await gateway.send([to(webpush.subscribe()) for _ in range(5)], now=NOW)
    [early] = await gateway.send([to(browser)], now=after(29))
    [due] = await gateway.send([to(browser)], now=after(30))
    await gateway.aclose()

    codes = [receipt.provider_code for receipt in receipts]
    assert codes == ["TOO_MANY_REQUESTS"] * 3 + ["LANE_SLOWED"] * 2
    assert {receipt.retry_at for receipt in receipts} == {after(30)}
    assert (early.provider_code, early.retry_at) == ("LANE_SLOWED", after(30))
    assert due.outcome is Outcome.ACCEPTED
    assert len(webpush.log()) == 4


async def test_a_hanging_service_is_left_in_bounded_time(webpush: RunningWebPush, key: Path) -> None:
    gateway = new_gateway(webpush.base_url, key=key, timeout_s=0.5)
    hanging, well = webpush.subscribe(), webpush.subscribe()
    webpush.script(hanging.endpoint, {"delay_s": 30})

    started = time.monotonic()
    receipts = await gateway.send([to(hanging), to(well)], now=NOW)
    took_s = time.monotonic() - started
    await gateway.aclose()

    assert [(r.outcome, r.provider_code) for r in receipts] == [
        (Outcome.TRY_LATER, "TIMEOUT"),
        (Outcome.ACCEPTED, None),
    ]
    assert receipts[0].retry_at == after(10)
    assert took_s < 2.0


async def test_a_service_that_is_not_there_is_tried_later(key: Path) -> None:
    with running_webpush() as short_lived:
        gateway = new_gateway(short_lived.base_url, key=key)
        browser = short_lived.subscribe()
        await gateway.send([to(browser)], now=NOW)

    [receipt] = await gateway.send([to(browser)], now=NOW)
    await gateway.aclose()

    assert (receipt.outcome, receipt.provider_code) == (Outcome.TRY_LATER, "CONNECT_FAILED")


class CountingNetwork(httpcore.AnyIOBackend):
    """The real network, counting the connections made."""

    def __init__(self) -> None:
        self.made = 0

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        self.made += 1
        return await super().connect_tcp(*args, **kwargs)


async def test_sends_run_side_by_side_up_to_the_bound_and_share_connections(
    webpush: RunningWebPush, key: Path
) -> None:
    network = CountingNetwork()
    gateway = new_gateway(webpush.base_url, key=key, concurrency=10, network=network)
    webpush.script("*", {"delay_s": 0.1, "times": 40})
    messages = [to(webpush.subscribe()) for _ in range(40)]

    started = time.monotonic()
    receipts = await gateway.send(messages, now=NOW)
    took_s = time.monotonic() - started
    await gateway.aclose()

    assert {r.outcome for r in receipts} == {Outcome.ACCEPTED}
    assert 0.4 <= took_s < 3.0  # four rounds of ten; one after another they take 4 s
    assert network.made <= 10


async def test_a_long_text_arrives_cut_to_what_a_message_holds(
    webpush: RunningWebPush, gateway: WebPushGateway
) -> None:
    [receipt] = await gateway.send([to(webpush.subscribe(), body="é👩‍👩‍👧‍👦" * 2000)], now=NOW)

    assert receipt.outcome is Outcome.ACCEPTED
    [shown] = webpush.delivered()
    assert 4096 - 32 < shown["bytes"] <= 4096
    assert json.loads(shown["text"])["body"].endswith(("👦…", "é…"))


async def test_what_cannot_be_sent_is_our_fault_without_a_call_and_costs_no_neighbour(
    webpush: RunningWebPush, gateway: WebPushGateway
) -> None:
    browser = webpush.subscribe()
    keyless = json.dumps({"endpoint": browser.endpoint, "p256dh": "BA" + "A" * 85, "auth": "A" * 22})

    receipts = await gateway.send(
        [
            to(browser, data={"code": "A" * 4096}),
            push(platform="webpush", token="phone:1"),
            push(platform="webpush", token=keyless),
            to(browser, message_id="not a uuid"),
            to(browser),
        ],
        now=NOW,
    )

    assert [(r.outcome, r.provider_code) for r in receipts] == [
        (Outcome.OUR_FAULT, "PAYLOAD_TOO_LARGE"),
        (Outcome.OUR_FAULT, "SUBSCRIPTION_MALFORMED"),
        (Outcome.OUR_FAULT, "SUBSCRIPTION_KEYS_INVALID"),
        (Outcome.OUR_FAULT, "GATEWAY_DEFECT"),
        (Outcome.ACCEPTED, None),
    ]
    assert len(webpush.log()) == 1


async def test_a_caller_that_gives_up_leaves_the_gateway_usable(
    webpush: RunningWebPush, gateway: WebPushGateway
) -> None:
    browser = webpush.subscribe()
    webpush.script(browser.endpoint, {"delay_s": 5})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await gateway.send([to(browser)], now=NOW)

    [receipt] = await gateway.send([to(browser)], now=NOW)

    assert receipt.outcome is Outcome.ACCEPTED
