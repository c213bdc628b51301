"""All local providers at once: the environment that leads to them, and the one page of what each received."""

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from config.env import read_environment
from config.settings.mail import read_mail
from offers.gateways.port import Outcome
from offers.gateways.registry import gateway_for
from providers.all import AllServers
from providers.board import BoardServer, Source
from providers.testing import RunningProvider, served
from providers.testing_all import RunningAll, running_all
from providers.testing_mail import running_sms
from providers.testing_webpush import BrowserAddress
from scripts.demo import SENDER

from .processes import PROCESS_WITHIN_S, started
from .test_gateways import CODE, NOW, push
from .webpush_side import key_file

WAYS = ("fcm", "apns", "webpush", "email", "sms")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningAll]:
    with running_all() as everything:
        yield everything


def addresses(running: RunningAll) -> dict[str, str]:
    """Return one address at each provider, as a message's token."""
    push_service = RunningProvider(running.call("GET", "/_control/providers")["webpush"])
    return {
        "fcm": f"phone-{uuid4()}",
        "apns": uuid4().hex * 2,
        "webpush": BrowserAddress(**push_service.call("POST", "/subscribe")).token,
        "email": f"{uuid4()}@example.net",
        "sms": f"+336{uuid4().int % 10**8:08d}",
    }


async def test_its_environment_sends_every_way_and_the_page_reads_every_log(
    running: RunningAll, settings: Any, tmp_path: Path
) -> None:
    own = {
        "DATABASE_URL": "postgis://app@db.example/rayon",
        "DEMO": "1",
        "RAYON_HOME": str(tmp_path),
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "WEBPUSH_VAPID_KEY_FILE": str(key_file(tmp_path)),
        **SENDER,
    }
    found = read_environment(source={**running.environment, **own})
    for name, value in read_mail(url=found.email_url, from_address="", is_private=True).items():
        setattr(settings, name, value)
    tokens, outcomes = addresses(running), {}
    seen = len(running.log())

    for platform in WAYS:
        gateway = gateway_for(platform, providers=found.providers)
        message = push(
            platform=platform, token=tokens[platform], data={"code": CODE, "customer": "12", "link": "r://x"}
        )
        [receipt] = await gateway.send([message], now=NOW)
        await gateway.aclose()
        outcomes[platform] = receipt.outcome

    assert outcomes == dict.fromkeys(WAYS, Outcome.ACCEPTED)
    entries = running.log(since=seen)
    assert [entry["seq"] for entry in entries] == list(range(seen + 1, seen + 6))
    received = {**tokens, "webpush": json.loads(tokens["webpush"])["endpoint"]}
    assert [(entry["provider"], entry["token"], entry["delivered"]) for entry in entries] == [
        (platform, received[platform], True) for platform in WAYS
    ]
    assert all(CODE in json.dumps(entry["message"]) for entry in entries)
    assert running.log(since=seen + 5) == []


def test_the_environment_names_every_provider_and_nothing_of_the_sender(running: RunningAll) -> None:
    assert {name.partition("_")[0] for name in running.environment} == {
        "FCM",
        "GOOGLE",
        "APNS",
        "WEBPUSH",
        "EMAIL",
        "SMS",
    }
    assert not set(SENDER) & set(running.environment)


@pytest.mark.parametrize(
    ("language", "lang", "shown"),
    [
        ("fr-FR,fr;q=0.9", "fr", ("Messages reçus", "Téléphones Android · FCM", "Rien pour l’instant.")),
        ("en-GB", "en", ("Messages received", "Android phones · FCM", "Nothing yet.")),
    ],
)
def test_the_page_has_a_place_for_each_in_two_languages(
    running: RunningAll, language: str, lang: str, shown: tuple[str, ...]
) -> None:
    with running.client() as client:
        told = client.get("/", headers={"accept-language": language})
    assert told.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<html lang="{lang}">' in told.text
    assert [told.text.count(f'<section id="at-{name}">') for name in WAYS] == [1] * 5
    assert all(text in told.text for text in shown)
    assert "http:" not in told.text and "https:" not in told.text  # nothing from elsewhere


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/_control/script", 404), ("/_control/log?since=x", 400)]
)
def test_it_answers_nothing_else(running: RunningAll, path: str, status: int) -> None:
    with running.client() as client:
        assert client.get(path).status_code == status


def test_a_provider_that_does_not_answer_is_named_and_the_others_are_not_lost(unused_tcp_port: int) -> None:
    with running_sms() as sms:
        sources = {"sms": Source.at(sms.base_url), "email": Source.at(f"http://127.0.0.1:{unused_tcp_port}")}
        board = BoardServer(host="127.0.0.1", port=0, sources=sources)
        with served(board), httpx.Client(base_url=board.base_url, trust_env=False) as client:
            httpx.post(f"{sms.base_url}/v1/messages", json={"to": "+33612345678"}, trust_env=False)
            answers = [client.get("/_control/log") for _ in range(2)]
            sources.pop("email")
            entries = client.get("/_control/log").json()

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (502, {"error": "email does not answer"})
    ] * 2
    assert [(entry["seq"], entry["provider"], entry["delivered"]) for entry in entries] == [(1, "sms", False)]


def test_when_one_ends_all_do(tmp_path: Path) -> None:
    server = AllServers(host="127.0.0.1", port=0, directory=tmp_path)
    thread = threading.Thread(target=server.run_here)
    thread.start()
    httpx.get(server.board.base_url, trust_env=False).raise_for_status()

    server.sms.stop()
    thread.join(PROCESS_WITHIN_S)

    assert not thread.is_alive()
    for stopped in (server.fcm, server.webpush, server.smtp, server.sms, server.board):
        with pytest.raises(httpx.ConnectError):
            httpx.get(stopped.base_url, trust_env=False)


def test_a_process_keeps_its_keys_and_its_passwords_to_itself_and_ends_when_told(tmp_path: Path) -> None:
    process, state = started("providers.all", tmp_path / "state.json")
    try:
        assert state["pid"] == process.pid
        secrets = [path for path in tmp_path.iterdir() if not path.name.endswith("-ca.pem")]
        assert {path.name for path in secrets} == {
            "state.json",
            "service-account.json",
            "AuthKey_RAYONKEY01.p8",
        }
        assert {path.stat().st_mode & 0o077 for path in secrets} == {0}
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(PROCESS_WITHIN_S)
    assert code == 0
    assert not (tmp_path / "state.json").exists()
