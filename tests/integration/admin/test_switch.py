"""The one switch: who threw it and why, seen at the top of every page."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from offers.models import SendingSwitch
from offers.operations.staff import MARKETERS, OPERATORS
from tests.integration.admin.rows import a_decision, a_message, an_event

pytestmark = pytest.mark.django_db

PAGE = "admin:offers_sendingswitch_changelist"


def test_stopping_keeps_who_and_why_and_shows_on_every_page(sign_in: Callable[[str], Client]) -> None:
    operator = sign_in(OPERATORS)
    assert operator.post(reverse(PAGE), {"wanted": "stop", "why": "wrong price"}).status_code == 302
    switch = SendingSwitch.objects.get()
    assert (switch.is_stopped, switch.why, switch.changed_by) == (True, "wrong price", "one of Operators")
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.change_message) == ("one of Operators", "Stopped: wrong price")
    for page in (reverse("admin:index"), reverse("admin:offers_outboxmessage_changelist"), reverse(PAGE)):
        assert "Sending is stopped" in operator.get(page).content.decode(), page


def test_resuming_is_kept_too(sign_in: Callable[[str], Client]) -> None:
    operator = sign_in(OPERATORS)
    operator.post(reverse(PAGE), {"wanted": "stop", "why": "wrong price"})
    operator.post(reverse(PAGE), {"wanted": "resume", "why": "put right"})
    assert SendingSwitch.objects.get().is_stopped is False
    messages = LogEntry.objects.order_by("id").values_list("change_message", flat=True)
    assert list(messages) == ["Stopped: wrong price", "Resumed: put right"]


def test_stopping_twice_changes_and_logs_nothing_more(sign_in: Callable[[str], Client]) -> None:
    operator = sign_in(OPERATORS)
    operator.post(reverse(PAGE), {"wanted": "stop", "why": "first"})
    operator.post(reverse(PAGE), {"wanted": "stop", "why": "second"})
    assert SendingSwitch.objects.get().why == "first"
    assert LogEntry.objects.count() == 1


def test_nothing_is_stopped_without_a_reason(sign_in: Callable[[str], Client]) -> None:
    assert sign_in(OPERATORS).post(reverse(PAGE), {"wanted": "stop", "why": " "}).status_code == 200
    assert not SendingSwitch.objects.filter(is_stopped=True).exists()


def test_a_marketer_cannot_stop_sending(sign_in: Callable[[str], Client]) -> None:
    assert sign_in(MARKETERS).post(reverse(PAGE), {"wanted": "stop", "why": "mine"}).status_code == 403
    assert not SendingSwitch.objects.exists()


def test_an_empty_day_is_said_in_words(boss: Client) -> None:
    html = boss.get(reverse("admin:index")).content.decode()
    assert html.count("Nothing yet today.") == 4


def test_the_first_page_costs_the_same_on_a_busy_day(
    boss: Client, count_queries: Callable[..., object]
) -> None:
    now = timezone.now()
    boss.get(reverse("admin:index"))
    with count_queries() as quiet:  # type: ignore[attr-defined]
        boss.get(reverse("admin:index"))
    for _ in range(5):
        an_event(now=now)
        message = a_message(now=now)
        a_decision(
            now=now, coupon=message.coupon, customer=message.customer, outcome="issued", reason="issued"
        )
    a_decision(now=now, reason="quiet_hours")
    a_decision(now=now - timedelta(days=2))
    with count_queries() as busy:  # type: ignore[attr-defined]
        answer = boss.get(reverse("admin:index"))
    assert len(busy) == len(quiet)
    blocks = {block["title"]: (block["total"], block["lines"]) for block in answer.context["blocks"]}
    assert blocks == {
        "Events": (5, [("from phones", 5)]),
        "Decisions": (6, [("Sent", 5), ("Quiet hours", 1)]),
        "Coupons issued": (5, []),
        "Messages": (5, [("Waiting", 5)]),
    }


def test_the_day_begins_at_midnight_on_the_staffs_clock(boss: Client, now: datetime) -> None:
    a_decision(now=now)
    assert "Nothing yet today." in boss.get(reverse("admin:index")).content.decode()
