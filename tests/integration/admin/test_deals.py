"""A marketer's last-minute deal: one plain form, what it would do while it is typed, what it does, and the stop."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from customers.operations.purchases import record_purchases
from customers.operations.receipts import LineIn, ReceiptIn
from offers.models import Capacity, DealState, Offer, Store
from offers.operations.legal import legal_reasons
from offers.operations.staff import MARKETERS, OPERATORS
from offers.operations.yields import review_deals
from offers.queries.promotions import get_offer
from tests.integration.admin.rows import a_category, a_product, a_store, an_offer, gtin
from tests.integration.admin.test_offers import errors, said

pytestmark = pytest.mark.django_db

ADD = "/admin/offers/offer/add/?deal=new"
PREVIEW = "/admin/offers/offer/deal-preview/"
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Any:
    """It is 16:00 in Paris."""
    with time_machine.travel(now + timedelta(hours=6), tick=False):
        yield


@pytest.fixture
def marketer(sign_in: Callable[[str], Client]) -> Client:
    return sign_in(MARKETERS)


def a_deal(**changed: Any) -> dict[str, Any]:
    """Fill the form as a marketer would: twelve cheeses, until six, at least two euros."""
    return {
        "gtins": "",
        "target_brand": "Nestlé",
        "target_category": "",
        "units": "12",
        "deadline_0": "2026-06-17",
        "deadline_1": "18:00:00",
        "regular_price": "4.00",
        "floor_price": "2",
        "perishable": "on",
        "per_hour": "2",
        "elasticity": "2.5",
        "unit_cost": "",
        "unsold_value": "",
        "menu": "10, 20, 30, 40, 50",
        "trigger_places": "aisle",
        "trigger_on": "enter",
        "minutes": "30",
        "audience_share": "0",
        "holdout_percent": "10",
        "title_fr": "",
        "title_en": "",
        "body_fr": "",
        "body_en": "",
        **changed,
    }


def test_the_form_asks_four_things_and_proposes_the_rest(marketer: Client) -> None:
    html = marketer.get(ADD).content.decode()
    assert "New last-minute deal" in html
    for name, value in (
        ("deadline_0", "2026-06-17"),
        ("deadline_1", "20:00:00"),
        ("menu", "10, 20, 30, 40, 50"),
        ("minutes", "30"),
        ("audience_share", "0"),
    ):
        assert f'name="{name}" value="{value}"' in html
    assert html.count("<details") == 1
    assert html.index('name="floor_price"') < html.index("<details") < html.index('name="per_hour"')


def test_a_deal_is_saved_as_a_draft_and_leads_to_its_page(marketer: Client) -> None:
    answer = marketer.post(ADD, a_deal(unit_cost="1.5", unsold_value="-0.10"))
    assert answer.status_code == 302, errors(answer)
    offer = get_offer(ref=Offer.objects.get().ref)
    assert offer is not None
    assert answer.url == f"/admin/offers/offer/{offer.pk}/change/"
    assert offer.ref.startswith("last-minute-20260617-1800-")
    assert (offer.state, offer.objective, offer.capacity.units) == ("draft", "margin", 12)
    assert offer.deal == {
        "units": 12,
        "deadline": "2026-06-17T16:00:00Z",
        "regular_price_minor": 400,
        "floor_price_minor": 200,
        "unit_cost_minor": 150,
        "unsold_value_minor": -10,
        "expected_units_per_hour": 2.0,
        "elasticity": 2.5,
        "menu_bp": [1000, 2000, 3000, 4000, 5000],
        "perishable": True,
        "in_store_only": True,
    }
    assert offer.title == {"fr": "Dernière minute : Nestlé", "en": "Last minute: Nestlé"}
    assert offer.body == {
        "fr": "Prix réduit jusqu’à 18:00, tant qu’il en reste.",
        "en": "Reduced until 18:00, while there are some left.",
    }
    assert (offer.valid_until, offer.minutes_after_issue, offer.per_customer) == (
        datetime(2026, 6, 17, 18, tzinfo=PARIS),
        30,
        1,
    )
    page = marketer.get(answer.url).content.decode()
    assert "data-rayon-preview" in page
    assert "data-rayon-now" not in page
    assert not DealState.objects.exists()


def test_what_is_left_out_comes_from_the_catalogue_and_from_the_stock(
    marketer: Client, now: datetime
) -> None:
    product = a_product(now=now, name="Comté", price_minor=550)
    answer = marketer.post(
        ADD, a_deal(target_brand="", gtins=product.gtin, regular_price="", floor_price="", per_hour="")
    )
    assert answer.status_code == 302, errors(answer)
    deal = Offer.objects.get().deal
    assert (deal["regular_price_minor"], deal["floor_price_minor"]) == (550, 0)
    assert deal["expected_units_per_hour"] == 3.0  # half of twelve in two hours
    assert Offer.objects.get().title["fr"] == "Dernière minute : Comté"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"target_brand": ""}, "gtins"),
        ({"gtins": "{gtin}"}, "gtins"),
        ({"units": "0"}, "units"),
        ({"deadline_1": "noon"}, "deadline"),
        ({"floor_price": "4.01"}, "floor_price"),
        ({"regular_price": ""}, "regular_price"),
        ({"menu": "ten"}, "menu"),
        ({"menu": "0"}, "menu"),
        ({"menu": "101"}, "menu"),
        ({"elasticity": "9"}, "elasticity"),
    ],
)
def test_what_does_not_hold_together_is_said_beside_its_field(
    marketer: Client, wrong: dict[str, str], field: str
) -> None:
    wrong = {name: value.format(gtin=gtin()) for name, value in wrong.items()}
    answer = marketer.post(ADD, a_deal(**wrong))
    assert answer.status_code == 200
    assert set(errors(answer)) == {field}
    assert not Offer.objects.exists()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["Now −40 %: €2.40", "9 customers at most", "10 of 12", "2 (likely 0 to 4)", "€24.68", "€8.69"],
        ),
        ("fr", ["Maintenant −40 % : 2,40 €", "9 clients au plus", "10 sur 12", "24,68 €", "8,69 €"]),
    ],
)
def test_the_preview_says_what_it_would_do_and_writes_nothing(
    marketer: Client, language: str, words: list[str]
) -> None:
    answer = marketer.post(PREVIEW, a_deal(), headers={"accept-language": language})
    html = answer.content.decode()
    assert answer.status_code == 200
    for said_there in words:
        assert said_there in html
    assert '<svg class="rayon-ladder"' in html
    assert not Offer.objects.exists()


@pytest.mark.parametrize(
    ("changed", "headline"),
    [
        ({"units": ""}, "Fill in what, how many and until when"),
        ({"units": "1", "per_hour": "4"}, "Nobody is told now: at the normal price it earns the most."),
        ({"deadline_1": "16:02"}, "Too little time is left to get to the product."),
        ({"deadline_1": "15:00"}, "The deadline has passed."),
        ({"floor_price": "4.00"}, "Nobody is told now: at the normal price it earns the most."),
    ],
)
def test_the_preview_answers_whatever_is_typed(
    marketer: Client, changed: dict[str, str], headline: str
) -> None:
    assert headline in marketer.post(PREVIEW, a_deal(**changed)).content.decode()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"floor_price": "", "unit_cost": "3"}, ""),  # about to spoil: neither the cap nor the cost holds
        (
            {"perishable": "", "floor_price": "2.64", "unit_cost": "2"},
            "",
        ),  # 30 % is the deepest above the floor
        (
            {"perishable": ""},
            "The reduction reaches 50% of the price; food may be reduced by 34%. Only perishable goods about to spoil, "
            "announced inside the store alone, are exempt.",
        ),
        ({"perishable": "", "menu": "30", "unit_cost": "3"}, "€2.80 would be left to pay"),
        ({"body_fr": "Deux fromages gratuits !"}, "The texts say “gratuits”: take the word out."),
    ],
)
def test_the_preview_says_what_the_law_has_against_it(
    marketer: Client, changed: dict[str, str], sentence: str
) -> None:
    html = unescape(marketer.post(PREVIEW, a_deal(**changed)).content.decode())
    assert ("The law has nothing against it." in html) == (not sentence)
    assert ("The law forbids publishing it like this:" in html) == bool(sentence)
    assert sentence in html
    assert not Offer.objects.exists()


def test_what_the_preview_says_of_the_law_is_what_publishing_says(marketer: Client) -> None:
    terms = a_deal(perishable="", unit_cost="3", title_fr="Fromage gratuit")
    html = unescape(marketer.post(PREVIEW, terms).content.decode())
    marketer.post(ADD, terms)
    offer = Offer.objects.get()
    assert offer.deal["perishable"] is False
    against = legal_reasons(offer=offer, now=timezone.now())
    assert [one.rule for one in against] == ["promotion_cap", "below_cost", "free_word"]
    assert all(one.messages is not None and one.messages["en"] in html for one in against)


def test_only_who_may_make_offers_is_shown_what_they_would_do(sign_in: Callable[[str], Client]) -> None:
    assert sign_in(OPERATORS).post(PREVIEW, a_deal()).status_code == 403


def test_a_published_deal_shows_what_it_does_and_is_stopped_with_one_button(marketer: Client) -> None:
    marketer.post(ADD, a_deal())
    offer = Offer.objects.get()
    page = f"/admin/offers/offer/{offer.pk}/change/"
    marketer.post(f"/admin/offers/offer/{offer.pk}/publish/")
    html = marketer.get(page).content.decode()
    for words in ("Now −40 %: €2.40", "Held by coupons", "Reviewed just now.", "Stop telling customers"):
        assert words in html
    assert "Last minute −40 % on Nestlé, in every store, 12 left, until 18:00" in html
    now_panel = marketer.get(f"/admin/offers/offer/{offer.pk}/deal-now/")
    assert "Now −40 %: €2.40" in now_panel.content.decode()

    answer = marketer.post(f"/admin/offers/offer/{offer.pk}/stop/")
    assert said(answer)[-1].endswith("nobody more is told; coupons that are out stay good.")
    html = marketer.get(page).content.decode()
    assert "Nobody is told now. Stopped by hand." in html
    assert "<dd>nobody</dd>" in html
    panel_now = marketer.get(f"/admin/offers/offer/{offer.pk}/deal-now/").content.decode()
    assert "Expected to sell" not in panel_now
    assert "<svg" not in panel_now
    assert "Stop telling customers" not in html
    assert Capacity.objects.get().wave_left == 0


def test_what_sales_taught_is_said_on_the_page_and_in_the_preview(marketer: Client, now: datetime) -> None:
    a_store(now=now)
    product = a_product(now=now, name="Comté", price_minor=550)
    terms = a_deal(target_brand="", gtins=product.gtin)
    marketer.post(ADD, terms)
    offer = Offer.objects.get()
    marketer.post(f"/admin/offers/offer/{offer.pk}/publish/")
    began = timezone.now()
    line = LineIn(gtin=product.gtin, quantity=Decimal(9), unit_price_minor=550)
    [store] = Store.objects.all()
    receipt = ReceiptIn(
        store_ref=store.ref,
        receipt="R1",
        customer_ref=None,
        purchased_at=began + timedelta(minutes=30),
        currency="EUR",
        lines=(line,),
    )
    with time_machine.travel(began + timedelta(minutes=30), tick=False):
        record_purchases([receipt], now=timezone.now())
        words = "Sells faster than usual: 3.2 instead of 2 an hour at the normal price."
        assert words in marketer.post(f"{PREVIEW}?offer={offer.pk}", terms).content.decode()
        assert words not in marketer.get(f"/admin/offers/offer/{offer.pk}/deal-now/").content.decode()
        review_deals(now=timezone.now(), params=settings.RAYON)
        assert words in marketer.get(f"/admin/offers/offer/{offer.pk}/deal-now/").content.decode()
        french = {"accept-language": "fr"}
        html = marketer.get(f"/admin/offers/offer/{offer.pk}/deal-now/", headers=french).content.decode()
        assert "Se vend plus vite que d’habitude : 3,2 au lieu de 2 par heure au prix normal." in html


def test_saving_a_live_deal_without_a_change_makes_no_revision(marketer: Client, now: datetime) -> None:
    category = a_category(now=now)
    marketer.post(ADD, a_deal(target_brand="", target_category=category.pk, per_hour=""))
    offer = Offer.objects.get()
    marketer.post(f"/admin/offers/offer/{offer.pk}/publish/")
    page = f"/admin/offers/offer/{offer.pk}/change/"
    same = a_deal(
        target_brand="",
        target_category=category.pk,
        per_hour="3",
        title_fr=offer.title["fr"],
        title_en=offer.title["en"],
        body_fr=offer.body["fr"],
        body_en=offer.body["en"],
    )
    assert marketer.post(page, same).status_code == 302
    offer.refresh_from_db()
    assert offer.revision == 1
    assert marketer.post(page, {**same, "units": "40"}).status_code == 302
    offer.refresh_from_db()
    assert (offer.revision, offer.deal["units"], offer.capacity.units) == (2, 40, 40)


def test_an_ordinary_offer_has_no_panel_and_keeps_its_form(marketer: Client, now: datetime) -> None:
    offer = an_offer(now=now, valid_until=now + timedelta(days=3))
    html = marketer.get(f"/admin/offers/offer/{offer.pk}/change/").content.decode()
    assert "data-rayon" not in html
    assert 'name="kind"' in html
    assert marketer.get(f"/admin/offers/offer/{offer.pk}/deal-now/").status_code == 404


def test_the_list_tells_last_minute_deals_from_the_others(marketer: Client, now: datetime) -> None:
    marketer.post(ADD, a_deal())
    an_offer(now=now, valid_until=now + timedelta(days=3))
    counts = [
        marketer.get(f"/admin/offers/offer/{query}").context["cl"].result_count
        for query in ("", "?last_minute=yes", "?last_minute=no")
    ]
    assert counts == [2, 1, 1]


def test_markup_in_a_name_is_shown_as_text(marketer: Client) -> None:
    marketer.post(ADD, a_deal(target_brand="<img src=x>"))
    offer = Offer.objects.get()
    marketer.post(f"/admin/offers/offer/{offer.pk}/publish/")
    html = marketer.get(f"/admin/offers/offer/{offer.pk}/change/").content.decode()
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html
