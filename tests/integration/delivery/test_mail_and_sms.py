"""E-mail and SMS through the worker's own steps and the local servers."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import parseaddr
from typing import Any

import pytest

from config.settings.mail import read_mail
from customers.models import Customer
from offers.gateways.settings import EmailSettings, SmsSettings
from offers.models import OutboxMessage, Receipt
from offers.stages.deliver import Lanes
from providers.testing_mail import RunningSms, RunningSmtp, running_sms, running_smtp
from tests.integration.delivery.outbox import (
    deliver,
    is_given_back,
    make_customer,
    make_shop,
    open_lanes,
    promise,
    state_of,
)

pytestmark = pytest.mark.django_db

NUMBER, ADDRESS = "+33612345678", "somebody@example.net"


@pytest.fixture
def sms() -> Iterator[RunningSms]:
    with running_sms() as running:
        yield running


@pytest.fixture
def smtp() -> Iterator[RunningSmtp]:
    with running_smtp() as running:
        yield running


@pytest.fixture
def lanes(sms: RunningSms, smtp: RunningSmtp, settings: Any) -> Iterator[Lanes]:
    for name, value in read_mail(url=smtp.url, from_address="", is_private=False).items():
        setattr(settings, name, value)
    providers = {
        "sms": SmsSettings(url=sms.url, sender="Rayon", stop_number="36180"),
        "email": EmailSettings(
            is_configured=True, from_address="offers@rayon.example", public_url="https://rayon.example"
        ),
    }
    with open_lanes(providers=providers) as opened:
        yield opened


def written_to(channel: str, *, now: datetime) -> tuple[Customer, OutboxMessage]:
    """Return a customer without the app, and a promise to write to them by one channel."""
    store, offer = make_shop(now=now)
    customer = make_customer(
        now=now,
        phones=(),
        email=ADDRESS,
        phone=NUMBER,
        channels=[channel],
        granted=["push", "email", "sms", "geolocation"],
    )
    return customer, promise(customer, store=store, offer=offer, now=now, channel=channel, lane=channel)


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_message_goes_to_the_customer_s_own_address(
    lanes: Lanes, sms: RunningSms, smtp: RunningSmtp, now: datetime, channel: str
) -> None:
    _, message = written_to(channel, now=now)

    assert deliver(lanes, now=now) == 1

    assert state_of(message) == ("sent", "")
    [entry] = (sms if channel == "sms" else smtp).delivered()
    assert parseaddr(entry["token"])[1] == (NUMBER if channel == "sms" else ADDRESS)
    assert not (smtp if channel == "sms" else sms).delivered()
    receipt = Receipt.objects.get()
    assert (receipt.platform, receipt.outcome, receipt.device_id) == (channel, "accepted", None)


@pytest.mark.parametrize(
    ("channel", "answer", "mark"),
    [
        ("sms", {"error_code": "INVALID_NUMBER"}, "phone_dead_at"),
        ("email", {"reply": "550 5.1.1 No such user"}, "email_dead_at"),
    ],
)
def test_a_dead_address_is_kept_and_not_written_to_again(
    lanes: Lanes,
    sms: RunningSms,
    smtp: RunningSmtp,
    now: datetime,
    channel: str,
    answer: dict[str, Any],
    mark: str,
) -> None:
    customer, message = written_to(channel, now=now)
    provider = sms if channel == "sms" else smtp
    provider.script(NUMBER if channel == "sms" else ADDRESS, answer)

    deliver(lanes, now=now)

    customer.refresh_from_db()
    assert getattr(customer, mark) == now
    assert (customer.email, customer.phone) == (ADDRESS, NUMBER)
    deliver(lanes, now=now)
    assert state_of(message)[0] == "dropped"
    assert is_given_back(message)
    assert len(provider.log()) == 1
