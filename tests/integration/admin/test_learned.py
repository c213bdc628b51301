"""What staff see of what was learned, and the step that puts a version of the response model to use."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from customers.models import Customer, Profile
from offers.admin import learned_words
from offers.models import ResponseModel
from offers.operations.staff import MARKETERS, OPERATORS
from offers.rules.response import COLUMNS
from tests.integration.admin.rows import a_customer, a_next_basket, a_product, a_response_model

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]


def test_a_next_basket_names_its_products_with_chance_and_evidence(sign_in: SignIn, now: datetime) -> None:
    row = a_next_basket(now=now)
    page = reverse("admin:offers_nextbasket_change", args=[row.pk])
    marketer = sign_in(MARKETERS)

    english = marketer.get(page, headers={"accept-language": "en"}).content.decode()
    french = marketer.get(page, headers={"accept-language": "fr"}).content.decode()

    cell = '<td class="pr-4">{}</td><td class="pr-4">{}</td><td>{}</td>'
    bought = "bought before, popular, bought by similar customers"
    assert cell.format("Skyr", "43.2%", bought) in english
    assert cell.format("3000000000007", "5.0%", "goes with what they buy") in english
    achete = "déjà acheté, populaire, acheté par des clients semblables"
    assert cell.format("Skyr", "43,2 %", achete) in french
    shown = marketer.get(reverse("admin:offers_nextbasket_changelist"), headers={"accept-language": "en"})
    assert "Skyr (43.2%), 3000000000007 (5.0%)" in shown.content.decode()


def test_a_long_next_basket_costs_as_many_queries_as_a_short_one(
    boss: Client, now: datetime, count_queries: Callable[..., Any]
) -> None:
    short = a_next_basket(now=now)
    many = [a_product(now=now).gtin for _ in range(20)]
    parts = {name: [0.2] * 20 for name in ("chances", "own", "alike", "together", "popular")}
    long = a_next_basket(now=now, gtins=many, **parts)
    pages = [reverse("admin:offers_nextbasket_change", args=[row.pk]) for row in (short, long)]
    boss.get(pages[0])
    costs = []
    for page in pages:
        with count_queries() as seen:
            assert boss.get(page).status_code == 200
        costs.append(len(seen))
    assert costs[0] == costs[1]


def test_who_withdrew_profiling_is_not_shown(boss: Client, now: datetime) -> None:
    row = a_next_basket(now=now)
    Customer.objects.filter(pk=row.customer_id).update(granted=["push"])
    shown = boss.get(reverse("admin:offers_nextbasket_changelist"))
    assert list(shown.context["cl"].result_list) == []
    assert boss.get(reverse("admin:offers_nextbasket_change", args=[row.pk])).status_code == 302


def test_a_customers_page_leads_to_what_was_inferred(sign_in: SignIn, now: datetime) -> None:
    customer = a_customer(now=now, ref="c-of-profile")
    Profile.objects.create(
        customer=customer, purchases=3, spend_minor=4_250, listed_lines=15, discounted_lines=9
    )
    marketer = sign_in(MARKETERS)

    page = marketer.get(reverse("admin:customers_customer_change", args=[customer.pk])).content.decode()

    for route in ("offers_nextbasket", "customers_profile"):
        assert f"{reverse(f'admin:{route}_changelist')}?q=c-of-profile" in page
    found = marketer.get(reverse("admin:customers_profile_changelist"), {"q": "c-of-profile"})
    assert [row.customer for row in found.context["cl"].result_list] == [customer]
    text = found.content.decode()
    assert "4,250" in text or "4250" in text
    assert "50 %" in text


def test_an_operator_puts_a_version_to_use_after_being_asked(sign_in: SignIn, now: datetime) -> None:
    old = a_response_model(now=now, is_current=True)
    new = a_response_model(now=now)
    operator = sign_in(OPERATORS)
    url = reverse("admin:offers_responsemodel_use", args=[new.pk])
    page = operator.get(reverse("admin:offers_responsemodel_change", args=[new.pk])).content.decode()
    assert f'<form method="get" action="{url}">' in page

    asked = operator.get(url)

    assert f"Use version {new.version} for every decision from now on?" in asked.content.decode()
    assert ResponseModel.objects.get(is_current=True) == old
    assert LogEntry.objects.count() == 0

    operator.post(url)

    assert ResponseModel.objects.get(is_current=True) == new
    assert [(entry.object_id, entry.user.username) for entry in LogEntry.objects.all()] == [
        (str(new.pk), f"one of {OPERATORS}")
    ]

    operator.post(reverse("admin:offers_responsemodel_use_none", args=[new.pk]))

    assert not ResponseModel.objects.filter(is_current=True).exists()


def test_a_marketer_sees_a_model_in_words_and_cannot_choose_it(sign_in: SignIn, now: datetime) -> None:
    model = a_response_model(now=now)
    marketer = sign_in(MARKETERS)
    page = reverse("admin:offers_responsemodel_change", args=[model.pk])

    english = marketer.get(page, headers={"accept-language": "en"}).content.decode()
    french = marketer.get(page, headers={"accept-language": "fr"}).content.decode()

    cell = '<td class="pr-4">{}</td><td class="pr-4">{}</td><td>{}</td>'
    assert cell.format("in the next basket anyway", "raises", "+1.000") in english
    assert cell.format("kilomètres de distance", "diminue", "-0.030") in french
    assert "0.8100" in english
    url = reverse("admin:offers_responsemodel_use", args=[model.pk])
    assert url not in english
    assert [marketer.get(url).status_code, marketer.post(url).status_code] == [403, 403]
    assert not ResponseModel.objects.filter(is_current=True).exists()


def test_every_column_of_the_model_has_words() -> None:
    assert learned_words.COLUMNS.keys() == set(COLUMNS)


def test_a_step_without_a_question_is_only_posted(boss: Client) -> None:
    assert boss.get(reverse("admin:offers_lane_resume", args=["fcm"])).status_code == 405
