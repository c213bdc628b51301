"""The local APNs itself: as strict as the real one, stopped cleanly, and found through its state file."""

import json
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from providers.testing_apns import RunningApns

DEVICE = "ab" * 32
PAYLOAD = {"aps": {"alert": {"title": "Yaourts"}}}
PROCESS_WITHIN_S = 20


def provider_token(
    apns: RunningApns, *, kid: str | None = None, key: str | None = None, **claims: Any
) -> str:
    return jwt.encode(
        {"iss": apns.team_id, "iat": int(time.time()), **claims},
        key or apns.key_file.read_text(),
        algorithm="ES256",
        headers={"kid": kid or apns.key_id},
    )


def headers(apns: RunningApns, **changes: str | None) -> dict[str, str]:
    """Return good headers, changed; None leaves one out, and _ stands for -."""
    given: dict[str, str | None] = {
        "authorization": f"bearer {provider_token(apns)}",
        "apns-topic": apns.topic,
        "apns-push-type": "alert",
        "apns-id": str(uuid4()),
    }
    given |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in given.items() if value is not None}


def send(
    apns: RunningApns,
    *,
    path: str = f"/3/device/{DEVICE}",
    method: str = "POST",
    body: Any = PAYLOAD,
    **changes: Any,
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with apns.client() as client:
        return client.request(method, path, content=content, headers=headers(apns, **changes))


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"]


def test_a_good_notification_is_accepted_over_http_2_under_its_own_id(apns: RunningApns) -> None:
    answer = send(apns, apns_id="0190b6a4-5f6e-7d3a-8a54-3f1f5a0b9c11")

    assert (answer.status_code, answer.http_version, answer.content) == (200, "HTTP/2", b"")
    assert answer.headers["apns-id"] == "0190b6a4-5f6e-7d3a-8a54-3f1f5a0b9c11"
    [delivered] = apns.delivered()
    assert (delivered["token"], delivered["payload"]) == (DEVICE, PAYLOAD)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"method": "GET"}, 405, "MethodNotAllowed"),
        ({"path": "/2/device/" + DEVICE}, 404, "BadPath"),
        ({"path": f"/3/device/{DEVICE}/x"}, 404, "BadPath"),
        ({"path": "/3/device/"}, 400, "MissingDeviceToken"),
        ({"path": "/3/device/abc"}, 400, "BadDeviceToken"),
        ({"path": "/3/device/" + "xy" * 32}, 400, "BadDeviceToken"),
        ({"authorization": None}, 403, "MissingProviderToken"),
        ({"authorization": "bearer x.y.z"}, 403, "InvalidProviderToken"),
        ({"authorization": "basic eDp5"}, 403, "InvalidProviderToken"),
        ({"apns_topic": None}, 400, "MissingTopic"),
        ({"apns_topic": "a topic"}, 400, "BadTopic"),
        ({"apns_topic": "com.example.other"}, 400, "TopicDisallowed"),
        ({"apns_push_type": None}, 400, "InvalidPushType"),
        ({"apns_push_type": "loud"}, 400, "InvalidPushType"),
        ({"apns_priority": "7"}, 400, "BadPriority"),
        ({"apns_expiration": "tomorrow"}, 400, "BadExpirationDate"),
        ({"apns_id": "42"}, 400, "BadMessageId"),
        ({"apns_collapse_id": "x" * 65}, 400, "BadCollapseId"),
        ({"body": b""}, 400, "PayloadEmpty"),
        ({"body": b"{"}, 400, "PayloadEmpty"),
        ({"body": []}, 400, "PayloadEmpty"),
        ({"body": {"aps": {}}}, 400, "PayloadEmpty"),
        ({"body": {"aps": {"category": "offer"}}}, 400, "PayloadEmpty"),
        ({"body": {"aps": {"alert": {"title": 7}}}}, 400, "PayloadEmpty"),
        ({"body": {"aps": {"alert": 7}}}, 400, "PayloadEmpty"),
        ({"body": {"aps": {"alert": "x", "badge": "1"}}}, 400, "PayloadEmpty"),
        ({"body": {"aps": {"alert": "x", "mutable-content": True, "category": 1}}}, 400, "PayloadEmpty"),
        ({"body": {"aps": {"alert": "x", "interruption-level": "loud"}}}, 400, "PayloadEmpty"),
        ({"body": {"aps": {"alert": "x" * 4096}}}, 413, "PayloadTooLarge"),
    ],
)
def test_what_apns_would_not_take_is_refused_with_its_reason(
    apns: RunningApns, changes: dict[str, Any], status: int, reason: str
) -> None:
    assert refused(send(apns, **changes)) == (status, reason)
    [entry] = apns.log()
    assert (entry["answer"], entry["delivered"]) == ({"status": status, "code": reason}, False)


@pytest.mark.parametrize("size", [4096, 4097])
def test_the_size_counts_in_bytes(apns: RunningApns, size: int) -> None:
    empty = len(json.dumps({"aps": {"alert": ""}}).encode())
    answer = send(apns, body={"aps": {"alert": "x" * (size - empty)}})

    assert answer.status_code == (200 if size == 4096 else 413)


