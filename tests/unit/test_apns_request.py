"""The notification for APNs: headers, payload, and where a text that is too long is cut."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hpack import NeverIndexedHeaderTuple
from hypothesis import given
from hypothesis import strategies as st

from offers.gateways.apns_request import MAX_PAYLOAD_BYTES, Headers, apns_payload, is_topic
from offers.gateways.fitting import CannotBuild
from offers.gateways.port import PushMessage

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
MESSAGE = PushMessage(
    message_id="0190b6a4-5f6e-7d3a-8a54-3f1f5a0b9c11",
    platform="apns",
    token="ab" * 32,
    title="Yaourts",
    body="Au rayon frais",
    expires_at=NOW + timedelta(minutes=60),
    registered_at=NOW,
)
HEADERS = Headers(host="api.push.apple.com", port=443, topic="com.example.shop")


def payload(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(apns_payload(replace(MESSAGE, **changes)))
    return found


def headers(**changes: Any) -> dict[str, str]:
    made = HEADERS.made(replace(MESSAGE, **changes), token="our.own.token")
    return {name.decode(): value.decode() for name, value in made}


def test_a_short_message_is_passed_on_whole() -> None:
    assert payload() == {
        "aps": {
            "alert": {"title": "Yaourts", "body": "Au rayon frais"},
            "category": "offer",
            "sound": "default",
        }
    }


def test_all_that_a_message_has_is_sent() -> None:
    data = {"code": "7K3M-ZQ8V-0T", "link": "https://shop.example/c/7K3M-ZQ8V-0T"}
    assert payload(image_url="https://images.example/y.jpg", data=data, badge=0) == {
        "aps": {
            "alert": {"title": "Yaourts", "body": "Au rayon frais"},
            "category": "offer",
            "sound": "default",
            "badge": 0,
            "mutable-content": 1,
        },
        "image_url": "https://images.example/y.jpg",
        "data": data,
    }


def test_what_can_wait_makes_no_sound() -> None:
    assert payload(is_urgent=False)["aps"] == {
        "alert": {"title": "Yaourts", "body": "Au rayon frais"},
        "category": "offer",
    }


@pytest.mark.parametrize(
    ("language", "title", "body"),
    [
        ("fr", "Une offre vous attend", "Ouvrez-la pour en savoir plus."),
        ("en", "An offer is waiting for you", "Open it to find out more."),
        ("en-GB", "An offer is waiting for you", "Open it to find out more."),
        ("nl", "Une offre vous attend", "Ouvrez-la pour en savoir plus."),
    ],
)
def test_a_sensitive_message_shows_neither_its_texts_nor_its_image(
    language: str, title: str, body: str
) -> None:
    data = {"code": "7K3M-ZQ8V-0T"}
    assert payload(
        is_sensitive=True, language=language, image_url="https://images.example/y.jpg", data=data
    ) == {
        "aps": {"alert": {"title": title, "body": body}, "category": "offer", "sound": "default"},
        "data": data,
    }


def test_the_headers_say_what_when_and_under_which_id() -> None:
    assert headers() == {
        ":method": "POST",
        ":scheme": "https",
        ":authority": "api.push.apple.com",
        ":path": f"/3/device/{'ab' * 32}",
        "authorization": "bearer our.own.token",
        "apns-topic": "com.example.shop",
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-id": MESSAGE.message_id,
        "apns-collapse-id": MESSAGE.message_id,
        "apns-expiration": str(int(NOW.timestamp()) + 3600),
    }


def test_what_differs_from_message_to_message_never_enters_the_header_table() -> None:
    made = HEADERS.made(MESSAGE, token="our.own.token")

    kept_out = {header[0].decode() for header in made if isinstance(header, NeverIndexedHeaderTuple)}
    assert kept_out == {":path", "authorization", "apns-id", "apns-collapse-id", "apns-expiration"}


@pytest.mark.parametrize(("is_urgent", "priority"), [(True, "10"), (False, "5")])
def test_only_what_is_urgent_wakes_the_phone(is_urgent: bool, priority: str) -> None:
    assert headers(is_urgent=is_urgent)["apns-priority"] == priority


def test_the_end_is_never_later_than_the_message_s_own() -> None:
    end = NOW + timedelta(seconds=59, milliseconds=999)
    assert headers(expires_at=end)["apns-expiration"] == str(int(NOW.timestamp()) + 59)


def test_another_port_is_named() -> None:
    made = Headers(host="127.0.0.1", port=8443, topic="t").made(MESSAGE, token="x")
    assert dict(made)[b":authority"] == b"127.0.0.1:8443"


@pytest.mark.parametrize(
    ("token", "path"),
    [("a/../b", "a%2F..%2Fb"), ("x\r\nhost: y", "x%0D%0Ahost%3A%20y"), ("é", "%C3%A9"), ("", "")],
)
def test_a_token_that_is_none_stays_inside_its_path(token: str, path: str) -> None:
    assert headers(token=token)[":path"] == f"/3/device/{path}"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"message_id": "42"}, "BAD_MESSAGE_ID"),
        ({"message_id": MESSAGE.message_id + "\n"}, "BAD_MESSAGE_ID"),
        ({"message_id": MESSAGE.message_id.upper()}, "BAD_MESSAGE_ID"),
        ({"token": "\ud800"}, "PAYLOAD_NOT_UNICODE"),
    ],
)
def test_what_no_header_can_hold_is_named(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(CannotBuild) as caught:
        headers(**changes)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": {"code": "A" * 4096}}, "PAYLOAD_TOO_LARGE"),
        ({"image_url": "https://i.example/" + "a" * 4096}, "PAYLOAD_TOO_LARGE"),
        ({"body": "\ud800"}, "PAYLOAD_NOT_UNICODE"),
    ],
)
def test_what_cannot_be_made_to_fit_is_named(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(CannotBuild) as caught:
        payload(**changes)
    assert caught.value.code == code


def test_the_body_is_cut_first_between_characters_and_as_little_as_possible() -> None:
    family = "👩‍👩‍👧‍👦"
    raw = apns_payload(replace(MESSAGE, body=family * 500))

    alert = json.loads(raw)["aps"]["alert"]
    assert alert["title"] == "Yaourts"
    assert alert["body"].endswith("…") and set(alert["body"][:-1].split(family)) == {""}
    assert MAX_PAYLOAD_BYTES - len(family.encode()) < len(raw) <= MAX_PAYLOAD_BYTES


def test_a_title_that_is_too_long_costs_the_body_and_then_itself() -> None:
    alert = payload(title="T" * 5000)["aps"]["alert"]

    assert set(alert) == {"title"}
    assert alert["title"].endswith("T…")


@given(
    title=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50),
    body=st.text(st.sampled_from('aé"\n\u0000👩‍👧ह्ि'), max_size=50),
    times=st.integers(1, 200),
)
def test_any_text_fits_in_what_apns_takes(title: str, body: str, times: int) -> None:
    raw = apns_payload(replace(MESSAGE, title=title, body=body * times))

    assert len(raw) <= MAX_PAYLOAD_BYTES
    assert json.loads(raw)["aps"]["alert"]["title"] == title


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("com.example.shop", True),
        ("com.example.shop.voip", True),
        ("", False),
        ("com example", False),
        ("com.example\n", False),
        ("a" * 256, False),
    ],
)
def test_a_topic_is_a_bundle_id(text: str, is_one: bool) -> None:
    assert is_topic(text) is is_one
