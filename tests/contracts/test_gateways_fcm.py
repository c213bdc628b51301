"""The FCM gateway against a provider that speaks FCM's protocol, over HTTP/1.1 and HTTP/2: a row per line of the catalogue."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from offers.gateways.fcm import FcmGateway
from offers.gateways.port import Outcome, Receipt
from providers.testing import RunningFcm, running_fcm

from .conftest import FCM_AT as AT_ONCE
from .receipts import refused
from .test_gateways import NOW, push

MadeFcm = Callable[..., FcmGateway]


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


CATALOGUE: list[tuple[dict[str, Any], Outcome, str, int | None, float | None]] = [
    ({"error_code": "INVALID_ARGUMENT"}, Outcome.OUR_FAULT, "INVALID_ARGUMENT", 400, None),
    ({"error_code": "INVALID_TOKEN"}, Outcome.DEAD_TOKEN, "INVALID_ARGUMENT", 400, None),
    ({"error_code": "UNREGISTERED"}, Outcome.DEAD_TOKEN, "UNREGISTERED", 404, None),
    ({"error_code": "SENDER_ID_MISMATCH"}, Outcome.DEAD_TOKEN, "SENDER_ID_MISMATCH", 403, None),
    ({"error_code": "THIRD_PARTY_AUTH_ERROR"}, Outcome.TRY_LATER, "THIRD_PARTY_AUTH_ERROR", 401, 600),
    ({"error_code": "UNAUTHENTICATED", "times": 2}, Outcome.LANE_STOPPED, "UNAUTHENTICATED", 401, None),
    ({"error_code": "PERMISSION_DENIED", "times": 2}, Outcome.LANE_STOPPED, "PERMISSION_DENIED", 403, None),
    ({"error_code": "QUOTA_EXCEEDED"}, Outcome.TRY_LATER, "QUOTA_EXCEEDED", 429, 60),
    ({"error_code": "QUOTA_EXCEEDED", "retry_after": 7}, Outcome.TRY_LATER, "QUOTA_EXCEEDED", 429, 7),
    ({"error_code": "INTERNAL"}, Outcome.TRY_LATER, "INTERNAL", 500, 10),
    ({"error_code": "INTERNAL", "retry_after": 30}, Outcome.TRY_LATER, "INTERNAL", 500, 30),
    ({"error_code": "UNAVAILABLE"}, Outcome.TRY_LATER, "UNAVAILABLE", 503, 10),
    ({"error_code": "UNAVAILABLE", "retry_after": 120}, Outcome.TRY_LATER, "UNAVAILABLE", 503, 120),
    ({"status": 502}, Outcome.TRY_LATER, "HTTP_502", 502, 10),
    ({"status": 302}, Outcome.LANE_STOPPED, "HTTP_302", 302, None),
    ({"status": 413}, Outcome.OUR_FAULT, "HTTP_413", 413, None),
    ({"drop": "before"}, Outcome.TRY_LATER, "CONNECTION_LOST", None, 10),
    ({"drop": "after"}, Outcome.TRY_LATER, "CONNECTION_LOST", None, 10),
]


@pytest.mark.parametrize(("answer", "outcome", "code", "status", "wait_s"), CATALOGUE)
async def test_an_answer_means_what_the_catalogue_says(
    fcm: RunningFcm,
    fcm_gateway: FcmGateway,
    answer: dict[str, Any],
    outcome: Outcome,
    code: str,
    status: int | None,
    wait_s: float | None,
) -> None:
    message = push()
    fcm.script(message.token, answer)

    receipts = await fcm_gateway.send([message], now=NOW)

    assert receipts == [refused(message, outcome, code=code, status=status, wait_s=wait_s, now=NOW)]
    assert len(fcm.log()) == answer.get("times", 1)


async def test_an_accepted_message_reaches_the_phone_with_all_it_needs(
    fcm: RunningFcm, fcm_gateway: FcmGateway
) -> None:
    message = push(image_url="https://images.example/yaourt.jpg")

    [receipt] = await fcm_gateway.send([message], now=NOW)

    [entry] = fcm.log()
    assert receipt == Receipt(
        message_id=message.message_id,
        outcome=Outcome.ACCEPTED,
        provider_message_id=entry["name"],
        status=200,
    )
    assert entry["message"] == {
        "token": message.token,
        "notification": {
            "title": message.title,
            "body": message.body,
            "image": "https://images.example/yaourt.jpg",
        },
        "data": {"code": "7K3M-ZQ8V-0T"},
        "android": {"priority": "high", "ttl": "3600s", "notification": {"tag": message.message_id}},
    }


async def test_a_message_past_its_end_makes_no_call(fcm: RunningFcm, fcm_gateway: FcmGateway) -> None:
    issued = fcm.oauth()

    [receipt] = await fcm_gateway.send([push(expires_at=NOW)], now=NOW)

    assert receipt.outcome is Outcome.EXPIRED
    assert (fcm.log(), fcm.oauth()) == ([], issued)


async def test_one_dead_token_among_many_costs_the_others_nothing(
    fcm: RunningFcm, fcm_gateway: FcmGateway
) -> None:
    messages = [push() for _ in range(100)]
    fcm.script(messages[41].token, {"error_code": "UNREGISTERED"})

    receipts = await fcm_gateway.send(messages, now=NOW)

    assert [r.message_id for r in receipts] == [m.message_id for m in messages]
    assert [i for i, r in enumerate(receipts) if r.outcome is Outcome.DEAD_TOKEN] == [41]
    assert sum(r.outcome is Outcome.ACCEPTED for r in receipts) == 99
    assert len(fcm.delivered()) == 99


async def test_a_drop_after_processing_is_sent_again_under_the_same_tag(
    fcm: RunningFcm, fcm_gateway: FcmGateway
) -> None:
    message = push()
    fcm.script(message.token, {"drop": "after"})

    [first] = await fcm_gateway.send([message], now=NOW)
    [second] = await fcm_gateway.send([message], now=after(10))

    assert (first.outcome, second.outcome) == (Outcome.TRY_LATER, Outcome.ACCEPTED)
    tags = [shown["android"]["notification"]["tag"] for shown in fcm.delivered()]
    assert tags == [message.message_id, message.message_id]


async def test_a_hanging_provider_is_left_in_bounded_time(fcm: RunningFcm, made_fcm: MadeFcm) -> None:
    gateway = made_fcm(timeout_s=0.5)
    hanging, well = push(), push()
    fcm.script(hanging.token, {"delay_s": 30})

    started = time.monotonic()
    receipts = await gateway.send([hanging, well], now=NOW)
    took_s = time.monotonic() - started

    assert [(r.outcome, r.provider_code) for r in receipts] == [
        (Outcome.TRY_LATER, "TIMEOUT"),
        (Outcome.ACCEPTED, None),
    ]
    assert receipts[0].retry_at == after(10)
    assert took_s < 2.0


async def test_a_provider_that_is_not_there_is_tried_later(
    fcm: RunningFcm, made_fcm: MadeFcm, tmp_path: Path
) -> None:
    gateway = made_fcm()
    assert [r.outcome for r in await gateway.send([push()], now=NOW)] == [Outcome.ACCEPTED]
    with running_fcm(directory=tmp_path) as short_lived:
        gone = made_fcm(short_lived)
        await gone.send([push()], now=NOW)
    [lost] = await gone.send([push()], now=NOW)  # nobody has heard yet that the connection ended

    [receipt] = await gone.send([push()], now=NOW)

    assert lost.outcome is Outcome.TRY_LATER
    assert (receipt.outcome, receipt.provider_code) == (Outcome.TRY_LATER, "CONNECT_FAILED")


async def test_sends_run_side_by_side_up_to_the_bound(fcm: RunningFcm, made_fcm: MadeFcm) -> None:
    gateway = made_fcm(concurrency=10)
    fcm.script("*", {"delay_s": 0.1, "times": 40})

    started = time.monotonic()
    receipts = await gateway.send([push() for _ in range(40)], now=NOW)
    took_s = time.monotonic() - started

    assert {r.outcome for r in receipts} == {Outcome.ACCEPTED}
    assert 0.4 <= took_s < 3.0  # four rounds of ten; one after another they take 4 s


async def test_a_quota_answer_slows_the_whole_lane_until_its_time(
    fcm: RunningFcm, fcm_gateway: FcmGateway
) -> None:
    message, other = push(), push()
    fcm.script(message.token, {"error_code": "QUOTA_EXCEEDED", "retry_after": 30})
    await fcm_gateway.send([message], now=NOW)

    [early] = await fcm_gateway.send([other], now=after(29))
    [due] = await fcm_gateway.send([other], now=after(30))

    assert (early.outcome, early.provider_code) == (Outcome.TRY_LATER, "LANE_SLOWED")
    assert early.retry_at == after(30)
    assert due.outcome is Outcome.ACCEPTED
    assert [entry["token"] for entry in fcm.log()] == [message.token, other.token]


async def test_one_access_token_serves_many_sends(fcm: RunningFcm, fcm_gateway: FcmGateway) -> None:
    issued = fcm.oauth()

    await fcm_gateway.send([push() for _ in range(50)], now=NOW)
    await fcm_gateway.send([push()], now=NOW)

    assert fcm.oauth() - issued == 1


async def test_a_token_is_replaced_before_it_dies(fcm: RunningFcm, made_fcm: MadeFcm) -> None:
    moment = [AT_ONCE]
    gateway = made_fcm(clock=lambda: moment[0])
    issued = fcm.oauth()
    await gateway.send([push()], now=NOW)

    moment[0] += 3599 - 301
    await gateway.send([push()], now=NOW)
    before = fcm.oauth() - issued
    moment[0] = AT_ONCE + 3599 - 300 + 1
    fcm.oauth(answers=[{"status": 503}])
    [receipt] = await gateway.send([push()], now=NOW)

    assert before == 1
    assert (receipt.outcome, receipt.provider_code, receipt.status) == (
        Outcome.TRY_LATER,
        "OAUTH_UNAVAILABLE",
        503,
    )


async def test_a_refused_token_is_renewed_once_for_all(fcm: RunningFcm, fcm_gateway: FcmGateway) -> None:
    await fcm_gateway.send([push()], now=NOW)
    issued = fcm.oauth(expire=True)

    receipts = await fcm_gateway.send([push() for _ in range(20)], now=NOW)

    assert {r.outcome for r in receipts} == {Outcome.ACCEPTED}
    assert fcm.oauth() - issued == 1


async def test_a_stopped_lane_is_not_hammered(fcm: RunningFcm, made_fcm: MadeFcm) -> None:
    gateway = made_fcm(concurrency=2)
    fcm.script("*", {"error_code": "PERMISSION_DENIED", "times": 1000})

    receipts = await gateway.send([push() for _ in range(50)], now=NOW)

    assert {(r.outcome, r.provider_code) for r in receipts} == {(Outcome.LANE_STOPPED, "PERMISSION_DENIED")}
    assert len(fcm.log()) <= 4  # two under way, each with one fresh token


async def test_an_account_google_does_not_know_stops_the_lane(
    fcm: RunningFcm, made_fcm: MadeFcm, tmp_path: Path
) -> None:
    with running_fcm(directory=tmp_path) as stranger:
        account = json.loads(stranger.credentials_file.read_text())
    known = json.loads(fcm.credentials_file.read_text())
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps({**known, "private_key": account["private_key"]}))
    gateway = made_fcm(credentials_file=forged)

    receipts = await gateway.send([push(), push()], now=NOW)

    assert {(r.outcome, r.provider_code, r.status) for r in receipts} == {
        (Outcome.LANE_STOPPED, "OAUTH_INVALID_GRANT", 400)
    }
    assert fcm.log() == []


async def test_a_token_endpoint_that_hangs_holds_the_batch_once_only(
    fcm: RunningFcm, made_fcm: MadeFcm
) -> None:
    gateway = made_fcm(timeout_s=0.5, concurrency=2)
    fcm.oauth(answers=[{"delay_s": 20, "times": 100}])

    started = time.monotonic()
    receipts = await gateway.send([push() for _ in range(30)], now=NOW)
    took_s = time.monotonic() - started

    assert {(r.outcome, r.provider_code) for r in receipts} == {(Outcome.TRY_LATER, "OAUTH_TIMEOUT")}
    assert took_s < 2.0


async def test_a_long_text_is_cut_to_what_fcm_takes(fcm: RunningFcm, fcm_gateway: FcmGateway) -> None:
    message = push(body="é👩‍👩‍👧‍👦" * 2000)

    [receipt] = await fcm_gateway.send([message], now=NOW)

    assert receipt.outcome is Outcome.ACCEPTED
    [shown] = fcm.delivered()
    assert shown["notification"]["body"].endswith("👦…") or shown["notification"]["body"].endswith("é…")


async def test_data_that_is_too_large_is_our_fault_without_a_call(
    fcm: RunningFcm, fcm_gateway: FcmGateway
) -> None:
    receipts = await fcm_gateway.send([push(data={"code": "A" * 4096}), push()], now=NOW)

    assert [(r.outcome, r.provider_code) for r in receipts] == [
        (Outcome.OUR_FAULT, "PAYLOAD_TOO_LARGE"),
        (Outcome.ACCEPTED, None),
    ]
    assert len(fcm.log()) == 1


async def test_data_under_a_reserved_key_is_our_fault_and_never_the_device_s(
    fcm: RunningFcm, fcm_gateway: FcmGateway
) -> None:
    [receipt] = await fcm_gateway.send([push(data={"google.offer": "1"})], now=NOW)

    assert (receipt.outcome, receipt.status) == (Outcome.OUR_FAULT, 400)
    assert fcm.delivered() == []


async def test_a_malformed_token_is_dead(fcm: RunningFcm, fcm_gateway: FcmGateway) -> None:
    [receipt] = await fcm_gateway.send([push(token="not a token")], now=NOW)

    assert (receipt.outcome, receipt.provider_code) == (Outcome.DEAD_TOKEN, "INVALID_ARGUMENT")


async def test_a_caller_that_gives_up_leaves_the_gateway_usable(
    fcm: RunningFcm, fcm_gateway: FcmGateway
) -> None:
    fcm.oauth(answers=[{"delay_s": 0.3}])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await fcm_gateway.send([push()], now=NOW)

    [receipt] = await fcm_gateway.send([push()], now=NOW)

    assert receipt.outcome in (Outcome.ACCEPTED, Outcome.TRY_LATER)
