"""manage.py story, against the service as a deployer runs it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from offers.demo.logins import ensure_logins
from offers.demo.telling import COLUMNS
from providers.testing import running_fcm
from providers.testing_all import RunningAll, running_all
from scripts.demo import SENDER
from tests.acceptance.service import Service, running_service
from tests.contracts.webpush_side import key_file

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_fcm() as fcm, running_service(fcm=fcm, home=tmp_path) as running:
        running.environment["DEMO"] = "1"
        yield running


def test_the_story_goes_as_it_should_on_every_run_and_tells_when_it_does_not(
    service: Service, tmp_path: Path
) -> None:
    service.manage("demo")

    for run in (1, 2):
        told = service.manage("story", "--base-url", service.base_url).splitlines()

        assert len(told) <= 40
        assert max(len(line) for line in told) <= COLUMNS
        assert "\x1b" not in "".join(told)
        assert told[-1].startswith("One right push and one reasoned silence, in ")
        text = " ".join(" ".join(told).split())
        assert text.count("enter aisle: not_relevant.") == text.count("enter aisle: issued.") == 1
        pushes = service.fcm.delivered()
        assert len(pushes) == run
        assert pushes[-1]["data"]["code"] in text

    service.api_key = json.loads((tmp_path / "demo-logins.json").read_text())["api_key"]
    assert service.office("POST", "/v1/offers/yaourts-de-la-marque/pause").is_success
    assert service.office("POST", "/v1/offers/tous-les-yaourts/pause").is_success
    with pytest.raises(subprocess.CalledProcessError) as caught:
        service.manage("story", "--base-url", service.base_url)
    assert caught.value.returncode == 1
    assert "CommandError: The " in caught.value.stderr
    assert len(service.fcm.delivered()) == 2


@pytest.fixture
def everywhere(tmp_path: Path) -> Iterator[tuple[Service, RunningAll]]:
    with running_fcm() as unused, running_all() as providers:
        own = {"WEBPUSH_VAPID_KEY_FILE": str(key_file(tmp_path)), "PUBLIC_URL": "http://127.0.0.1:8000"}
        settings = {"DEMO": "1", **SENDER, **own, **providers.environment}
        with running_service(fcm=unused, home=tmp_path, settings=settings) as service:
            yield service, providers


def test_where_all_providers_are_at_hand_it_goes_out_every_way(
    everywhere: tuple[Service, RunningAll],
) -> None:
    service, providers = everywhere
    service.manage("demo")

    told = service.manage(
        "story", "--base-url", service.base_url, "--provider-url", providers.base_url
    ).splitlines()

    assert len(told) <= 40
    ways = told[told.index("The same receipts and the same aisle, every other way") + 1 :][:4]
    assert [line.split()[0] for line in ways] == ["iPhone", "browser", "mailbox", "SMS"]
    assert ["yoghurts" in line for line in ways] == [True, True, False, False]
    assert ["yaourts" in line for line in ways] == [False, False, True, True]
    log = providers.log()
    assert [(entry["provider"], entry["delivered"]) for entry in log] == [
        (name, True) for name in ("fcm", "apns", "webpush", "email", "sms")
    ]


def test_a_service_that_is_not_there_is_one_clear_sentence(settings: Settings, tmp_path: Path) -> None:
    settings.RAYON_HOME = tmp_path
    ensure_logins(home=tmp_path)

    with running_fcm() as fcm, pytest.raises(CommandError) as caught:
        call_command("story", base_url="http://127.0.0.1:9", provider_url=fcm.base_url)

    assert str(caught.value) == "http://127.0.0.1:9 does not answer (ConnectError): is it running?"


def test_a_provider_that_is_not_there_is_one_clear_sentence(settings: Settings, tmp_path: Path) -> None:
    settings.RAYON_HOME = tmp_path
    ensure_logins(home=tmp_path)

    with pytest.raises(CommandError, match="is not the local push provider: start one with"):
        call_command("story", base_url="http://127.0.0.1:9", provider_url="http://127.0.0.1:9")


def test_without_the_demos_key_there_is_no_story(settings: Settings, tmp_path: Path) -> None:
    settings.RAYON_HOME = tmp_path

    with pytest.raises(CommandError, match="There is no demo API key yet"):
        call_command("story", base_url="http://127.0.0.1:9")
