"""Which lane a message takes, when a lane stops knocking, and what a lane may be told."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from config.settings.lanes import read_lanes
from offers.gateways.port import Outcome, Receipt
from offers.gateways.registry import GATEWAYS
from offers.rules.breaker import CAP_S, OPEN_AFTER, Breaker, Sign, open_for_s
from offers.rules.lanes import DEFAULTS, LANES, LaneSettings, lane_of
from offers.stages.deliver.outcomes import sign_of

NOW = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("channel", "platform", "has_socket", "lane"),
    [
        ("push", "fcm", False, "fcm"),
        ("push", "apns", False, "apns"),
        ("push", "webpush", True, "socket"),
        ("push", None, False, ""),
        ("email", "fcm", True, "email"),
        ("sms", None, False, "sms"),
    ],
)
def test_a_message_takes_its_channels_lane_or_its_phones(
    channel: str, platform: str | None, has_socket: bool, lane: str
) -> None:
    assert lane_of(channel=channel, platform=platform, has_socket=has_socket) == lane


def test_every_gateway_but_the_consoles_has_a_lane_and_sockets_come_last() -> None:
    assert set(GATEWAYS) - {"console"} <= set(LANES)
    assert LANES[-1] == "socket"


def heard(signs: list[Sign]) -> Breaker:
    breaker = Breaker()
    for sign in signs:
        breaker = breaker.after(sign)
    return breaker


@given(
    before=st.lists(st.sampled_from([Sign.WELL, Sign.FAILED, Sign.NEUTRAL])),
    failures=st.integers(0, 2 * OPEN_AFTER),
    neutral=st.integers(0, 5),
)
def test_a_breaker_trips_after_failures_in_a_row_and_at_nothing_less(
    before: list[Sign], failures: int, neutral: int
) -> None:
    breaker = heard([*before, Sign.WELL, *[Sign.FAILED] * failures, *[Sign.NEUTRAL] * neutral])

    assert breaker.failures == failures
    assert breaker.is_tripped is (failures >= OPEN_AFTER)
    assert not breaker.after(Sign.WELL).is_tripped


def test_a_provider_that_refuses_us_trips_it_at_once() -> None:
    assert heard([Sign.STOPPED]).is_tripped


@given(openings=st.integers(0, 2000), chance=st.floats(0, 1, exclude_max=True))
def test_a_lane_stays_closed_longer_each_time_and_never_longer_than_five_minutes(
    openings: int, chance: float
) -> None:
    wait = open_for_s(openings=openings, chance=chance)

    assert 5.0 <= wait <= CAP_S
    assert open_for_s(openings=openings + 1, chance=chance) >= wait


def receipt(outcome: Outcome, *, code: str = "", status: int | None = None) -> Receipt:
    retry_at = NOW + timedelta(seconds=10) if outcome in (Outcome.TRY_LATER, Outcome.OFFERED) else None
    return Receipt(
        message_id="m", outcome=outcome, provider_code=code or None, status=status, retry_at=retry_at
    )


@pytest.mark.parametrize(
    ("answer", "sign"),
    [
        (receipt(Outcome.ACCEPTED, status=200), Sign.WELL),
        (receipt(Outcome.DEAD_TOKEN, status=404), Sign.WELL),
        (receipt(Outcome.OUR_FAULT, status=400), Sign.WELL),
        (receipt(Outcome.EXPIRED), Sign.NEUTRAL),
        (receipt(Outcome.OFFERED), Sign.NEUTRAL),
        (receipt(Outcome.TRY_LATER, code="TIMEOUT"), Sign.FAILED),
        (receipt(Outcome.TRY_LATER, code="UNAVAILABLE", status=503), Sign.FAILED),
        (receipt(Outcome.TRY_LATER, status=408), Sign.FAILED),
        (receipt(Outcome.TRY_LATER, code="QUOTA_EXCEEDED", status=429), Sign.NEUTRAL),
        (receipt(Outcome.TRY_LATER, code="THIRD_PARTY_AUTH_ERROR", status=401), Sign.NEUTRAL),
        (receipt(Outcome.TRY_LATER, code="LANE_SLOWED"), Sign.NEUTRAL),
        (receipt(Outcome.LANE_STOPPED, status=403), Sign.STOPPED),
    ],
)
def test_each_answer_says_something_of_its_provider(answer: Receipt, sign: Sign) -> None:
    assert sign_of(answer) is sign


def test_lanes_are_set_one_by_one() -> None:
    found = read_lanes(source={"LANE_SMS_RATE": "2.5", "LANE_FCM_CONCURRENCY": "200", "LANE_APNS_RATE": ""})

    assert found["sms"] == LaneSettings(concurrency=8, rate_per_s=2.5)
    assert found["fcm"] == LaneSettings(concurrency=200, rate_per_s=0.0)
    assert {name: found[name] for name in ("apns", "webpush", "email", "socket")} == {
        name: DEFAULTS[name] for name in ("apns", "webpush", "email", "socket")
    }


@pytest.mark.parametrize(
    ("variable", "given"),
    [
        ("LANE_FCM_CONCURRENCY", "0"),
        ("LANE_FCM_CONCURRENCY", "1001"),
        ("LANE_FCM_CONCURRENCY", "²"),
        ("LANE_SMS_RATE", "-1"),
        ("LANE_SMS_RATE", "nan"),
        ("LANE_SMS_RATE", "inf"),
        ("LANE_SMS_RATE", "fast"),
    ],
)
def test_a_wrong_setting_of_a_lane_is_named(variable: str, given: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=variable):
        read_lanes(source={variable: given})
