"""What staff see of providers, and of one message's life; and the step that lets a stopped lane go on."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from offers.models import Category, Lane, Receipt
from offers.operations.catalogue import CategoryIn, put_categories
from offers.operations.lanes import resume_lane
from offers.operations.staff import MARKETERS, OPERATORS
from tests.integration.admin.rows import a_category, a_message

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]


def test_a_stopped_lane_is_an_alert_on_the_first_page_of_those_who_may_resume_it(
    sign_in: SignIn, now: datetime
) -> None:
    Lane.objects.create(name="fcm", stopped_at=now, recent="1" * 50)
    Lane.objects.create(name="apns", open_until=now, cause="TIMEOUT")
    Lane.objects.create(name="sms", recent="0" * 50)

    shown = sign_in(OPERATORS).get(reverse("admin:index")).content.decode()

    assert "Android (FCM): Stopped: too many dead addresses" in shown
    assert "iPhone (APNs): Waiting: the provider does not answer" in shown
    assert "SMS:" not in shown
    assert "Alerts" not in sign_in(MARKETERS).get(reverse("admin:index")).content.decode()


def test_an_operator_resumes_a_stopped_lane_and_its_guard_begins_anew(sign_in: SignIn, now: datetime) -> None:
    lane = Lane.objects.create(name="fcm", stopped_at=now, recent="1" * 50)
    operator = sign_in(OPERATORS)
    page = reverse("admin:offers_lane_change", args=["fcm"])
    assert "50 of the last 50" in operator.get(page).content.decode()

    operator.post(reverse("admin:offers_lane_resume", args=["fcm"]))

    lane.refresh_from_db()
    assert (lane.stopped_at, lane.recent) == (None, "")
    assert "Send again" not in operator.get(page).content.decode().partition("<main")[2]
    assert not resume_lane("fcm")
    assert not resume_lane("apns")


def test_a_marketer_cannot_resume_a_lane(sign_in: SignIn, now: datetime) -> None:
    Lane.objects.create(name="fcm", stopped_at=now)

    answer = sign_in(MARKETERS).post(reverse("admin:offers_lane_resume", args=["fcm"]))

    assert answer.status_code == 403
    assert Lane.objects.get().stopped_at == now


def test_one_page_tells_a_messages_whole_life(sign_in: SignIn, now: datetime) -> None:
    message = a_message(now=now, state="sent", lane="apns", attempts=2, accepted_at=now, opened_at=now)
    for attempt, code in ((1, "TOO_MANY_REQUESTS"), (2, "")):
        Receipt.objects.create(
            message=message,
            customer=message.customer,
            platform="apns",
            attempt=attempt,
            outcome="accepted" if attempt == 2 else "try_later",
            provider_code=code,
            at=now + timedelta(minutes=attempt),
        )

    shown = sign_in(OPERATORS).get(reverse("admin:offers_outboxmessage_change", args=[message.pk]))

    text = shown.content.decode()
    assert all(word in text for word in ("Taken by the provider", "Opened", "iPhone (APNs)"))
    tries = text[text.index("What came of it") :]
    assert (
        tries.index("not now, to be tried again") < tries.index("TOO_MANY_REQUESTS") < tries.rindex("taken")
    )


def test_a_marketer_marks_a_category_as_sensitive_and_the_api_leaves_the_mark(
    sign_in: SignIn, now: datetime
) -> None:
    category = a_category(now=now)
    url = reverse("admin:offers_category_change", args=[category.pk])

    sign_in(MARKETERS).post(url, {"name": category.name, "parent": "", "is_sensitive": "on"})

    assert Category.objects.get(pk=category.pk).is_sensitive
    put_categories(categories=[CategoryIn(ref=category.ref, name="Renamed", parent=None)], now=now)
    category.refresh_from_db()
    assert (category.name, category.is_sensitive) == ("Renamed", True)
