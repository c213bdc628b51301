"""What a mail provider tells afterwards, in Postmark's and Mailjet's own words, through the door."""

import base64
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from anymail.urls import urlpatterns
from anymail.webhooks.base import AnymailBasicAuthMixin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from offers.models import OutboxMessage, Receipt
from tests.integration.admin.rows import a_message

pytestmark = pytest.mark.django_db

DOOR = "/v1/email/events"
KEY = "provider:" + "k" * 20
ADDRESS = "Ada@example.net"
TIMES = ("delivered_at", "opened_at", "returned_at")
# https://postmarkapp.com/developer/webhooks: each RecordType, cut to what is read.
DELIVERY = {"RecordType": "Delivery", "Recipient": "ada@example.net", "DeliveredAt": "2026-06-17T08:00:00Z"}
OPEN = {"RecordType": "Open", "Recipient": "ada@example.net"}
BOUNCE = {"RecordType": "Bounce", "Type": "HardBounce", "Email": "ada@example.net"}
COMPLAINT = {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": "ada@example.net"}


@pytest.fixture(autouse=True)
def postmark(settings: Settings) -> Settings:
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    email = replace(settings.PROVIDERS.email, events_key=KEY)
    settings.PROVIDERS = replace(settings.PROVIDERS, email=email)
    return settings


def a_mail(*, now: datetime, provider_id: str = "pm-1") -> OutboxMessage:
    message = a_message(now=now, state="sent", channel="email", lane="email", accepted_at=now)
    message.customer.email = ADDRESS
    message.customer.save()
    Receipt.objects.create(
        message=message,
        customer=message.customer,
        platform="email",
        attempt=1,
        outcome="accepted",
        provider_message_id=provider_id,
        at=now,
    )
    return message


def tell(body: Any, *, key: str = KEY) -> int:
    credentials = base64.b64encode(key.encode()).decode()
    headers = {"authorization": f"Basic {credentials}"}
    answer = APIClient().post(DOOR, json.dumps(body), content_type="application/json", headers=headers)
    assert b"@" not in answer.content
    return answer.status_code


def known(message: OutboxMessage) -> tuple[list[bool], bool]:
    """Return which of TIMES are known of the message, and whether its address is dead."""
    message.refresh_from_db()
    message.customer.refresh_from_db()
    assert message.state == "sent"
    return [getattr(message, name) is not None for name in TIMES], message.customer.email_dead_at is not None


@pytest.mark.parametrize(
    ("event", "times", "is_dead"),
    [
        (DELIVERY, [True, False, False], False),
        (OPEN, [False, True, False], False),
        ({**BOUNCE, "Details": "smtp;550 5.1.1 No such user"}, [False, False, True], True),
        ({**BOUNCE, "Details": "smtp;550 5.7.1 Blocked by policy"}, [False, False, True], False),
        ({**BOUNCE, "Details": "smtp;550 from 15.1.1.9"}, [False, False, True], False),
        ({**BOUNCE, "Type": "SoftBounce", "Details": "smtp;452 4.2.2 Full"}, [False, False, True], False),
        ({**BOUNCE, "Type": "BadEmailAddress"}, [False, False, True], True),
        ({**BOUNCE, "Type": "DMARCPolicy"}, [False, False, True], False),
        ({**BOUNCE, "Type": "Transient"}, [False, False, False], False),
        (COMPLAINT, [False, False, True], True),
        ({"RecordType": "Novelty", "Recipient": "ada@example.net"}, [False, False, False], False),
    ],
)
def test_an_event_is_written_down_with_its_mail(
    now: datetime, event: dict[str, Any], times: list[bool], is_dead: bool
) -> None:
    message, other = a_mail(now=now), a_mail(now=now, provider_id="pm-2")

    assert tell({**event, "MessageID": "pm-1"}) == 204

    assert known(message) == (times, is_dead)
    assert known(other) == ([False] * 3, False)
    assert message.coupon.opened_at is None


def test_told_twice_the_first_time_stays(now: datetime) -> None:
    message = a_mail(now=now)
    tell({**DELIVERY, "MessageID": "pm-1"})
    first = OutboxMessage.objects.get().delivered_at

    assert tell({**DELIVERY, "MessageID": "pm-1"}) == 204

    message.refresh_from_db()
    assert message.delivered_at == first


def test_an_address_that_changed_meanwhile_is_left_alone(now: datetime) -> None:
    message = a_mail(now=now)
    message.customer.email = "new@example.net"
    message.customer.save()

    assert tell({**COMPLAINT, "MessageID": "pm-1"}) == 204

    assert known(message) == ([False, False, True], False)


def test_a_mail_that_is_not_ours_is_answered_alike_and_changes_nothing(now: datetime) -> None:
    message = a_mail(now=now)

    assert tell({**DELIVERY, "MessageID": "somebody-else's"}) == 204
    for strange in (None, "", "pm-1\x00", "pm-\ud800"):
        assert tell({**DELIVERY, "MessageID": strange}) == 204

    assert known(message) == ([False] * 3, False)


@pytest.mark.parametrize("key", ["provider:guess", "x", ":"])
def test_another_key_is_refused(now: datetime, key: str) -> None:
    message = a_mail(now=now)

    assert tell({**DELIVERY, "MessageID": "pm-1"}, key=key) == 401
    assert APIClient().post(DOOR, {**DELIVERY, "MessageID": "pm-1"}, format="json").status_code == 401

    assert known(message) == ([False] * 3, False)


def test_every_provider_that_tells_anything_is_asked_for_the_key() -> None:
    views = [pattern.callback.view_class for pattern in urlpatterns if "tracking" in pattern.name]

    assert len(views) == 14
    assert all(issubclass(view, AnymailBasicAuthMixin) for view in views)


@pytest.mark.parametrize("body", [[1], "x", {"RecordType": "Inbound"}, {**DELIVERY, "DeliveredAt": 7}])
def test_what_the_provider_would_not_send_is_refused(body: Any) -> None:
    assert tell(body) == 400


def test_a_head_finds_somebody_there_and_a_get_nobody() -> None:
    assert APIClient().head(DOOR).status_code == 204
    assert APIClient().get(DOOR).status_code == 405


@pytest.mark.parametrize(
    ("backend", "key"),
    [("anymail.backends.postmark.EmailBackend", ""), ("offers.gateways.email_wire.EmailBackend", KEY)],
)
def test_the_door_is_off_without_a_key_or_such_a_provider(
    postmark: Settings, now: datetime, backend: str, key: str
) -> None:
    message = a_mail(now=now)
    postmark.EMAIL_BACKEND = backend
    email = replace(postmark.PROVIDERS.email, events_key=key)
    postmark.PROVIDERS = replace(postmark.PROVIDERS, email=email)

    assert tell({**DELIVERY, "MessageID": "pm-1"}) == 404
    assert APIClient().head(DOOR).status_code == 404
    assert known(message) == ([False] * 3, False)


def test_a_batch_costs_as_many_statements_as_one_event(postmark: Settings, now: datetime) -> None:
    postmark.EMAIL_BACKEND = "anymail.backends.mailjet.EmailBackend"
    messages = [a_mail(now=now, provider_id=str(number)) for number in range(22)]
    counts = []

    for numbers in (range(2), range(2, 22)):
        body = [
            {"event": "spam", "email": "ada@example.net", "MessageID": number, "time": 1}
            for number in numbers
        ]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert tell(body) == 204
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert {str(known(message)) for message in messages} == {str(([False, False, True], True))}
