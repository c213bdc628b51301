"""What an answer of FCM means, hostile and half-formed ones among them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.gateways.fcm_answers import BAD_REQUEST, FCM_ERROR, retry_wait, verdict_for
from offers.gateways.port import Outcome

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
DEAD_TEXT = "The registration token is not a valid FCM registration token"


def verdict(status: int, body: Any, retry_after: str | None = None) -> tuple[Outcome, str | None]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = verdict_for(status=status, body=raw, retry_after=retry_after, now=NOW)
    return found.outcome, found.code


def error(message: str, *details: Any, status: str = "INVALID_ARGUMENT") -> dict[str, Any]:
    return {"error": {"message": message, "status": status, "details": list(details)}}


INVALID = {"@type": FCM_ERROR, "errorCode": "INVALID_ARGUMENT"}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (error(DEAD_TEXT, INVALID), Outcome.DEAD_TOKEN),
        (error("Request contains an invalid argument.", INVALID), Outcome.OUR_FAULT),
        (error("Android message is too big", {"@type": BAD_REQUEST}, INVALID), Outcome.OUR_FAULT),
        (error(DEAD_TEXT, INVALID, {"@type": BAD_REQUEST}), Outcome.OUR_FAULT),
        (error(DEAD_TEXT), Outcome.OUR_FAULT),
        (b"<html>bad request</html>", Outcome.OUR_FAULT),
    ],
)
def test_a_400_costs_the_device_only_when_fcm_says_it_is_the_token(body: Any, outcome: Outcome) -> None:
    assert verdict(400, body)[0] is outcome


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"name": 7}', b'{"name": ""}', b"[" * 50_000, b"\xff"])
def test_a_200_that_names_no_message_is_not_taken_for_an_acceptance(body: bytes) -> None:
    assert verdict(200, body) == (Outcome.TRY_LATER, "MALFORMED_ANSWER")


def test_a_404_that_is_not_fcm_s_own_never_costs_a_device() -> None:
    assert verdict(404, b"<html>not found</html>") == (Outcome.LANE_STOPPED, "HTTP_404")


@pytest.mark.parametrize("code", ["bad code", "A" * 200, "<b>", 7, None])
def test_a_code_from_outside_is_taken_only_if_it_looks_like_one(code: Any) -> None:
    body = error("x", {"@type": FCM_ERROR, "errorCode": code})
    assert verdict(500, body) == (Outcome.TRY_LATER, "HTTP_500")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("30", 30),
        ("0", 0),
        ("1.5", 1.5),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("999999999999", 86400),
        ("Sat, 14 Mar 2026 10:02:00 GMT", 120),
        ("Sat, 14 Mar 2026 09:00:00 GMT", 0),
        ("Sat, 14 Mar 2026 10:02:00 -0000", 120),
    ],
)
def test_retry_after_is_read_in_both_its_forms(header: str | None, seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_wait(header, now=NOW) == expected


@given(
    status=st.integers(200, 599), body=st.binary(max_size=200), retry_after=st.none() | st.text(max_size=40)
)
def test_every_answer_has_a_meaning_and_only_a_later_one_a_time(
    status: int, body: bytes, retry_after: str | None
) -> None:
    found = verdict_for(status=status, body=body, retry_after=retry_after, now=NOW)

    assert (found.retry_in is not None) == (found.outcome is Outcome.TRY_LATER)
    assert found.outcome not in (Outcome.ACCEPTED, Outcome.DEAD_TOKEN)
