"""The local mail server and SMS gateway themselves: strict, scriptable, stopped cleanly, found through a state file."""

import json
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from providers.testing_mail import RunningSms, RunningSmtp, running_sms, running_smtp

PROCESS_WITHIN_S = 20


@pytest.fixture(scope="module")
def sms() -> Iterator[RunningSms]:
    with running_sms() as running:
        yield running


@pytest.fixture(scope="module")
def smtp() -> Iterator[RunningSmtp]:
    with running_smtp() as running:
        yield running


def post(url: str, path: str, **request: Any) -> httpx.Response:
    parts = urlsplit(url)
    with httpx.Client(base_url=f"http://{parts.hostname}:{parts.port}", trust_env=False) as client:
        return client.post(path, **request)


def sms_body(**changes: Any) -> dict[str, Any]:
    return {
        "id": "m-1",
        "to": "+33612345678",
        "from": "Carotte",
        "text": "Bonjour",
        "encoding": "gsm7",
    } | changes


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"to": "0612345678"}, 400, "invalid_number"),
        ({"to": None}, 400, "invalid_number"),
        ({"text": ""}, 400, "bad_request"),
        ({"from": 7}, 400, "bad_request"),
        ({"encoding": "utf-8"}, 400, "bad_request"),
    ],
)
def test_the_sms_gateway_refuses_what_a_real_one_would(
    sms: RunningSms, changes: dict[str, Any], status: int, code: str
) -> None:
    parts = urlsplit(sms.url)
    answer = post(sms.url, "/v1/messages", json=sms_body(**changes), auth=(parts.username, parts.password))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("auth", [None, ("rayon-local", "guess")])
def test_the_sms_gateway_knows_its_account(sms: RunningSms, auth: Any) -> None:
    refused = post(sms.url, "/v1/messages", json=sms_body(), auth=auth)
    assert (refused.status_code, refused.json()["code"]) == (401, "bad_credentials")
    other = post(sms.url, "/2010-04-01/Accounts/AC9/Messages.json", data={"To": "+33612345678"}, auth=auth)
    assert (other.status_code, other.json()["code"]) == (401, 20003)
    vonage = post(sms.url, "/sms/json", json={"api_key": "rayon-local", "api_secret": "guess"})
    assert vonage.json()["messages"][0]["status"] == "4"


def test_the_same_key_is_the_same_message(sms: RunningSms) -> None:
    sms.reset()
    parts = urlsplit(sms.url)
    request = {"json": sms_body(), "auth": (parts.username, parts.password)}
    answers = [
        post(sms.url, "/v1/messages", headers={"idempotency-key": key}, **request).json()["id"]
        for key in ("k-1", "k-1", "k-2")
    ]
    assert (answers[0] == answers[1], answers[1] == answers[2]) == (True, False)
    assert [entry["delivered"] for entry in sms.log()] == [True, False, True]


