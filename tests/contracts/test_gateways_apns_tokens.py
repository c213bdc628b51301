"""Our tokens, at a provider that checks them: few, renewed in time, and not the messages' trouble."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from offers.gateways.apns import ApnsGateway
from offers.gateways.port import Outcome
from providers.testing_apns import RunningApns, running_apns

from .apns import LATER, NOW, STOPPED, after, message
from .test_gateways import at


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
