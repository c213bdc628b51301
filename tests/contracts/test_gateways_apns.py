"""The APNs gateway against a provider that speaks APNs' protocol: one row per line of the catalogue."""

from collections import Counter
from typing import Any

import pytest
import structlog

from offers.gateways.apns import ApnsGateway
from offers.gateways.port import Outcome, Receipt
from providers.testing_apns import RunningApns

from .apns import LATER, NOW, REGISTERED_MS, STOPPED, after, message
from .receipts import refused

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

    assert receipts == [refused(one, outcome, code=code, status=status, wait_s=wait_s, now=NOW)]
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
                "apns-expiration": str(int(after(3600).timestamp())),
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

    assert Counter(line["event"] for line in lines) == {"push_not_sent": 2, "http2_goaway": 2}
    assert [line["log_level"] for line in lines if line["event"] == "push_not_sent"] == ["error", "info"]
    secrets = [one.token, one.title, one.body, "7K3M", "images.example", "bearer"]
    assert not [secret for secret in secrets if secret in repr(lines)]
