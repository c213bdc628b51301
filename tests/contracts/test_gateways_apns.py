"""The APNs gateway against a provider that speaks APNs' protocol: one row per line of the catalogue."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from offers.gateways.apns import ApnsGateway
from offers.gateways.port import Outcome, PushMessage, Receipt
from providers.testing_apns import RunningApns, running_apns

from .test_gateways import at, push

AT_ONCE = float(int(time.time()))
NOW = datetime.fromtimestamp(AT_ONCE, UTC)
REGISTERED_MS = int((NOW - timedelta(days=3)).timestamp() * 1000)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningApns]:
    with running_apns() as apns:
        yield apns


@pytest.fixture
def apns(running: RunningApns) -> RunningApns:
    running.reset()
    return running


@pytest.fixture
async def made(apns: RunningApns) -> AsyncIterator[Callable[..., ApnsGateway]]:
    """Makes gateways, and closes them."""
    gateways: list[ApnsGateway] = []

    def make(**changes: Any) -> ApnsGateway:
        # A clock that stands still: no time passes within a call, so that retry_at is exact.
        gateways.append(
            ApnsGateway(**{"settings": at(apns), "timeout_s": 5.0, "clock": lambda: AT_ONCE, **changes})
        )
        return gateways[-1]

    yield make
    for gateway in gateways:
        await gateway.aclose()


@pytest.fixture
def gateway(made: Callable[..., ApnsGateway]) -> ApnsGateway:
    return made()


def message(**changes: Any) -> PushMessage:
    return push(
        platform="apns",
        **{
            "expires_at": NOW + timedelta(hours=1),
            "registered_at": NOW - timedelta(days=3),
            **changes,
        },
    )


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def ids(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    headers = [entry["message"]["headers"] for entry in entries]
    return [(one["apns-id"], one["apns-collapse-id"]) for one in headers]


LATER, STOPPED = Outcome.TRY_LATER, Outcome.LANE_STOPPED
CATALOGUE: list[tuple[dict[str, Any], Outcome, str, int | None, float | None]] = [
    ({"reason": "BadDeviceToken"}, Outcome.DEAD_TOKEN, "BadDeviceToken", 400, None),
    ({"reason": "DeviceTokenNotForTopic"}, Outcome.DEAD_TOKEN, "DeviceTokenNotForTopic", 400, None),
    (
        {"reason": "Unregistered", "timestamp_ms": REGISTERED_MS + 1},
        Outcome.DEAD_TOKEN,
        "Unregistered",
        410,
        None,
    ),
    ({"reason": "Unregistered", "timestamp_ms": REGISTERED_MS}, LATER, "Unregistered", 410, 600),
    (
        {"reason": "ExpiredToken", "timestamp_ms": REGISTERED_MS + 1},
        Outcome.DEAD_TOKEN,
        "ExpiredToken",
        410,
        None,
    ),
    ({"reason": "ExpiredToken", "timestamp_ms": REGISTERED_MS - 1}, LATER, "ExpiredToken", 410, 600),
    ({"reason": "ExpiredToken"}, Outcome.DEAD_TOKEN, "ExpiredToken", 410, None),
    ({"reason": "BadCollapseId"}, Outcome.OUR_FAULT, "BadCollapseId", 400, None),
    ({"reason": "BadExpirationDate"}, Outcome.OUR_FAULT, "BadExpirationDate", 400, None),
    ({"reason": "BadMessageId"}, Outcome.OUR_FAULT, "BadMessageId", 400, None),
    ({"reason": "BadPriority"}, Outcome.OUR_FAULT, "BadPriority", 400, None),
    ({"reason": "DuplicateHeaders"}, Outcome.OUR_FAULT, "DuplicateHeaders", 400, None),
    ({"reason": "InvalidPushType"}, Outcome.OUR_FAULT, "InvalidPushType", 400, None),
    ({"reason": "MissingDeviceToken"}, Outcome.OUR_FAULT, "MissingDeviceToken", 400, None),
    ({"reason": "PayloadEmpty"}, Outcome.OUR_FAULT, "PayloadEmpty", 400, None),
    ({"reason": "BadPath"}, Outcome.OUR_FAULT, "BadPath", 404, None),
    ({"reason": "MethodNotAllowed"}, Outcome.OUR_FAULT, "MethodNotAllowed", 405, None),
    ({"reason": "PayloadTooLarge"}, Outcome.OUR_FAULT, "PayloadTooLarge", 413, None),
    ({"reason": "BadTopic"}, STOPPED, "BadTopic", 400, None),
    ({"reason": "MissingTopic"}, STOPPED, "MissingTopic", 400, None),
    ({"reason": "TopicDisallowed"}, STOPPED, "TopicDisallowed", 400, None),
    ({"reason": "BadCertificate"}, STOPPED, "BadCertificate", 403, None),
    ({"reason": "BadCertificateEnvironment"}, STOPPED, "BadCertificateEnvironment", 403, None),
    ({"reason": "BadEnvironmentKeyIdInToken"}, STOPPED, "BadEnvironmentKeyIdInToken", 403, None),
    ({"reason": "Forbidden"}, STOPPED, "Forbidden", 403, None),
    ({"reason": "InvalidProviderToken"}, STOPPED, "InvalidProviderToken", 403, None),
    ({"reason": "MissingProviderToken"}, STOPPED, "MissingProviderToken", 403, None),
    ({"reason": "UnrelatedKeyIdInToken"}, STOPPED, "UnrelatedKeyIdInToken", 403, None),
    ({"reason": "IdleTimeout"}, LATER, "IdleTimeout", 400, 10),
    ({"reason": "TooManyRequests"}, LATER, "TooManyRequests", 429, 60),
    ({"reason": "TooManyRequests", "retry_after": 7}, LATER, "TooManyRequests", 429, 7),
    ({"reason": "TooManyProviderTokenUpdates"}, LATER, "TooManyProviderTokenUpdates", 429, 1200),
    ({"reason": "InternalServerError"}, LATER, "InternalServerError", 500, 900),
    ({"reason": "InternalServerError", "retry_after": 30}, LATER, "InternalServerError", 500, 30),
    ({"reason": "ServiceUnavailable"}, LATER, "ServiceUnavailable", 503, 900),
    ({"reason": "Shutdown"}, LATER, "Shutdown", 503, 10),
    ({"status": 502}, LATER, "HTTP_502", 502, 900),
    ({"status": 302}, STOPPED, "HTTP_302", 302, None),
    ({"drop": "before"}, LATER, "CONNECTION_LOST", None, 10),
    ({"drop": "after"}, LATER, "CONNECTION_LOST", None, 10),
    ({"reset": "after"}, LATER, "STREAM_RESET", None, 10),
    ({"reset": "before", "times": 2}, LATER, "STREAM_REFUSED", None, 10),
    ({"goaway": "Shutdown", "times": 2}, LATER, "GOAWAY", None, 10),
]


@pytest.mark.parametrize(("answer", "outcome", "code", "status", "wait_s"), CATALOGUE)
async def test_an_answer_means_what_the_catalogue_says(
    apns: RunningApns,
    gateway: ApnsGateway,
    answer: dict[str, Any],
    outcome: Outcome,
    code: str,
    status: int | None,
    wait_s: float | None,
) -> None:
    one = message()
    apns.script(one.token, answer)

    receipts = await gateway.send([one], now=NOW)

    assert receipts == [
        Receipt(
            message_id=one.message_id,
            outcome=outcome,
            provider_code=code,
            status=status,
            retry_at=None if wait_s is None else after(wait_s),
        )
    ]
    assert len(apns.log()) == answer.get("times", 1)


async def test_an_accepted_message_reaches_the_phone_with_all_it_needs(
    apns: RunningApns, gateway: ApnsGateway
) -> None:
    one = message(image_url="https://images.example/yaourt.jpg", badge=2)

    receipts = await gateway.send([one], now=NOW)

    assert receipts == [
        Receipt(
            message_id=one.message_id,
            outcome=Outcome.ACCEPTED,
            provider_message_id=one.message_id,
            status=200,
        )
    ]
    assert apns.delivered() == [
        {
            "token": one.token,
            "headers": {
                "apns-id": one.message_id,
                "apns-collapse-id": one.message_id,
                "apns-expiration": str(int(AT_ONCE) + 3600),
                "apns-priority": "10",
                "apns-push-type": "alert",
                "apns-topic": apns.topic,
            },
            "payload": {
                "aps": {
                    "alert": {"title": one.title, "body": one.body},
                    "category": "offer",
                    "sound": "default",
                    "badge": 2,
                    "mutable-content": 1,
                },
                "image_url": "https://images.example/yaourt.jpg",
                "data": {"code": "7K3M-ZQ8V-0T"},
            },
        }
    ]


async def test_a_message_past_its_end_makes_no_call(apns: RunningApns, gateway: ApnsGateway) -> None:
    before = apns.change()

    [receipt] = await gateway.send([message(expires_at=NOW)], now=NOW)

    assert receipt.outcome is Outcome.EXPIRED
    assert apns.log() == []
    assert apns.change()["connections"] == before["connections"] + 2  # the two calls of change


async def test_one_dead_token_among_many_costs_the_others_nothing(
    apns: RunningApns, gateway: ApnsGateway
) -> None:
    messages = [message() for _ in range(100)]
    apns.script(messages[41].token, {"reason": "Unregistered", "timestamp_ms": REGISTERED_MS + 1})

    receipts = await gateway.send(messages, now=NOW)

    assert [r.message_id for r in receipts] == [m.message_id for m in messages]
    assert [i for i, r in enumerate(receipts) if r.outcome is Outcome.DEAD_TOKEN] == [41]
    assert sum(r.outcome is Outcome.ACCEPTED for r in receipts) == 99
    assert len(apns.delivered()) == 99


async def test_a_thousand_messages_share_one_connection_and_one_token(
    apns: RunningApns, made: Callable[..., ApnsGateway]
) -> None:
    gateway = made(concurrency=500)
    tokens = apns.tokens()
    messages = [message() for _ in range(1000)]

    receipts = await gateway.send(messages, now=NOW)

    assert Counter(r.outcome for r in receipts) == {Outcome.ACCEPTED: 1000}
    entries = apns.log()
    assert len({entry["connection"] for entry in entries}) == 1
    assert Counter(ids(entries)) == Counter((m.message_id, m.message_id) for m in messages)
    assert apns.tokens() == tokens + 1


async def test_two_calls_at_once_share_the_connection(apns: RunningApns, gateway: ApnsGateway) -> None:
    await asyncio.gather(*(gateway.send([message() for _ in range(5)], now=NOW) for _ in range(4)))

    entries = apns.log()
    assert len(entries) == 20
    assert len({entry["connection"] for entry in entries}) == 1


@pytest.mark.parametrize("cut", [{"drop": "after"}, {"drop": "before"}])
async def test_a_connection_lost_in_the_middle_loses_nothing(
    apns: RunningApns, made: Callable[..., ApnsGateway], cut: dict[str, Any]
) -> None:
    gateway = made(concurrency=20)
    messages = [message() for _ in range(200)]
    apns.script(messages[100].token, cut)

    first = await gateway.send(messages, now=NOW)
    again = [m for m, r in zip(messages, first, strict=True) if r.outcome is LATER]
    second = await gateway.send(again, now=after(10))

    assert {(r.outcome, r.provider_code) for r in first} == {
        (Outcome.ACCEPTED, None),
        (LATER, "CONNECTION_LOST"),
    }
    assert 1 <= len(again) <= 20  # no more than were under way
    assert {r.outcome for r in second} == {Outcome.ACCEPTED}
    sent = Counter(ids(apns.log()))
    assert set(sent) == {(m.message_id, m.message_id) for m in messages}
    assert {pair[0] for pair, times in sent.items() if times > 1} <= {m.message_id for m in again}
    assert {m["token"] for m in apns.delivered()} == {m.token for m in messages}


async def test_a_goaway_in_the_middle_is_made_good_at_once_and_nothing_is_sent_twice(
    apns: RunningApns, made: Callable[..., ApnsGateway]
) -> None:
    gateway = made(concurrency=20)
    messages = [message() for _ in range(200)]
    apns.script("*", *[{"delay_s": 0.01, "times": 100}, {"goaway": "Shutdown"}])

    receipts = await gateway.send(messages, now=NOW)

    assert Counter(r.outcome for r in receipts) == {Outcome.ACCEPTED: 200}
    entries = apns.log()
    assert len({entry["connection"] for entry in entries}) == 2
    assert Counter(ids(e for e in entries if e["delivered"])) == Counter(
        (m.message_id, m.message_id) for m in messages
    )


async def test_a_refused_stream_is_opened_once_more(apns: RunningApns, gateway: ApnsGateway) -> None:
    one = message()
    apns.script(one.token, {"reset": "before"})

    [receipt] = await gateway.send([one], now=NOW)

    assert receipt.outcome is Outcome.ACCEPTED
    assert ids(apns.log()) == [(one.message_id, one.message_id)] * 2
    assert len(apns.delivered()) == 1


async def test_a_hanging_answer_is_left_in_bounded_time(
    apns: RunningApns, made: Callable[..., ApnsGateway]
) -> None:
    gateway = made(timeout_s=0.5)
    hanging, well = message(), message()
    apns.script(hanging.token, {"delay_s": 30})
    await gateway.send([message()], now=NOW)

    started = time.monotonic()
    receipts = await gateway.send([hanging, well], now=NOW)
    took_s = time.monotonic() - started

    assert [(r.outcome, r.provider_code) for r in receipts] == [(LATER, "TIMEOUT"), (Outcome.ACCEPTED, None)]
    assert receipts[0].retry_at == after(10)
    assert took_s < 2.0


async def test_a_connection_that_has_gone_deaf_is_left(
    apns: RunningApns, made: Callable[..., ApnsGateway]
) -> None:
    gateway = made(timeout_s=0.3)
    await gateway.send([message()], now=NOW)
    apns.script("*", {"delay_s": 30})

    [lost] = await gateway.send([message()], now=NOW)
    [found] = await gateway.send([message()], now=NOW)

    assert [(r.outcome, r.provider_code) for r in (lost, found)] == [
        (LATER, "TIMEOUT"),
        (Outcome.ACCEPTED, None),
    ]
    assert len({entry["connection"] for entry in apns.log()}) == 2


async def test_apns_that_is_not_there_is_tried_later_and_once_for_all(
    made: Callable[..., ApnsGateway], tmp_path: Path
) -> None:
    with running_apns(directory=tmp_path) as short_lived:
        gone = made(settings=at(short_lived), concurrency=2)
        await gone.send([message()], now=NOW)
    [lost] = await gone.send([message()], now=NOW)

    receipts = await gone.send([message() for _ in range(20)], now=NOW)

    assert lost.outcome is LATER

    assert {(r.outcome, r.provider_code, r.retry_at) for r in receipts} == {
        (LATER, "CONNECT_FAILED", after(10))
    }


async def test_a_server_that_no_authority_vouches_for_gets_nothing(
    apns: RunningApns, made: Callable[..., ApnsGateway]
) -> None:
    gateway = made(settings=replace(at(apns), ca_file=None))

    [receipt] = await gateway.send([message()], now=NOW)

    assert (receipt.outcome, receipt.provider_code) == (LATER, "CONNECT_FAILED")
    assert apns.log() == []


async def test_sends_run_side_by_side_up_to_the_bound(
    apns: RunningApns, made: Callable[..., ApnsGateway]
) -> None:
    gateway = made(concurrency=10)
    await gateway.send([message()], now=NOW)
    apns.script("*", {"delay_s": 0.1, "times": 40})

    started = time.monotonic()
    receipts = await gateway.send([message() for _ in range(40)], now=NOW)
    took_s = time.monotonic() - started

    assert {r.outcome for r in receipts} == {Outcome.ACCEPTED}
    assert 0.4 <= took_s < 3.0  # four rounds of ten; one after another they take 4 s


async def test_too_many_tokens_of_ours_slow_the_whole_lane_and_a_busy_device_does_not(
    apns: RunningApns, gateway: ApnsGateway
) -> None:
    busy, ours, other = message(), message(), message()
    apns.script(busy.token, {"reason": "TooManyRequests"})
    apns.script(ours.token, {"reason": "TooManyProviderTokenUpdates", "retry_after": 30})

    assert [r.outcome for r in await gateway.send([busy], now=NOW)] == [LATER]
    assert [r.outcome for r in await gateway.send([ours], now=NOW)] == [LATER]
    [early] = await gateway.send([other], now=after(29))
    [due] = await gateway.send([other], now=after(30))

    assert (early.outcome, early.provider_code, early.retry_at) == (LATER, "LANE_SLOWED", after(30))
    assert due.outcome is Outcome.ACCEPTED
    assert [entry["token"] for entry in apns.log()] == [busy.token, ours.token, other.token]


async def test_a_token_is_renewed_between_twenty_and_sixty_minutes(
    apns: RunningApns, made: Callable[..., ApnsGateway]
) -> None:
    moment = [time.time()]
    gateway = made(clock=lambda: moment[0])
    before, seen = apns.tokens(), []
    for passed_s in (0, 2390, 2410, 4790):
        moment[0] += passed_s - (moment[0] - time.time())
        apns.change(clock_ahead_s=passed_s)
        [receipt] = await gateway.send([message(expires_at=NOW + timedelta(hours=3))], now=NOW)
        seen.append((receipt.outcome, apns.tokens() - before))

    accepted = Outcome.ACCEPTED
    assert seen == [(accepted, 1), (accepted, 1), (accepted, 2), (accepted, 2)]
    assert len({entry["connection"] for entry in apns.log()}) == 1


async def test_a_token_that_apns_calls_expired_is_renewed_once_for_all(
    apns: RunningApns, made: Callable[..., ApnsGateway]
) -> None:
    moment = [time.time() - 3700]
    gateway = made(clock=lambda: moment[0])
    apns.change(clock_ahead_s=-3700)
    await gateway.send([message()], now=NOW)
    before = apns.tokens()
    apns.change(clock_ahead_s=0)
    moment[0] += 2300  # our clock lags: by it the token is still good

    receipts = await gateway.send([message() for _ in range(20)], now=NOW)

    assert {r.outcome for r in receipts} == {Outcome.ACCEPTED}
    assert apns.tokens() == before + 1
    assert len(apns.delivered()) == 21
    assert {entry["answer"]["code"] for entry in apns.log()} == {"OK", "ExpiredProviderToken"}


async def test_a_clock_that_stays_wrong_stops_the_lane_and_makes_few_tokens(
    apns: RunningApns, made: Callable[..., ApnsGateway]
) -> None:
    before = apns.tokens()
    gateway = made(clock=lambda: time.time() - 3700, concurrency=5)

    receipts = await gateway.send([message() for _ in range(50)], now=NOW)

    assert {(r.outcome, r.provider_code, r.status) for r in receipts} == {
        (STOPPED, "ExpiredProviderToken", 403)
    }
    assert apns.tokens() - before == 2
    assert len(apns.log()) <= 10  # five under way, each with one more token


async def test_a_key_apns_does_not_know_stops_the_lane_without_hammering(
    apns: RunningApns, made: Callable[..., ApnsGateway], tmp_path: Path
) -> None:
    with running_apns(directory=tmp_path) as stranger:
        gateway = made(settings=replace(at(apns), key_file=stranger.key_file), concurrency=2)

    receipts = await gateway.send([message() for _ in range(50)], now=NOW)

    assert {(r.outcome, r.provider_code, r.status) for r in receipts} == {
        (STOPPED, "InvalidProviderToken", 403)
    }
    assert len(apns.log()) <= 2


async def test_tokens_of_another_environment_cost_no_device(apns: RunningApns, gateway: ApnsGateway) -> None:
    apns.script("*", {"reason": "BadDeviceToken", "times": 100})
    with structlog.testing.capture_logs() as lines:
        receipts = await gateway.send([message() for _ in range(10)], now=NOW)

    assert {(r.outcome, r.provider_code) for r in receipts} == {(STOPPED, "BadDeviceToken")}
    assert [line["messages"] for line in lines if line["event"] == "push_tokens_of_another_environment"] == [
        10
    ]


async def test_many_bad_tokens_beside_a_good_one_are_dead(apns: RunningApns, gateway: ApnsGateway) -> None:
    messages = [message() for _ in range(11)]
    for one in messages[1:]:
        apns.script(one.token, {"reason": "BadDeviceToken"})

    receipts = await gateway.send(messages, now=NOW)

    assert Counter(r.outcome for r in receipts) == {Outcome.ACCEPTED: 1, Outcome.DEAD_TOKEN: 10}


async def test_a_malformed_token_is_dead(apns: RunningApns, gateway: ApnsGateway) -> None:
    [receipt] = await gateway.send([message(token="not a token")], now=NOW)

    assert (receipt.outcome, receipt.provider_code) == (Outcome.DEAD_TOKEN, "BadDeviceToken")


async def test_a_message_that_cannot_be_built_is_our_fault_without_a_call(
    apns: RunningApns, gateway: ApnsGateway
) -> None:
    broken = [message(data={"code": "A" * 4096}), message(message_id="42"), message(title="\ud800")]

    receipts = await gateway.send([*broken, message()], now=NOW)

    assert [(r.outcome, r.provider_code) for r in receipts] == [
        (Outcome.OUR_FAULT, "PAYLOAD_TOO_LARGE"),
        (Outcome.OUR_FAULT, "BAD_MESSAGE_ID"),
        (Outcome.OUR_FAULT, "PAYLOAD_NOT_UNICODE"),
        (Outcome.ACCEPTED, None),
    ]
    assert len(apns.log()) == 1


async def test_a_long_text_is_cut_to_what_apns_takes(apns: RunningApns, gateway: ApnsGateway) -> None:
    [receipt] = await gateway.send([message(body="é👩‍👩‍👧‍👦" * 2000)], now=NOW)

    assert receipt.outcome is Outcome.ACCEPTED
    [shown] = apns.delivered()
    assert shown["payload"]["aps"]["alert"]["body"][-2:] in ("👦…", "é…")


async def test_a_failure_s_log_holds_neither_token_nor_text(apns: RunningApns, gateway: ApnsGateway) -> None:
    one = message(image_url="https://images.example/y.jpg")
    apns.script(one.token, {"reason": "BadDeviceToken"}, {"goaway": "Shutdown", "times": 2})
    with structlog.testing.capture_logs() as lines:
        await gateway.send([one], now=NOW)
        await gateway.send([one], now=NOW)

    assert Counter(line["event"] for line in lines) == {"push_not_sent": 2, "apns_goaway": 2}
    assert [line["log_level"] for line in lines if line["event"] == "push_not_sent"] == ["error", "info"]
    secrets = [one.token, one.title, one.body, "7K3M", "images.example", "bearer"]
    assert not [secret for secret in secrets if secret in repr(lines)]


async def test_a_caller_that_gives_up_leaves_the_gateway_usable(
    apns: RunningApns, gateway: ApnsGateway
) -> None:
    apns.script("*", {"delay_s": 0.3})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await gateway.send([message()], now=NOW)

    [receipt] = await gateway.send([message()], now=NOW)

    assert receipt.outcome is Outcome.ACCEPTED
