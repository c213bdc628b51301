"""The local FCM itself: as strict as the real one, stopped cleanly, and found through its state file."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.auth import crypt, jwt

from providers.testing import RunningFcm, running_fcm

from .processes import PROCESS_WITHIN_S, started

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningFcm]:
    with running_fcm() as fcm:
        yield fcm


@pytest.fixture
def fcm(running: RunningFcm) -> RunningFcm:
    running.reset()
    return running


def call(fcm: RunningFcm, path: str, **request: Any) -> httpx.Response:
    with httpx.Client(base_url=fcm.base_url, trust_env=False, verify=False) as client:
        return client.post(path, **request)


def grant(fcm: RunningFcm, *, grant_type: str = GRANT, **changes: Any) -> httpx.Response:
    account = json.loads(fcm.credentials_file.read_text())
    now = int(time.time())
    claims = {"iss": account["client_email"], "aud": account["token_uri"], "scope": SCOPE}
    claims |= {"iat": now, "exp": now + 3600} | changes
    signer = crypt.RSASigner.from_service_account_info(account)
    form = {"grant_type": grant_type, "assertion": jwt.encode(signer, claims).decode()}
    return call(fcm, "/token", data=form)


def send(fcm: RunningFcm, message: Any, *, project: str = "rayon-local") -> httpx.Response:
    bearer = {"authorization": f"Bearer {grant(fcm).json()['access_token']}"}
    return call(fcm, f"/v1/projects/{project}/messages:send", json={"message": message}, headers=bearer)


def test_a_signed_assertion_is_worth_a_token(fcm: RunningFcm) -> None:
    answer = grant(fcm)

    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "expires_in", "token_type"}
    assert (answer.json()["expires_in"], answer.json()["token_type"]) == (3599, "Bearer")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://oauth2.googleapis.com/token"}, "invalid_grant"),
        ({"iss": "someone@else.iam.gserviceaccount.com"}, "invalid_grant"),
        ({"iat": 1_000_000_000, "exp": 1_000_003_600}, "invalid_grant"),
        ({"exp": int(time.time()) + 90_000}, "invalid_grant"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_an_assertion_that_is_not_right_is_refused(
    fcm: RunningFcm, changes: dict[str, Any], error: str
) -> None:
    answer = grant(fcm, **changes)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({}, "message"),
        ({"topic": "all"}, "message"),
        ({"token": "t", "colour": "red"}, "message"),
        ({"token": "t", "data": {"count": 1}}, "message.data.count"),
        ({"token": "t", "data": {"from": "x"}}, "message.data"),
        ({"token": "t", "notification": {"subtitle": "x"}}, "message.notification"),
        ({"token": "t", "notification": {"title": 1}}, "message.notification.title"),
        ({"token": "t", "android": {"ttl": "1 hour"}}, "message.android.ttl"),
        ({"token": "t", "android": {"ttl": "2419201s"}}, "message.android.ttl"),
        ({"token": "t", "android": {"priority": "loud"}}, "message.android.priority"),
        ({"token": "t", "android": {"notification": {"tags": "x"}}}, "message.android.notification"),
        ({"token": "t", "apns": {"headers": {"apns-priority": 10}}}, "message.apns.headers.apns-priority"),
        ({"token": "t", "webpush": "x"}, "message.webpush"),
        ({"token": "t", "data": {"code": "A" * 4096}}, "message"),
        ([], "message"),
    ],
)
def test_a_message_of_another_shape_is_refused_with_its_field(
    fcm: RunningFcm, message: Any, field: str
) -> None:
    answer = send(fcm, message)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert error["details"][0]["fieldViolations"][0]["field"] == field
    assert fcm.delivered() == []


def test_a_send_without_a_living_token_is_refused_and_logged(fcm: RunningFcm) -> None:
    answer = call(fcm, "/v1/projects/rayon-local/messages:send", json={"message": {"token": "t"}})

    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    [entry] = fcm.log()
    assert (entry["token"], entry["answer"]) == ("t", {"status": 401, "code": "UNAUTHENTICATED"})
    assert entry["delivered"] is False


def test_another_project_is_not_ours_to_send_to(fcm: RunningFcm) -> None:
    answer = send(fcm, {"token": "t"}, project="someone-else")

    assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_scripted_answers_come_in_order_and_then_all_is_well(fcm: RunningFcm) -> None:
    fcm.script("t", {"status": 503, "retry_after": 9}, {"error_code": "UNREGISTERED"})

    answers = [send(fcm, {"token": "t"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 404, 200]
    assert answers[0].headers["retry-after"] == "9"
    assert answers[1].json()["error"]["details"] == [
        {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}
    ]
    last = fcm.log()[-1]
    assert last["name"] == answers[2].json()["name"]
    assert fcm.log(since=last["seq"]) == []


@pytest.mark.parametrize(
    "answer", [{"error_code": "NONE"}, {"drop": "sometimes"}, {"sleep": 1}, {"times": 0}]
)
def test_a_script_that_cannot_be_understood_is_refused(fcm: RunningFcm, answer: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="error"):
        fcm.script("t", answer)


@pytest.mark.parametrize(("language", "title"), [("fr-FR,fr;q=0.9", "Téléphones"), ("en-GB", "Phones")])
def test_the_page_speaks_french_and_english_and_asks_for_nothing_from_outside(
    fcm: RunningFcm, language: str, title: str
) -> None:
    with httpx.Client(base_url=fcm.base_url, trust_env=False, verify=False) as client:
        text = client.get("/", headers={"accept-language": language}).text

    assert f"<h1>{title}</h1>" in text
    assert "http" not in text


def test_as_a_process_it_tells_where_it_is_keeps_its_key_and_stops_on_request(tmp_path: Path) -> None:
    state_file, directory = tmp_path / "fcm.json", tmp_path / "keys"
    keys = []
    for _ in range(2):
        process, state = started("providers.fcm", state_file, "--directory", str(directory))
        try:
            account = json.loads(Path(state["credentials_file"]).read_text())
            assert account["token_uri"] == state["base_url"] + "/token"
            assert state["pid"] == process.pid
            assert httpx.get(state["base_url"] + "/", trust_env=False).status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PROCESS_WITHIN_S) == 0
        assert not state_file.exists()
        keys.append(account["private_key"])

    assert keys[0] == keys[1]
    assert Path(state["credentials_file"]).stat().st_mode & 0o077 == 0
