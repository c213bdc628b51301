"""What every gateway keeps to, whatever stands behind it."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog

from config.settings.mail import read_mail
from offers.gateways.apns import ApnsGateway
from offers.gateways.console import ConsoleGateway
from offers.gateways.credentials import BadCredentialsFile
from offers.gateways.email import EmailGateway
from offers.gateways.fcm import FcmGateway
from offers.gateways.port import Outcome, PushGateway, PushMessage
from offers.gateways.registry import NoGateway, gateway_for
from offers.gateways.settings import (
    ApnsSettings,
    EmailSettings,
    FcmSettings,
    ProviderSettings,
    SmsSettings,
    WebPushSettings,
)
from offers.gateways.sms import SmsGateway
from offers.gateways.webpush import WebPushGateway
from providers.testing import RunningFcm, running_fcm
from providers.testing_apns import RunningApns, running_apns
from providers.testing_mail import RunningSms, RunningSmtp, running_sms, running_smtp
from providers.testing_webpush import RunningWebPush, running_webpush
from tests.contracts.webpush_side import SUBJECT, key_file, settings_to

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
CODE = "7K3M-ZQ8V-0T"
KINDS = {
    "console": ConsoleGateway,
    "fcm": FcmGateway,
    "apns": ApnsGateway,
    "webpush": WebPushGateway,
    "email": EmailGateway,
    "sms": SmsGateway,
}


@pytest.fixture(scope="module")
def fcm() -> Iterator[RunningFcm]:
    with running_fcm() as running:
        yield running


@pytest.fixture(scope="module")
def apns() -> Iterator[RunningApns]:
    with running_apns() as running:
        yield running


@pytest.fixture(scope="module")
def webpush() -> Iterator[RunningWebPush]:
    with running_webpush() as running:
        yield running


@pytest.fixture(scope="module")
def smtp() -> Iterator[RunningSmtp]:
    with running_smtp() as running:
        yield running


@pytest.fixture(scope="module")
def sms() -> Iterator[RunningSms]:
    with running_sms() as running:
        yield running


@pytest.fixture
def providers(
    fcm: RunningFcm,
    apns: RunningApns,
    webpush: RunningWebPush,
    smtp: RunningSmtp,
    sms: RunningSms,
    settings: Any,
    tmp_path: Path,
) -> ProviderSettings:
    for name, value in read_mail(url=smtp.url, from_address="", is_private=False).items():
        setattr(settings, name, value)
    return ProviderSettings(
        fcm=FcmSettings(base_url=fcm.base_url, credentials_file=fcm.credentials_file),
        apns=at(apns),
        webpush=settings_to(webpush.base_url, key=key_file(tmp_path)),
        email=EmailSettings(
            is_configured=True, from_address="a@carotte.example", public_url="https://carotte.example"
        ),
        sms=SmsSettings(url=sms.url, sender="Carotte", stop_number="36180"),
    )


@pytest.fixture(params=KINDS)
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def gateway(platform: str, providers: ProviderSettings) -> AsyncIterator[PushGateway]:
    made = gateway_for(platform, providers=providers)
    yield made
    await made.aclose()


@pytest.fixture
def message(platform: str, webpush: RunningWebPush) -> Callable[..., PushMessage]:
    """Return what makes a message to somebody the platform's provider knows."""
    own = {
        "webpush": lambda: {"token": webpush.subscribe().token},
        "email": lambda: {"token": f"{uuid4()}@example.net", "data": {"customer": "12", "code": CODE}},
        "sms": lambda: {"token": f"+336{uuid4().int % 10**8:08d}"},
    }
    return lambda **changes: push(**{"platform": platform, **own.get(platform, dict)(), **changes})


def at(apns: RunningApns) -> ApnsSettings:
    return ApnsSettings(
        host=apns.host,
        port=apns.port,
        ca_file=apns.ca_file,
        key_file=apns.key_file,
        key_id=apns.key_id,
        team_id=apns.team_id,
        topic=apns.topic,
    )


def push(**changes: object) -> PushMessage:
    message = PushMessage(
        message_id=str(uuid4()),
        platform="fcm",
        token=uuid4().hex * 2,
        title="−30 % sur vos yaourts",
        body="Au rayon frais, jusqu’à 11 h.",
        data={"code": CODE},
        expires_at=NOW + timedelta(hours=1),
        registered_at=NOW - timedelta(days=3),
    )
    return replace(message, **changes)  # type: ignore[arg-type]


async def test_there_is_one_receipt_per_message_in_the_same_order(
    gateway: PushGateway, message: Callable[..., PushMessage]
) -> None:
    messages = [message() for _ in range(5)]

    receipts = await gateway.send(messages, now=NOW)

    assert [receipt.message_id for receipt in receipts] == [each.message_id for each in messages]
    assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}
    assert all(receipt.provider_message_id and receipt.retry_at is None for receipt in receipts)


