"""The command in one process: deadlines fire, what they decide goes out, and its words are checked."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from customers.models import AffinityKind
from customers.rules.affinity import brand_key
from offers import pipeline
from offers.flow import Event, Position
from offers.gateways.settings import FcmSettings, ProviderSettings
from offers.models import Decision, OutboxMessage
from providers.testing import RunningFcm
from tests.integration.decisions.shop import make_offer, make_store, remember
from tests.integration.delivery.outbox import address_of, make_customer, promise_many, state_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sending(settings: LazySettings, fcm: RunningFcm) -> LazySettings:
    settings.PROVIDERS = ProviderSettings(
        fcm=FcmSettings(base_url=fcm.base_url, credentials_file=fcm.credentials_file)
    )
    return settings


def test_a_dwell_that_falls_due_is_decided_and_its_push_goes_out(
    sending: LazySettings, fcm: RunningFcm
) -> None:
    entered = datetime.now(UTC) - timedelta(seconds=sending.RAYON["store_dwell_s"] + 2)
    make_store(now=entered)
    make_offer(now=entered, trigger_places="store", trigger_on="dwell")
    customer = make_customer(now=entered)
    remember(customer=customer, kind=AffinityKind.BRAND, key=brand_key("Danone"), share=0.4, now=entered)
    fix = Event(
        customer_id=customer.pk,
        device_id="phone",
        event_id=str(uuid4()),
        type="fix",
        position=Position(lat=48.85, lon=2.33, accuracy_m=5.0),
        occurred_at=entered,
        digest=b"x" * 32,
    )
    pipeline.run([fix], now=entered, params=sending.RAYON)
    assert not OutboxMessage.objects.exists()

    call_command("deliver", "--once")

    assert Decision.objects.latest("id").transition == "dwell"
    assert state_of(OutboxMessage.objects.get()) == ("sent", "")
    assert [push["token"] for push in fcm.delivered()] == [address_of(customer.devices.get())]


def test_without_credentials_the_command_keeps_the_messages_unless_it_is_a_demo(
    settings: LazySettings,
) -> None:
    settings.PROVIDERS = ProviderSettings()
    settings.DEBUG = settings.DEMO = False
    [message] = promise_many(1, now=datetime.now(UTC))

    call_command("deliver", "--once")
    assert state_of(message) == ("queued", "")

    OutboxMessage.objects.update(due_at=message.created_at)
    settings.DEMO = True
    call_command("deliver", "--once")
    assert state_of(message) == ("sent", "")


def test_a_lane_that_is_not_named_is_left_to_others(sending: LazySettings, fcm: RunningFcm) -> None:
    [message] = promise_many(1, now=datetime.now(UTC))

    call_command("deliver", "--once", "--lane", "sms", "--lane", "apns")
    assert state_of(message) == ("queued", "")
    assert fcm.log() == []

    call_command("deliver", "--once", "--lane", "fcm")
    assert state_of(message) == ("sent", "")

    with pytest.raises(CommandError, match="--lane"):
        call_command("deliver", "--once", "--lane", "pigeon")


@pytest.mark.parametrize("batch", ["0", "-1", "401", "many"])
def test_a_batch_is_a_number_that_fits_the_lease(batch: str) -> None:
    with pytest.raises(CommandError, match="--batch"):
        call_command("deliver", "--once", "--batch", batch)
