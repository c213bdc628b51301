"""What every gateway keeps to, whatever stands behind it."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import structlog

from config.settings.mail import read_mail
from offers.gateways.console import ConsoleGateway
from offers.gateways.fcm import FcmGateway
from offers.gateways.google_tokens import BadCredentialsFile
from offers.gateways.port import Outcome, PushGateway, PushMessage
from offers.gateways.registry import NoGateway, gateway_for
from offers.gateways.settings import EmailSettings, FcmSettings, ProviderSettings, SmsSettings
from providers.sms import RunningSms, running_sms
from providers.smtp import RunningSmtp, running_smtp
from providers.testing import RunningFcm, running_fcm

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
CODE = "7K3M-ZQ8V-0T"


@pytest.fixture(scope="module")
def fcm() -> Iterator[RunningFcm]:
    with running_fcm() as running:
        yield running


@pytest.fixture(scope="module")
def smtp() -> Iterator[RunningSmtp]:
    with running_smtp() as running:
        yield running


@pytest.fixture(scope="module")
def sms() -> Iterator[RunningSms]:
    with running_sms() as running:
        yield running


@pytest.fixture(params=["console", "fcm", "email", "sms"])
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def gateway(
    platform: str, fcm: RunningFcm, smtp: RunningSmtp, sms: RunningSms, settings: Any
) -> AsyncIterator[PushGateway]:
    fcm.reset()
    for name, value in read_mail(url=smtp.url, from_address="", is_private=False).items():
        setattr(settings, name, value)
    made = gateway_for(platform, providers=to(fcm, sms=sms))
    yield made
    await made.aclose()


@pytest.fixture
def new(platform: str) -> Callable[..., PushMessage]:
    """Make messages for the gateway's platform."""
    own = {
        "email": lambda: {"token": f"{uuid4()}@example.net", "data": {"customer": "12", "code": CODE}},
        "sms": lambda: {"token": f"+336{uuid4().int % 10**8:08d}"},
    }
    return lambda **changes: push(**{"platform": platform, **own.get(platform, dict)(), **changes})


def to(fcm: RunningFcm, *, sms: RunningSms | None = None) -> ProviderSettings:
    return ProviderSettings(
        fcm=FcmSettings(base_url=fcm.base_url, credentials_file=fcm.credentials_file),
        email=EmailSettings(
            is_configured=True, from_address="a@carotte.example", public_url="https://carotte.example"
        ),
        sms=SmsSettings(url=sms.url if sms else "", sender="Carotte", stop_number="36180"),
    )


def push(**changes: object) -> PushMessage:
    message = PushMessage(
        message_id=str(uuid4()),
        platform="fcm",
        token=f"phone:{uuid4()}",
        title="−30 % sur vos yaourts",
        body="Au rayon frais, jusqu’à 11 h.",
        data={"code": CODE},
        expires_at=NOW + timedelta(hours=1),
        registered_at=NOW - timedelta(days=3),
    )
    return replace(message, **changes)  # type: ignore[arg-type]


async def test_there_is_one_receipt_per_message_in_the_same_order(
    gateway: PushGateway, new: Callable[..., PushMessage]
) -> None:
    messages = [new() for _ in range(5)]

    receipts = await gateway.send(messages, now=NOW)

    assert [receipt.message_id for receipt in receipts] == [message.message_id for message in messages]
    assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}
    assert all(receipt.provider_message_id and receipt.retry_at is None for receipt in receipts)


async def test_nothing_to_send_gives_no_receipts(gateway: PushGateway) -> None:
    assert await gateway.send([], now=NOW) == []


async def test_a_message_at_its_end_is_expired_and_its_neighbour_leaves(
    gateway: PushGateway, new: Callable[..., PushMessage]
) -> None:
    receipts = await gateway.send([new(expires_at=NOW), new()], now=NOW)

    assert [receipt.outcome for receipt in receipts] == [Outcome.EXPIRED, Outcome.ACCEPTED]
    assert receipts[0].provider_message_id is None


async def test_the_log_holds_neither_token_nor_text_nor_code(
    gateway: PushGateway, new: Callable[..., PushMessage]
) -> None:
    message = new()
    with structlog.testing.capture_logs() as lines:
        await gateway.send([message], now=NOW)

    assert [line["event"] for line in lines] == ["push_sent"]
    assert lines[0]["message_id"] == message.message_id
    told = repr(lines) + repr(message)
    assert not [secret for secret in (message.token, message.title, message.body, "7K3M") if secret in told]


def test_a_platform_without_a_gateway_is_named() -> None:
    with pytest.raises(NoGateway, match="'pigeon'"):
        gateway_for("pigeon", providers=ProviderSettings())


def test_fcm_without_credentials_is_refused() -> None:
    with pytest.raises(NoGateway, match="GOOGLE_APPLICATION_CREDENTIALS"):
        gateway_for("fcm", providers=ProviderSettings())


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


async def test_the_registry_makes_what_it_is_asked_for(fcm: RunningFcm) -> None:
    made = gateway_for("fcm", providers=to(fcm))
    assert isinstance(made, FcmGateway)
    await made.aclose()
    assert isinstance(gateway_for("console", providers=ProviderSettings()), ConsoleGateway)