async def test_nothing_to_send_gives_no_receipts(gateway: PushGateway) -> None:
    assert await gateway.send([], now=NOW) == []


async def test_a_message_at_its_end_is_expired_and_its_neighbour_leaves(
    gateway: PushGateway, message: Callable[..., PushMessage]
) -> None:
    receipts = await gateway.send([message(expires_at=NOW), message()], now=NOW)

    assert [receipt.outcome for receipt in receipts] == [Outcome.EXPIRED, Outcome.ACCEPTED]
    assert receipts[0].provider_message_id is None


async def test_the_log_holds_neither_token_nor_text_nor_code(
    gateway: PushGateway, message: Callable[..., PushMessage]
) -> None:
    sent = message()
    with structlog.testing.capture_logs() as lines:
        await gateway.send([sent], now=NOW)

    assert [line["event"] for line in lines] == ["push_sent"]
    assert lines[0]["message_id"] == sent.message_id
    told = repr(lines) + repr(sent)
    assert not [secret for secret in (sent.token, sent.title, sent.body, "7K3M") if secret in told]


def test_a_platform_without_a_gateway_is_named() -> None:
    with pytest.raises(NoGateway, match="'pigeon'"):
        gateway_for("pigeon", providers=ProviderSettings())


def test_fcm_without_credentials_is_refused() -> None:
    with pytest.raises(NoGateway, match="GOOGLE_APPLICATION_CREDENTIALS"):
        gateway_for("fcm", providers=ProviderSettings())


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"key_file": None}, "APNS_KEY_FILE"),
        ({"key_id": ""}, "APNS_KEY_ID"),
        ({"team_id": ""}, "APNS_TEAM_ID"),
        ({"topic": ""}, "APNS_TOPIC"),
        ({"topic": "com example"}, "APNS_TOPIC"),
        ({"host": ""}, "APNS_HOST"),
        ({"host": "two words"}, "APNS_HOST"),
        ({"host": "x" * 64 + ".com"}, "APNS_HOST"),
    ],
)
def test_apns_names_what_it_lacks(apns: RunningApns, changes: dict[str, object], variable: str) -> None:
    given = replace(at(apns), **changes)  # type: ignore[arg-type]

    with pytest.raises(NoGateway, match=variable) as caught:
        gateway_for("apns", providers=ProviderSettings(apns=given))
    assert caught.value.variable == variable


def test_apns_without_anything_names_all_it_lacks() -> None:
    with pytest.raises(NoGateway, match="APNS_KEY_FILE, APNS_KEY_ID, APNS_TEAM_ID, APNS_TOPIC"):
        gateway_for("apns", providers=ProviderSettings())


def test_a_file_that_is_no_signing_key_is_refused(apns: RunningApns, tmp_path: Path) -> None:
    path = tmp_path / "AuthKey.p8"
    path.write_text("-----BEGIN PRIVATE KEY-----")

    with pytest.raises(BadCredentialsFile, match="AuthKey.p8"):
        gateway_for("apns", providers=ProviderSettings(apns=replace(at(apns), key_file=path)))


@pytest.mark.parametrize(("platform", "variable"), [("email", "EMAIL_URL"), ("sms", "SMS_GATEWAY_URL")])
def test_a_channel_without_a_way_out_is_refused(platform: str, variable: str) -> None:
    with pytest.raises(NoGateway, match=variable) as refused:
        gateway_for(platform, providers=ProviderSettings())
    assert refused.value.variable == variable


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"project_id": "p", "client_email": "e"}'])
def test_a_file_that_is_no_service_account_is_refused(tmp_path, content: str | None) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(BadCredentialsFile, match="key.json"):
        gateway_for("fcm", providers=ProviderSettings(fcm=FcmSettings(credentials_file=path)))


@pytest.mark.parametrize(
    ("change", "variable"),
    [
        ({"vapid_key_file": None}, "WEBPUSH_VAPID_KEY_FILE"),
        ({"vapid_subject": "me"}, "WEBPUSH_VAPID_SUBJECT"),
    ],
)
def test_web_push_without_a_key_or_a_subject_is_refused(
    tmp_path: Path, change: dict[str, object], variable: str
) -> None:
    settings = WebPushSettings(vapid_key_file=key_file(tmp_path), vapid_subject=SUBJECT)

    with pytest.raises(NoGateway, match=variable) as caught:
        gateway_for("webpush", providers=ProviderSettings(webpush=replace(settings, **change)))
    assert caught.value.variable == variable


def test_a_file_that_is_no_vapid_key_is_refused(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    path.write_text("{}")

    with pytest.raises(BadCredentialsFile, match="vapid.pem is not a private key"):
        gateway_for("webpush", providers=ProviderSettings(webpush=settings_to(key=path)))


async def test_the_registry_makes_what_it_is_asked_for(platform: str, gateway: PushGateway) -> None:
    assert type(gateway) is KINDS[platform]
