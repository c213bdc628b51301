"""Every page of every registered model: it answers, it is constant in queries, it escapes, it needs no other host."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from offers.models import SendingSwitch
from tests.integration.admin.rows import MAKERS, POISON, a_customer, a_product, a_store, an_offer

pytestmark = pytest.mark.django_db

REGISTERED = sorted(model._meta.label_lower for model in admin.site._registry)
WITHOUT_ROWS = {SendingSwitch._meta.label_lower, "procrastinate.procrastinatejob"}
LISTED = [label for label in REGISTERED if label not in WITHOUT_ROWS]
WITH_FORMS = [
    "auth.group",
    "auth.user",
    "customers.apikey",
    "offers.aisle",
    "offers.category",
    "offers.offer",
    "offers.product",
    "offers.store",
]
OTHER_HOST = re.compile(r"""(?:src|href|action|url)\s*[=(]\s*["']?(?:https?:)?//(?!testserver)""")
FIRST_COUNT, MORE = 1, 19


def url_of(label: str, page: str, *args: Any) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_{page}", args=args)


def test_every_registered_model_has_a_row_to_be_tested_with() -> None:
    assert set(REGISTERED) == set(MAKERS) | {SendingSwitch._meta.label_lower}


@pytest.mark.parametrize("label", REGISTERED)
def test_an_empty_list_answers(boss: Client, label: str) -> None:
    assert boss.get(url_of(label, "changelist")).status_code == 200


@pytest.mark.parametrize("label", LISTED)
def test_a_list_a_search_and_a_page_answer_without_another_host(
    boss: Client, label: str, now: datetime
) -> None:
    row = MAKERS[label](now=now)
    pages = [
        url_of(label, "changelist"),
        url_of(label, "change", row.pk),
        url_of(label, "changelist") + "?q=abc",
    ]
    for page in pages:
        answer = boss.get(page)
        assert answer.status_code == 200, page
        assert OTHER_HOST.findall(answer.content.decode()) == []


@pytest.mark.parametrize("label", LISTED)
def test_a_list_of_twenty_costs_what_a_list_of_one_costs(
    boss: Client, label: str, now: datetime, count_queries: Callable[..., Any]
) -> None:
    MAKERS[label](now=now)
    boss.get(url_of(label, "changelist"))
    with count_queries() as of_one:
        boss.get(url_of(label, "changelist"))
    for _ in range(MORE):
        MAKERS[label](now=now)
    with count_queries() as of_twenty:
        answer = boss.get(url_of(label, "changelist"))
    assert len(answer.context["cl"].result_list) >= FIRST_COUNT + MORE
    assert len(of_twenty) == len(of_one)


@pytest.mark.parametrize("label", WITH_FORMS)
def test_a_form_for_a_new_row_answers_without_another_host(boss: Client, label: str) -> None:
    answer = boss.get(url_of(label, "add"))
    assert answer.status_code == 200
    assert OTHER_HOST.findall(answer.content.decode()) == []


def test_names_with_markup_are_shown_as_text(boss: Client, now: datetime) -> None:
    product = a_product(now=now, name=POISON, brand_name=POISON)
    store = a_store(now=now, name=POISON)
    offer = an_offer(now=now, target_brand=POISON, title={"fr": POISON, "en": POISON})
    customer = a_customer(now=now, ref=POISON)
    pages = [
        url_of("offers.product", "changelist"),
        url_of("offers.product", "change", product.pk),
        url_of("offers.brand", "changelist"),
        url_of("offers.store", "changelist"),
        url_of("offers.store", "change", store.pk),
        url_of("offers.offer", "changelist"),
        url_of("offers.offer", "change", offer.pk),
        url_of("customers.customer", "changelist"),
        url_of("customers.customer", "change", customer.pk),
        url_of("customers.customer", "decisions", customer.pk),
    ]
    for page in pages:
        html = boss.get(page).content.decode()
        assert "<img src=x" not in html, page
        assert "&lt;img src=x" in html, page


@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_speak_both_languages(boss: Client, language: str, now: datetime) -> None:
    an_offer(now=now)
    html = boss.get(
        url_of("offers.offer", "changelist"), headers={"accept-language": language}
    ).content.decode()
    words = {
        "fr": "sur Nestlé, dans tous les magasins, 300 restants",
        "en": "on Nestlé, in every store, 300 left",
    }
    assert words[language] in html
