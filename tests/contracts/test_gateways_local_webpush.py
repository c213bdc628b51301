"""The local push service itself: as strict as the real ones, and it tells what it read."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import http_ece
import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import jwt

from providers.testing_webpush import BrowserAddress, RunningWebPush, running_webpush

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
PROCESS_WITHIN_S = 20
DAY_S = 24 * 3600


@pytest.fixture(scope="module")
def running() -> Iterator[RunningWebPush]:
    with running_webpush() as webpush:
        yield webpush


@pytest.fixture
def webpush(running: RunningWebPush) -> RunningWebPush:
    running.reset()
    return running


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text_of(key: ec.EllipticCurvePrivateKey) -> str:
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def sealed(browser: BrowserAddress, text: bytes = b"Bonjour") -> bytes:
    to = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(browser.p256dh))
    body: bytes = http_ece.encrypt(
        text, private_key=ec.generate_private_key(ec.SECP256R1()), dh=to, auth_secret=raw(browser.auth)
    )
    return body


def vapid(
    webpush: RunningWebPush,
    *,
    signer: ec.EllipticCurvePrivateKey = KEY,
    shown: str | None = None,
    **changes: Any,
) -> str:
    claims = {
        "aud": webpush.base_url,
        "exp": int(time.time()) + 3600,
        "sub": "mailto:a@example.org",
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return f"vapid t={jwt.sign(claims, signer)}, k={shown or text_of(signer)}"


def sent(
    webpush: RunningWebPush, browser: BrowserAddress, *, body: bytes | None = None, **changes: str | None
) -> httpx.Response:
    headers = {
        "authorization": vapid(webpush),
        "ttl": "60",
        "urgency": "high",
        "topic": "a-topic_1",
        "content-encoding": "aes128gcm",
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    given = {name: value for name, value in headers.items() if value is not None}
    content = sealed(browser) if body is None else body
    with httpx.Client(trust_env=False, verify=False) as client:
        return client.post(browser.endpoint, headers=given, content=content)


def test_a_right_message_is_read_kept_and_named(webpush: RunningWebPush) -> None:
    browser = webpush.subscribe()

    answer = sent(webpush, browser)

    [entry] = webpush.log()
    assert (answer.status_code, answer.headers["ttl"]) == (201, "60")
    assert answer.headers["location"] == entry["name"]
    assert (entry["token"], entry["delivered"]) == (browser.endpoint, True)
    assert entry["message"]["text"] == "Bonjour"
    [waiting] = webpush.waiting(browser)
    assert (waiting["text"], waiting["topic"], waiting["urgency"]) == ("Bonjour", "a-topic_1", "high")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"ttl": None}, 400, "NO_TTL"),
        ({"ttl": "soon"}, 400, "BAD_TTL"),
        ({"ttl": "-1"}, 400, "BAD_TTL"),
        ({"ttl": "1.5"}, 400, "BAD_TTL"),
        ({"topic": "a" * 33}, 400, "BAD_TOPIC"),
        ({"topic": ""}, 400, "BAD_TOPIC"),
        ({"topic": "a+b"}, 400, "BAD_TOPIC"),
        ({"urgency": "urgent"}, 400, "BAD_URGENCY"),
        ({"content_encoding": "aesgcm"}, 400, "BAD_ENCODING"),
        ({"content_encoding": None}, 400, "BAD_ENCODING"),
        ({"body": b""}, 400, "UNDECRYPTABLE"),
        ({"body": b"clear text"}, 400, "UNDECRYPTABLE"),
        ({"body": b"x" * 4096}, 400, "UNDECRYPTABLE"),
        ({"body": b"x" * 4097}, 413, "TOO_LARGE"),
        ({"body": b"x" * (2 << 20)}, 413, None),
        ({"authorization": None}, 401, "NO_VAPID"),
        ({"authorization": "Bearer x"}, 401, "BAD_VAPID"),
        ({"authorization": "vapid t=x"}, 401, "BAD_VAPID"),
        ({"authorization": "vapid t=x,k=y"}, 401, "BAD_VAPID"),
    ],
)
def test_a_message_that_is_not_right_is_refused_by_name(
    webpush: RunningWebPush, changes: dict[str, Any], status: int, code: str | None
) -> None:
    browser = webpush.subscribe()

    answer = sent(webpush, browser, **changes)

    assert answer.status_code == status
    assert [entry["answer"]["code"] for entry in webpush.log()] == ([] if code is None else [code])
    assert (webpush.delivered(), webpush.waiting(browser)) == ([], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://fcm.googleapis.com"},
        {"aud": None},
        {"exp": int(time.time()) - 1},
        {"exp": int(time.time()) + DAY_S + 600},
        {"exp": None},
        {"sub": None},
        {"sub": "me"},
        {"shown": text_of(OTHER)},  # signed by another than the key beside it
        {"shown": "AAAA"},
    ],
)
def test_a_sender_that_does_not_say_who_it_is_is_refused(
    webpush: RunningWebPush, changes: dict[str, Any]
) -> None:
    browser = webpush.subscribe()

    answer = sent(webpush, browser, authorization=vapid(webpush, **changes))

    assert (answer.status_code, answer.json()["errno"]) == (401, 109)
    assert webpush.delivered() == []


def test_a_message_for_another_browser_cannot_be_read(webpush: RunningWebPush) -> None:
    browser, other = webpush.subscribe(), webpush.subscribe()

    assert sent(webpush, browser, body=sealed(other)).status_code == 400
    assert [entry["answer"]["code"] for entry in webpush.log()] == ["UNDECRYPTABLE"]


def test_a_subscription_for_one_server_takes_nothing_from_another(webpush: RunningWebPush) -> None:
    browser = webpush.subscribe(server_key=text_of(KEY))

    refused = sent(webpush, browser, authorization=vapid(webpush, signer=OTHER))

    assert (refused.status_code, refused.json()["message"]) == (401, "VAPID public key mismatch")
    assert sent(webpush, browser).status_code == 201


def test_a_subscription_ends_and_an_unknown_one_never_was(webpush: RunningWebPush) -> None:
    browser = webpush.subscribe()
    webpush.unsubscribe(browser)
    unknown = BrowserAddress(endpoint=browser.endpoint + "x", p256dh=browser.p256dh, auth=browser.auth)

    assert [sent(webpush, each).status_code for each in (browser, unknown)] == [410, 404]
    with pytest.raises(ValueError, match="subscription options"):
        webpush.subscribe(server_key="not a key")


def test_a_topic_replaces_what_waits_and_a_message_without_one_never(webpush: RunningWebPush) -> None:
    browser = webpush.subscribe()
    for topic, text in (("a", "1"), (None, "2"), ("b", "3"), (None, "4"), ("a", "5")):
        assert sent(webpush, browser, topic=topic, body=sealed(browser, text.encode())).status_code == 201

    assert [waiting["text"] for waiting in webpush.waiting(browser)] == ["2", "3", "4", "5"]
    assert len(webpush.delivered()) == 5


def test_a_ttl_of_0_leaves_nothing_for_later_and_a_long_one_is_lowered(webpush: RunningWebPush) -> None:
    browser = webpush.subscribe()

    now_or_never, long = sent(webpush, browser, ttl="0"), sent(webpush, browser, ttl="999999999", topic=None)

    assert (now_or_never.headers["ttl"], long.headers["ttl"]) == ("0", "2419200")
    assert [waiting["topic"] for waiting in webpush.waiting(browser)] == [None]


def test_scripted_answers_come_in_order_and_then_all_is_well(webpush: RunningWebPush) -> None:
    browser = webpush.subscribe()
    webpush.script(
        browser.endpoint,
        {"status": 503, "retry_after": 9},
        {"error_code": "KEY_MISMATCH_GOOGLE"},
        {"status": 202},
    )

    answers = [sent(webpush, browser) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [503, 403, 202, 201]
    assert answers[0].headers["retry-after"] == "9"
    assert answers[1].text.startswith("the VAPID credentials in the authorization header do not correspond")
    assert [entry["delivered"] for entry in webpush.log()] == [False, False, True, True]


@pytest.mark.parametrize(
    "answer", [{"error_code": "NONE"}, {"drop": "sometimes"}, {"body": "big"}, {"sleep": 1}, {"ttl": "x"}]
)
def test_a_script_that_cannot_be_understood_is_refused(
    webpush: RunningWebPush, answer: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="error"):
        webpush.script("*", answer)


def test_the_page_shows_what_arrived_in_two_languages(webpush: RunningWebPush) -> None:
    with httpx.Client(base_url=webpush.base_url, trust_env=False, verify=False) as client:
        titles = [client.get("/", headers={"accept-language": each}).text for each in ("fr-FR", "en-GB")]
        lost = client.get("/nowhere").status_code
    assert ["<h1>Téléphones</h1>" in titles[0], "<h1>Phones</h1>" in titles[1], lost] == [True, True, 404]


def test_as_a_process_it_tells_where_it_is_and_stops_on_request(tmp_path: Path) -> None:
    state_file = tmp_path / "webpush.json"
    process = subprocess.Popen([sys.executable, "-m", "providers.webpush", "--state-file", str(state_file)])
    until = time.monotonic() + PROCESS_WITHIN_S
    while not state_file.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    try:
        state = json.loads(state_file.read_text())
        started = RunningWebPush(base_url=state["base_url"])
        assert state["pid"] == process.pid
        assert started.subscribe().endpoint.startswith(state["base_url"] + "/push/")
    finally:
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(PROCESS_WITHIN_S) == 0
    assert not state_file.exists()


def test_a_port_that_is_taken_is_said_in_a_sentence(webpush: RunningWebPush, tmp_path: Path) -> None:
    port = webpush.base_url.rpartition(":")[2]
    command = [
        sys.executable,
        "-m",
        "providers.webpush",
        "--port",
        port,
        "--state-file",
        str(tmp_path / "s.json"),
    ]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_WITHIN_S, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"The local push service cannot start on 127.0.0.1:{port}:")
