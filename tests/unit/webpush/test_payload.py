"""What a service worker gets of a message, and how long a push service keeps it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.gateways.fitting import CannotBuild
from offers.gateways.port import PushMessage
from offers.gateways.webpush_crypto import MAX_TEXT_BYTES
from offers.gateways.webpush_payload import webpush_headers, webpush_text

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
MESSAGE = PushMessage(
    message_id="0190b6a4-5f6e-7d3a-8a54-3f1f5a0b9c11",
    platform="webpush",
    token="{}",
    title="−30 % sur vos yaourts",
    body="Au rayon frais",
    expires_at=NOW + timedelta(minutes=60),
    registered_at=NOW,
    image_url="https://images.example/yaourt.jpg",
    data={"code": "7K3M-ZQ8V-0T", "link": "rayon://coupons/7K3M-ZQ8V-0T", "offer": "yoghurt"},
    badge=2,
)


def built(**changes: Any) -> dict[str, Any]:
    text = webpush_text(replace(MESSAGE, **changes))
    assert len(text) <= MAX_TEXT_BYTES
    payload: dict[str, Any] = json.loads(text)
    return payload


def headers(**changes: Any) -> dict[str, str]:
    return webpush_headers(replace(MESSAGE, **changes), now=NOW)


def test_a_message_holds_all_that_the_service_worker_shows() -> None:
    assert built() == {
        "title": "−30 % sur vos yaourts",
        "body": "Au rayon frais",
        "tag": "0190b6a4-5f6e-7d3a-8a54-3f1f5a0b9c11",
        "lang": "fr",
        "image": "https://images.example/yaourt.jpg",
        "badge": 2,
        "actions": [
            {"action": "open", "title": "Voir l’offre"},
            {"action": "not_interested", "title": "Pas pour moi"},
            {"action": "pause", "title": "Faire une pause"},
        ],
        "link": "rayon://coupons/7K3M-ZQ8V-0T",
        "data": {"code": "7K3M-ZQ8V-0T", "offer": "yoghurt"},
    }


def test_what_a_message_lacks_is_absent() -> None:
    assert set(built(image_url=None, badge=None, data={})) == {"title", "body", "tag", "lang", "actions"}


@pytest.mark.parametrize(
    ("language", "first"),
    [("fr", "Voir l’offre"), ("en", "See the offer"), ("en-GB", "See the offer"), ("de", "Voir l’offre")],
)
def test_the_actions_speak_the_message_s_language_else_french(language: str, first: str) -> None:
    assert built(language=language)["actions"][0]["title"] == first


@pytest.mark.parametrize(
    ("language", "title"), [("fr", "Une offre vous attend"), ("en", "An offer is waiting for you")]
)
def test_a_sensitive_message_shows_neither_its_texts_nor_its_image(language: str, title: str) -> None:
    payload = built(is_sensitive=True, language=language)

    assert payload["title"] == title
    assert "image" not in payload
    assert "yaourt" not in json.dumps(payload, ensure_ascii=False)
    assert payload["data"]["code"] == "7K3M-ZQ8V-0T"  # still opened as ever


@pytest.mark.parametrize(
    ("left", "ttl"),
    [
        (timedelta(milliseconds=1), "1"),
        (timedelta(seconds=1, milliseconds=999), "1"),
        (timedelta(seconds=90), "90"),
        (timedelta(hours=1), "3600"),
        (timedelta(days=90), "2419200"),
    ],
)
def test_the_ttl_is_whole_seconds_until_the_end_and_never_0(left: timedelta, ttl: str) -> None:
    assert headers(expires_at=NOW + left)["ttl"] == ttl


def test_the_headers_say_how_a_message_is_kept() -> None:
    assert headers() == {
        "ttl": "3600",
        "urgency": "high",
        "topic": "AZC2pF9ufTqKVD8fWgucEQ",
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
    }
    assert headers(is_urgent=False)["urgency"] == "normal"


@given(st.uuids())
def test_a_topic_is_short_url_safe_and_one_per_message(message_id: Any) -> None:
    topic = headers(message_id=str(message_id))["topic"]

    assert len(topic) == 22
    assert topic.replace("-", "").replace("_", "").isalnum() and topic.isascii()


def test_the_body_is_cut_first_between_characters() -> None:
    family = "👩‍👩‍👧‍👦"
    payload = built(body=family * 500)

    assert payload["title"] == MESSAGE.title
    assert payload["body"].endswith("…")
    assert set(payload["body"][:-1].split(family)) == {""}
    assert MAX_TEXT_BYTES - len(family.encode()) < len(webpush_text(replace(MESSAGE, body=family * 500)))


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
        built(**changes)
    assert caught.value.code == code


@given(
    title=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50),
    body=st.text(st.sampled_from('aé"\n\u0000👩‍👧ह्ि'), max_size=50),
    times=st.integers(1, 200),
)
def test_any_text_fits_in_one_message(title: str, body: str, times: int) -> None:
    assert built(title=title, body=body * times)["title"] == title