@pytest.mark.parametrize(
    ("token", "answers", "told"),
    [
        ("+33612345678", {"error_code": "OPTED_OUT"}, "must be a list"),
        ("+33612345678", [{"error_code": "NONESUCH"}], "error_code must be one of"),
        ("+33612345678", [{"reply": "250"}], "an answer is an object"),
        ("+33612345678", [{"times": 0}], "times must lie between"),
        (7, [{}], "an object with token and answers"),
    ],
)
def test_a_bad_sms_script_is_named(sms: RunningSms, token: Any, answers: Any, told: str) -> None:
    answer = post(sms.base_url, "/_control/script", json={"token": token, "answers": answers})
    assert answer.status_code == 400
    assert told in answer.json()["error"]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([{"reply": "no"}], "reply must be a line"),
        ([{"reply": "550 x\r\n250 y"}], "reply must be a line"),
        ([{"at": "quit"}], "at must be rcpt or data"),
        ([{"drop": "perhaps"}], "drop must be before or after"),
        ([{"delay_s": -1}], "delay_s must lie between"),
        ([{"status": 550}], "an answer is an object"),
        ([{"times": 10**9}], "times must lie between"),
    ],
)
def test_a_bad_mail_script_is_named(smtp: RunningSmtp, answers: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        smtp.script("ada@example.net", *answers)


def test_the_mail_server_wants_to_know_who_sends(smtp: RunningSmtp) -> None:
    smtp.reset()
    parts = urlsplit(smtp.url)
    with smtplib.SMTP(parts.hostname or "", parts.port or 0, local_hostname="localhost", timeout=5) as client:
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.sendmail("a@example.net", ["b@example.net"], "Subject: x\r\n\r\ny")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("rayon-local", "guess")
        client.login(parts.username or "", parts.password or "")
        smtp.script("c@example.net", {"reply": "550 5.1.1 No such user"})
        turned_away = client.sendmail(
            "a@example.net", ["b@example.net", "c@example.net"], "Subject: x\r\nTo: b@example.net\r\n\r\ny"
        )
    assert refused.value.smtp_code == 530
    assert turned_away == {"c@example.net": (550, b"5.1.1 No such user")}
    [told] = smtp.delivered()
    assert (told["token"], told["from"], told["headers"]["Subject"]) == (
        "b@example.net",
        "a@example.net",
        "x",
    )
    assert told["parts"] == {"text/plain": "y\r\n"}
    assert [(entry["token"], entry["answer"]["status"]) for entry in smtp.log()] == [
        ("c@example.net", 550),
        ("b@example.net", 250),
    ]


def test_a_control_that_is_none_is_named(smtp: RunningSmtp, sms: RunningSms) -> None:
    for running in (smtp, sms):
        answer = post(running.base_url, "/_control/weather", json={})
        assert (answer.status_code, answer.json()) == (404, {"error": "no such control"})


@pytest.mark.parametrize(
    ("module", "keys", "schemes"),
    [
        ("providers.sms", {"base_url", "url", "pid"}, ("http", "http")),
        ("providers.smtp", {"base_url", "url", "pid"}, ("http", "smtp")),
    ],
)
def test_a_process_tells_where_it_is_and_ends_when_told(
    tmp_path: Path, module: str, keys: set[str], schemes: tuple[str, str]
) -> None:
    state_file = tmp_path / "state.json"
    process = subprocess.Popen([sys.executable, "-m", module, "--state-file", str(state_file)])
    try:
        state = _state(state_file, process)
        assert (set(state), state["pid"]) == (keys, process.pid)
        assert state_file.stat().st_mode & 0o077 == 0  # it holds a password
        control = state["base_url"]
        assert (urlsplit(control).scheme, urlsplit(state["url"]).scheme) == schemes
        with httpx.Client(base_url=control, trust_env=False) as client:
            assert client.get("/_control/log").json() == []
        if schemes[1] == "smtp":
            parts = urlsplit(state["url"])
            with smtplib.SMTP(parts.hostname or "", parts.port or 0, local_hostname="localhost") as mail:
                mail.login(parts.username or "", parts.password or "")
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(PROCESS_WITHIN_S)
    assert code == 0
    assert not state_file.exists()


def test_a_port_that_is_taken_is_named(tmp_path: Path, sms: RunningSms) -> None:
    port = str(urlsplit(sms.url).port)
    done = subprocess.run(
        [sys.executable, "-m", "providers.sms", "--state-file", str(tmp_path / "s.json"), "--port", port],
        check=False,
        capture_output=True,
        text=True,
        timeout=PROCESS_WITHIN_S,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"The local SMS gateway cannot start on 127.0.0.1:{port}: ")


def _state(path: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    deadline = time.monotonic() + PROCESS_WITHIN_S
    while not path.exists():
        assert process.poll() is None, "the process ended"
        assert time.monotonic() < deadline, "no state file"
        time.sleep(0.05)
    return dict(json.loads(path.read_text()))
