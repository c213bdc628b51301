"""A last-minute deal in a real browser: what it would do follows each keystroke, and one button stops it."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from offers.models import DealState
from tests.browser.test_admin import PHONE, page
from tests.integration.admin.rows import a_product

__all__ = ["page"]  # the fixture

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]


def test_a_deal_is_tried_out_published_and_stopped_on_a_phone(page: Page) -> None:
    product = a_product(now=timezone.now(), name="Comté", price_minor=550)
    page.goto("/admin/offers/offer/")
    page.click("text=Schedule a last-minute deal")
    preview = page.locator("[data-rayon-preview]")
    expect(preview).to_contain_text("Fill in what, how many and until when")
    page.fill("[name=gtins]", product.gtin)
    page.fill("[name=units]", "12")
    expect(preview.locator("svg.rayon-ladder")).to_be_visible()
    expect(preview).to_contain_text("customers at most")
    before = depth(preview)
    page.fill("[name=units]", "60")
    page.click("summary")
    page.fill("[name=per_hour]", "2")  # with so many more to sell, at the same pace
    expect(preview).to_contain_text("of 60")
    assert depth(preview) > before
    fits(page)

    page.click("[name=_save]")
    page.click("text=/^Publish$/")
    expect(page.locator("[data-rayon-now]")).to_contain_text("Held by coupons")
    fits(page)
    page.click("text=Stop telling customers")
    expect(page.get_by_text("Nobody is told now. Stopped by hand.")).to_be_visible()
    assert DealState.objects.get().stop_reason == "by_staff"


def depth(preview: Any) -> float:
    """Return the percent of "Now −40 %: €2.40"."""
    return float(preview.locator("p").first.inner_text().split("−")[1].split(" ")[0])


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
