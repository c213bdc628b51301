"""The FCM message: its fields, its time to live, and where a text that is too long is cut."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.gateways.graphemes import graphemes
from offers.gateways.payload import MAX_PAYLOAD_BYTES, CannotBuild, fcm_request, payload_bytes
from offers.gateways.port import PushMessage

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
MESSAGE = PushMessage(
    message_id="0190b6a4-5f6e-7d3a-8a54-3f1f5a0b9c11",
    platform="fcm",
    token="phone",
    title="Yaourts",
    body="Au rayon frais",
    expires_at=NOW + timedelta(minutes=60),
    registered_at=NOW,
)


def built(**changes: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(fcm_request(replace(MESSAGE, **changes), now=NOW))["message"]
    return message


def without_token(message: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key != "token"}


def test_a_short_message_is_passed_on_whole() -> None:
    assert built() == {
        "token": "phone",
        "notification": {"title": "Yaourts", "body": "Au rayon frais"},
        "android": {
            "priority": "high",
            "ttl": "3600s",
            "notification": {"tag": "0190b6a4-5f6e-7d3a-8a54-3f1f5a0b9c11"},
        },
    }


def test_a_sensitive_message_shows_neither_its_texts_nor_its_image() -> None:
    message = built(is_sensitive=True, language="en", image_url="https://images.example/y.jpg")

    assert message["notification"] == {
        "title": "An offer is waiting for you",
        "body": "Open it to find out more.",
    }


@pytest.mark.parametrize(
    ("left", "ttl"),
    [
        (timedelta(milliseconds=1), "0s"),
        (timedelta(seconds=1, milliseconds=999), "1s"),
        (timedelta(hours=1), "3600s"),
        (timedelta(days=28), "2419200s"),
        (timedelta(days=90), "2419200s"),
    ],
)
def test_the_time_to_live_is_whole_seconds_up_to_four_weeks(left: timedelta, ttl: str) -> None:
    assert built(expires_at=NOW + left)["android"]["ttl"] == ttl


@pytest.mark.parametrize(
    ("text", "clusters"),
    [
        ("", []),
        ("ab", ["a", "b"]),
        ("e\u0301a", ["e\u0301", "a"]),
        ("\r\n\n", ["\r\n", "\n"]),
        ("👩‍👩‍👧‍👦!", ["👩‍👩‍👧‍👦", "!"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("🇫🇷🇧🇪", ["🇫🇷", "🇧🇪"]),
        ("❤️1️⃣", ["❤️", "1️⃣"]),
        ("각각", ["각", "각"]),
        ("क्षि", ["क्षि"]),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿x", ["🏴󠁧󠁢󠁥󠁮󠁧󠁿", "x"]),
    ],
)
def test_a_character_is_what_a_reader_sees_as_one(text: str, clusters: list[str]) -> None:
    assert graphemes(text) == clusters


@given(st.text(max_size=60))
def test_the_characters_joined_are_the_text(text: str) -> None:
    assert "".join(graphemes(text)) == text


def test_the_body_is_cut_first_and_as_little_as_possible() -> None:
    body = "né " * 3000
    message = built(body=body)

    shown = message["notification"]["body"]
    assert message["notification"]["title"] == "Yaourts"
    assert shown.endswith("…") and body.startswith(shown[:-1])
    assert MAX_PAYLOAD_BYTES - 5 < payload_bytes(without_token(message)) <= MAX_PAYLOAD_BYTES


def test_a_family_is_never_torn_apart() -> None:
    family = "👩‍👩‍👧‍👦"
    shown = built(body=family * 500)["notification"]["body"]

    assert set(shown[:-1].split(family)) == {""}


def test_a_title_that_is_too_long_costs_the_body_and_then_itself() -> None:
    notification = built(title="T" * 5000)["notification"]

    assert set(notification) == {"title"}
    assert notification["title"].endswith("T…")


def test_a_title_that_just_fits_alone_stays_whole() -> None:
    room = MAX_PAYLOAD_BYTES - payload_bytes(without_token(built(title="", body="")))
    notification = built(title="T" * room, body="Au rayon frais")["notification"]

    assert notification == {"title": "T" * room}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": {"code": "A" * 4096}}, "PAYLOAD_TOO_LARGE"),
        ({"image_url": "https://i.example/" + "a" * 4096}, "PAYLOAD_TOO_LARGE"),
        ({"body": "\ud800"}, "PAYLOAD_NOT_UNICODE"),
        ({"token": "\ud800"}, "PAYLOAD_NOT_UNICODE"),
    ],
)
def test_what_cannot_be_made_to_fit_is_named(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(CannotBuild) as caught:
        built(**changes)
    assert caught.value.code == code


@given(
    title=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50),
    body=st.text(st.sampled_from('aé"\n\u0000👩‍👧ह्ि'), max_size=50),
    times=st.integers(1, 200),
)
def test_any_text_fits_in_what_fcm_takes(title: str, body: str, times: int) -> None:
    message = built(title=title, body=body * times)

    assert payload_bytes(without_token(message)) <= MAX_PAYLOAD_BYTES
    assert message["notification"]["title"] == title
