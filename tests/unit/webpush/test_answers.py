"""What a push service's answer means: for the message, and for those after it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.gateways.port import Outcome
from offers.gateways.verdicts import Verdict
from offers.gateways.webpush_answers import verdict_for
from offers.gateways.webpush_services import MAX_SERVICES, STREAK, Service, Services, Streak, learnt

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
GOOGLE = b"the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.\n"
MOZILLA = b'{"code":401,"errno":109,"error":"Unauthorized","message":"VAPID public key mismatch"}'
APPLE = b'{"reason":"VapidPkHashMismatch"}'
HALF_A_MINUTE = timedelta(seconds=30)


def verdict(status: int, body: bytes = b"", retry_after: str | None = None) -> Verdict:
    return verdict_for(status=status, body=body, retry_after=retry_after, now=NOW)


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        (201, b"", Outcome.ACCEPTED, None),
        (200, b"<html>", Outcome.ACCEPTED, None),
        (202, b"", Outcome.ACCEPTED, None),
        (404, b"", Outcome.DEAD_TOKEN, "NOT_FOUND"),
        (410, b"", Outcome.DEAD_TOKEN, "GONE"),
        (400, b"", Outcome.OUR_FAULT, "HTTP_400"),
        (413, b"", Outcome.OUR_FAULT, "HTTP_413"),
        (418, b"", Outcome.OUR_FAULT, "HTTP_418"),
        (301, b"", Outcome.OUR_FAULT, "HTTP_301"),
        (307, b"", Outcome.OUR_FAULT, "HTTP_307"),
        (401, b"", Outcome.LANE_STOPPED, "VAPID_REFUSED"),
        (403, b'{"reason":"BadJwtToken"}', Outcome.LANE_STOPPED, "VAPID_REFUSED"),
        (400, b"UnauthorizedRegistration", Outcome.LANE_STOPPED, "VAPID_REFUSED"),
        (403, GOOGLE, Outcome.LANE_STOPPED, "VAPID_KEY_MISMATCH"),
        (401, MOZILLA, Outcome.LANE_STOPPED, "VAPID_KEY_MISMATCH"),
        (400, APPLE, Outcome.LANE_STOPPED, "VAPID_KEY_MISMATCH"),
        (403, APPLE, Outcome.LANE_STOPPED, "VAPID_KEY_MISMATCH"),
        (500, APPLE, Outcome.TRY_LATER, "HTTP_500"),
        (201, APPLE, Outcome.ACCEPTED, None),
    ],
)
def test_an_answer_means(status: int, body: bytes, outcome: Outcome, code: str | None) -> None:
    found = verdict(status, body)
    assert (found.outcome, found.code, found.status) == (outcome, code, status)


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [(429, None, 60), (429, "7", 7), (429, "soon", 60), (503, None, 10), (503, "120", 120), (408, None, 10)],
)
def test_a_wait_is_the_service_s_or_ours(status: int, retry_after: str | None, seconds: int) -> None:
    assert verdict(status, retry_after=retry_after).retry_in == timedelta(seconds=seconds)


@given(
    status=st.integers(200, 599), body=st.binary(max_size=200), retry_after=st.none() | st.text(max_size=40)
)
def test_every_answer_has_a_meaning_and_only_a_404_or_410_costs_a_device(
    status: int, body: bytes, retry_after: str | None
) -> None:
    found = verdict(status, body, retry_after)

    assert (found.retry_in is not None) == (found.outcome is Outcome.TRY_LATER)
    assert (found.outcome is Outcome.DEAD_TOKEN) == (status in (404, 410))
    assert (found.outcome is Outcome.ACCEPTED) == (status < 300)


def learn(answer: Verdict, service: Service, streak: Streak) -> Outcome:
    return learnt(answer, service=service, streak=streak, at=NOW).outcome


def test_a_key_that_does_not_match_costs_a_device_only_where_ours_is_known_to_be_good() -> None:
    service, streak = Service(), Streak()
    mismatch = verdict(403, GOOGLE)

    before = learn(mismatch, service, streak)
    learn(verdict(201), service, streak)
    after = learn(mismatch, service, streak)

    assert (before, after) == (Outcome.LANE_STOPPED, Outcome.DEAD_TOKEN)


def test_keys_that_do_not_match_never_hold_up_others() -> None:
    service, streak = Service(), Streak()
    for _ in range(STREAK * 10):
        learn(verdict(401, MOZILLA), service, streak)
    assert (streak.halt, service.slow_until, service.is_key_proven) == (None, None, False)


def test_three_refusals_in_a_row_halt_the_batch_there() -> None:
    service, streak = Service(), Streak()
    refused = verdict(403)
    for answer in (refused, refused, verdict(201), refused, refused):
        learn(answer, service, streak)
    assert streak.halt is None

    learn(refused, service, streak)
    assert streak.halt == refused


def test_three_times_too_many_in_a_row_slow_the_service() -> None:
    service, streak = Service(), Streak()
    slow = verdict(429, retry_after="30")
    for answer in (slow, slow, verdict(201), slow, slow):
        learn(answer, service, streak)
    assert service.slow_until is None

    learn(slow, service, streak)
    assert (service.slow_until, streak.halt) == (NOW + HALF_A_MINUTE, None)


def test_what_is_remembered_of_push_services_does_not_pile_up() -> None:
    services = Services()
    services.at("https://kept").is_key_proven = True
    for number in range(MAX_SERVICES + 10):
        services.at(f"https://wns{number}.notify.windows.com")
        assert services.at("https://kept").is_key_proven
    assert len(services._known) == MAX_SERVICES