def test_a_header_given_twice_is_refused(apns: RunningApns) -> None:
    twice = [*headers(apns).items(), ("apns-priority", "5"), ("apns-priority", "10")]
    with apns.client() as client:
        answer = client.post(f"/3/device/{DEVICE}", json=PAYLOAD, headers=twice)

    assert refused(answer) == (400, "DuplicateHeaders")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "SOMEONE001"}, "InvalidProviderToken"),
        ({"kid": "ANOTHERKEY"}, "InvalidProviderToken"),
        ({"iat": "now"}, "InvalidProviderToken"),
        ({"iat": int(time.time()) + 3600}, "InvalidProviderToken"),
        ({"iat": int(time.time()) - 3700}, "ExpiredProviderToken"),
    ],
)
def test_a_provider_token_that_is_not_right_is_refused(
    apns: RunningApns, changes: dict[str, Any], reason: str
) -> None:
    answer = send(apns, authorization=f"bearer {provider_token(apns, **changes)}")

    assert refused(answer) == (403, reason)


def test_a_token_signed_with_another_key_is_refused(apns: RunningApns) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    answer = send(apns, authorization=f"bearer {provider_token(apns, key=other.decode())}")

    assert refused(answer) == (403, "InvalidProviderToken")


def test_tokens_that_change_too_often_on_a_connection_are_refused(apns: RunningApns) -> None:
    first, second = (f"bearer {provider_token(apns)}" for _ in range(2))
    answers = []
    with apns.client() as client:
        for authorization, ahead_s in [(first, 0), (second, 1199), (first, 1199), (second, 1200)]:
            apns.change(clock_ahead_s=ahead_s)
            sent = headers(apns, authorization=authorization)
            answers.append(client.post(f"/3/device/{DEVICE}", json=PAYLOAD, headers=sent))

    assert [answer.status_code for answer in answers] == [200, 429, 200, 200]
    assert answers[1].json() == {"reason": "TooManyProviderTokenUpdates"}


def test_how_often_tokens_change_can_be_left_uncounted(apns: RunningApns) -> None:
    apns.change(counts_updates=False)
    with apns.client() as client:
        for _ in range(3):
            assert client.post(f"/3/device/{DEVICE}", json=PAYLOAD, headers=headers(apns)).status_code == 200


def test_scripted_answers_come_in_order_and_then_all_is_well(apns: RunningApns) -> None:
    apns.script(
        DEVICE,
        {"reason": "TooManyRequests", "retry_after": 9},
        {"status": 410, "timestamp_ms": 1_773_482_400_000},
    )

    answers = [send(apns) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 410, 200]
    assert answers[0].headers["retry-after"] == "9"
    assert answers[1].json() == {"reason": "Unregistered", "timestamp": 1_773_482_400_000}
    last = apns.log()[-1]
    assert last["answer"] == {"status": 200, "code": "OK"}
    assert apns.log(since=last["seq"]) == []


@pytest.mark.parametrize(
    "cut", [{"drop": "after"}, {"drop": "before"}, {"reset": "after"}, {"goaway": "Shutdown"}]
)
def test_a_cut_gives_no_answer_and_says_whether_the_phone_was_reached(
    apns: RunningApns, cut: dict[str, str]
) -> None:
    apns.script(DEVICE, cut)

    with pytest.raises(httpx.TransportError):
        send(apns)

    [entry] = apns.log()
    assert entry["answer"]["status"] is None
    assert entry["delivered"] is ("after" in cut.values())


@pytest.mark.parametrize(
    "answer",
    [{"reason": "NONE"}, {"drop": "sometimes"}, {"reset": 1}, {"goaway": "Bye"}, {"times": 0}, {"sleep": 1}],
)
def test_a_script_that_cannot_be_understood_is_refused(apns: RunningApns, answer: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="error"):
        apns.script(DEVICE, answer)


def test_nobody_trusts_it_without_its_authority(apns: RunningApns) -> None:
    with (
        httpx.Client(http2=True, trust_env=False, verify=ssl.create_default_context()) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"https://{apns.host}:{apns.port}/")


def started(state_file: Path, directory: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    command = [sys.executable, "-m", "providers.apns", "--state-file", str(state_file)]
    process = subprocess.Popen([*command, "--directory", str(directory), "--topic", "com.example.shop"])
    until = time.monotonic() + PROCESS_WITHIN_S
    while not state_file.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    state: dict[str, Any] = json.loads(state_file.read_text())
    return process, state


def test_as_a_process_it_tells_where_it_is_keeps_its_key_and_stops_on_request(tmp_path: Path) -> None:
    state_file, directory = tmp_path / "apns.json", tmp_path / "keys"
    keys = []
    for _ in range(2):
        process, state = started(state_file, directory)
        try:
            assert (state["pid"], state["topic"]) == (process.pid, "com.example.shop")
            found = {**state, "ca_file": Path(state["ca_file"]), "key_file": Path(state["key_file"])}
            assert send(RunningApns(**{k: v for k, v in found.items() if k != "pid"})).status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PROCESS_WITHIN_S) == 0
        assert not state_file.exists()
        keys.append(Path(state["key_file"]).read_text())

    assert keys[0] == keys[1]
    assert Path(state["key_file"]).stat().st_mode & 0o077 == 0


def test_a_port_that_is_taken_is_said_in_a_sentence(apns: RunningApns, tmp_path: Path) -> None:
    state_file = tmp_path / "s.json"
    command = [
        sys.executable,
        "-m",
        "providers.apns",
        "--port",
        str(apns.port),
        "--state-file",
        str(state_file),
    ]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_WITHIN_S, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"The local APNs cannot start on 127.0.0.1:{apns.port}:")
    assert not state_file.exists()
