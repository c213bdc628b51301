"""What an answer of APNs means, hostile and half-formed ones among them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.gateways.apns_answers import verdict_for
from offers.gateways.port import Outcome, PushMessage
from offers.gateways.verdicts import Verdict

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
REGISTERED_AT = NOW - timedelta(days=3)
MESSAGE = PushMessage(
    message_id="0190b6a4-5f6e-7d3a-8a54-3f1f5a0b9c11",
    platform="apns",
    token="ab" * 32,
    title="Yaourts",
    body="Au rayon frais",
    expires_at=NOW + timedelta(hours=1),
    registered_at=REGISTERED_AT,
)


def verdict(status: int, body: Any, retry_after: str | None = None) -> Verdict:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return verdict_for(MESSAGE, status=status, body=raw, retry_after=retry_after, now=NOW)


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("status", "reason", "outcome", "wait_s"),
    [
        (400, "BadDeviceToken", Outcome.DEAD_TOKEN, None),
        (400, "DeviceTokenNotForTopic", Outcome.DEAD_TOKEN, None),
        (410, "Unregistered", Outcome.DEAD_TOKEN, None),
        (410, "ExpiredToken", Outcome.DEAD_TOKEN, None),
        (400, "BadCollapseId", Outcome.OUR_FAULT, None),
        (400, "BadExpirationDate", Outcome.OUR_FAULT, None),
        (400, "BadMessageId", Outcome.OUR_FAULT, None),
        (400, "BadPriority", Outcome.OUR_FAULT, None),
        (400, "DuplicateHeaders", Outcome.OUR_FAULT, None),
        (400, "InvalidPushType", Outcome.OUR_FAULT, None),
        (400, "MissingDeviceToken", Outcome.OUR_FAULT, None),
        (400, "PayloadEmpty", Outcome.OUR_FAULT, None),
        (404, "BadPath", Outcome.OUR_FAULT, None),
        (405, "MethodNotAllowed", Outcome.OUR_FAULT, None),
        (413, "PayloadTooLarge", Outcome.OUR_FAULT, None),
        (400, "BadTopic", Outcome.LANE_STOPPED, None),
        (400, "MissingTopic", Outcome.LANE_STOPPED, None),
        (400, "TopicDisallowed", Outcome.LANE_STOPPED, None),
        (403, "BadCertificate", Outcome.LANE_STOPPED, None),
        (403, "BadCertificateEnvironment", Outcome.LANE_STOPPED, None),
        (403, "BadEnvironmentKeyIdInToken", Outcome.LANE_STOPPED, None),
        (403, "ExpiredProviderToken", Outcome.LANE_STOPPED, None),
        (403, "Forbidden", Outcome.LANE_STOPPED, None),
        (403, "InvalidProviderToken", Outcome.LANE_STOPPED, None),
        (403, "MissingProviderToken", Outcome.LANE_STOPPED, None),
        (403, "UnrelatedKeyIdInToken", Outcome.LANE_STOPPED, None),
        (400, "IdleTimeout", Outcome.TRY_LATER, 10),
        (429, "TooManyRequests", Outcome.TRY_LATER, 60),
        (429, "TooManyProviderTokenUpdates", Outcome.TRY_LATER, 1200),
        (500, "InternalServerError", Outcome.TRY_LATER, 900),
        (503, "ServiceUnavailable", Outcome.TRY_LATER, 900),
        (503, "Shutdown", Outcome.TRY_LATER, 10),
    ],
)
def test_each_reason_has_its_outcome_and_its_wait(
    status: int, reason: str, outcome: Outcome, wait_s: float | None
) -> None:
    found = verdict(status, {"reason": reason})

    assert (found.outcome, found.code, found.status) == (outcome, reason, status)
    assert found.retry_in == (None if wait_s is None else timedelta(seconds=wait_s))
    assert found.slows_lane is (reason == "TooManyProviderTokenUpdates")
    assert found.refuses_credentials is (reason == "ExpiredProviderToken")


def test_an_acceptance_is_known_under_the_message_s_own_id() -> None:
    assert verdict(200, b"") == Verdict(
        outcome=Outcome.ACCEPTED, status=200, provider_message_id=MESSAGE.message_id
    )


@pytest.mark.parametrize("reason", ["Unregistered", "ExpiredToken"])
@pytest.mark.parametrize(
    ("gone_at", "outcome"),
    [
        (ms(REGISTERED_AT) + 1, Outcome.DEAD_TOKEN),
        (ms(REGISTERED_AT), Outcome.TRY_LATER),
        (ms(REGISTERED_AT) - 1, Outcome.TRY_LATER),
        (None, Outcome.DEAD_TOKEN),
        ("yesterday", Outcome.DEAD_TOKEN),
        (True, Outcome.DEAD_TOKEN),
        (10**30, Outcome.DEAD_TOKEN),
    ],
)
def test_a_token_that_was_confirmed_since_is_not_dead(reason: str, gone_at: Any, outcome: Outcome) -> None:
    found = verdict(410, {"reason": reason, "timestamp": gone_at})

    assert (found.outcome, found.code) == (outcome, reason)
    assert found.retry_in == (timedelta(minutes=10) if outcome is Outcome.TRY_LATER else None)


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        (302, Outcome.LANE_STOPPED, "HTTP_302"),
        (400, Outcome.OUR_FAULT, "HTTP_400"),
        (401, Outcome.LANE_STOPPED, "HTTP_401"),
        (403, Outcome.LANE_STOPPED, "HTTP_403"),
        (404, Outcome.LANE_STOPPED, "HTTP_404"),
        (405, Outcome.LANE_STOPPED, "HTTP_405"),
        (410, Outcome.LANE_STOPPED, "HTTP_410"),
        (413, Outcome.OUR_FAULT, "HTTP_413"),
        (502, Outcome.TRY_LATER, "HTTP_502"),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<html>no</html>", b"[]", b'{"reason": 7}', b'{"reason": "<b>"}', b"\xff"]
)
def test_what_is_not_apns_own_word_never_costs_a_device(
    status: int, outcome: Outcome, code: str, body: bytes
) -> None:
    found = verdict(status, body)
    assert (found.outcome, found.code) == (outcome, code)


@pytest.mark.parametrize("reason", ["BadDeviceToken", "Unregistered"])
@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_word_for_a_dead_token_under_another_status_is_not_believed(status: int, reason: str) -> None:
    assert verdict(status, {"reason": reason}).outcome is not Outcome.DEAD_TOKEN


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_provider_s_own_wait_counts(status: int) -> None:
    assert verdict(status, {"reason": "TooManyRequests"}, "7").retry_in == timedelta(seconds=7)


@given(
    status=st.integers(201, 599),
    body=st.binary(max_size=200) | st.dictionaries(st.sampled_from(["reason", "timestamp"]), st.text()),
    retry_after=st.none() | st.text(max_size=40),
)
def test_every_answer_has_a_meaning_and_only_a_later_one_a_time(
    status: int, body: Any, retry_after: str | None
) -> None:
    found = verdict(status, body, retry_after)

    assert (found.retry_in is not None) == (found.outcome is Outcome.TRY_LATER)
    assert found.outcome not in (Outcome.ACCEPTED, Outcome.DEAD_TOKEN)
