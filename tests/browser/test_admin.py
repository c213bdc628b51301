"""The staff's pages in a real browser: buttons work, maps draw without network, a phone's width is enough."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect, sync_playwright

from offers.models import SendingSwitch
from tests.integration.admin.rows import an_aisle, an_offer

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

CHROMIUM = "/usr/bin/chromium"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def page(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Return a phone-sized page in which a superuser is signed in; a request to another host fails the test."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's driver keeps a loop in this thread
    User.objects.create_superuser("boss", password="boss")
    elsewhere: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(base_url=live_server.url, viewport=PHONE, locale="en-GB")
        page = context.new_page()
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((live_server.url, "data:", "blob:"))
                else elsewhere.append(request.url)
            ),
        )
        page.goto(reverse("admin:login"))
        page.fill("[name=username]", "boss")
        page.fill("[name=password]", "boss")
        page.click("[type=submit]")
        yield page
        browser.close()
        connections.close_all()  # the loop's own, which nobody else would close
    assert elsewhere == []


def test_sending_is_stopped_with_one_button(page: Page) -> None:
    page.goto(reverse("admin:offers_sendingswitch_changelist"))
    page.fill("[name=why]", "wrong price")
    page.click("text=Stop all sending")
    expect(page.get_by_text("All sending is stopped.")).to_be_visible()
    assert SendingSwitch.objects.get().is_stopped


def test_an_offer_is_paused_with_one_button(page: Page) -> None:
    offer = an_offer(now=timezone.now())
    page.goto(reverse("admin:offers_offer_change", args=[offer.pk]))
    page.click("text=Pause")
    expect(page.get_by_text("Paused ·")).to_be_visible()
    offer.refresh_from_db()
    assert offer.state == "paused"


def test_a_store_is_drawn_without_network_and_saved_where_it_was(page: Page, now: datetime) -> None:
    store = an_aisle(now=now).store
    page.goto(reverse("admin:offers_store_change", args=[store.pk]))
    expect(page.locator(".leaflet-marker-icon")).to_be_visible()
    page.click("[name=_continue]")
    page.wait_for_load_state()
    before = store.location.coords
    store.refresh_from_db()
    assert store.updated_at > now
    assert store.location.coords == before


@pytest.mark.parametrize(
    "route", ["index", "offers_offer_changelist", "offers_offer_add", "offers_store_add"]
)
def test_nothing_stands_out_of_a_phones_screen(page: Page, now: datetime, route: str) -> None:
    an_offer(now=now)
    page.goto(reverse(f"admin:{route}"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
