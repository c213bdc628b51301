"""One connection to APNs: shared, lost, refused, hanging; and what becomes of the messages on it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offers.gateways.apns import ApnsGateway
from offers.gateways.port import Outcome
from providers.testing_apns import RunningApns, running_apns

from .apns import LATER, NOW, after, ids, message
from .test_gateways import at


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


async def test_an_idle_connection_that_was_cut_while_nobody_looked_costs_no_message(
    apns: RunningApns, gateway: ApnsGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offers.gateways.http2_shared.IDLE_S", -1.0)
    await gateway.send([message()], now=NOW)
    apns.cut()  # blocks the event loop meanwhile, as between two batches of the worker

    receipts = await gateway.send([message() for _ in range(20)], now=NOW)

    assert {r.outcome for r in receipts} == {Outcome.ACCEPTED}
    assert len(apns.log()) == 21
    assert len({entry["connection"] for entry in apns.log()}) == 2


async def test_an_idle_connection_that_still_lives_is_used_again(
    apns: RunningApns, gateway: ApnsGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offers.gateways.http2_shared.IDLE_S", -1.0)
    for _ in range(3):
        await gateway.send([message()], now=NOW)

    assert len({entry["connection"] for entry in apns.log()}) == 1


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


async def test_a_caller_that_gives_up_leaves_the_gateway_usable(
    apns: RunningApns, gateway: ApnsGateway
) -> None:
    apns.script("*", {"delay_s": 0.3})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await gateway.send([message()], now=NOW)

    [receipt] = await gateway.send([message()], now=NOW)

    assert receipt.outcome is Outcome.ACCEPTED
