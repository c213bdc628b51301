"""A customer's decisions on one page: every candidate, its reason in words, and a fixed number of queries."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from offers.admin.reasons import REASONS
from offers.rules.eligibility import Reason
from tests.integration.admin.rows import a_customer, a_decision, an_offer

pytestmark = pytest.mark.django_db


def url_of(customer: Any) -> str:
    return reverse("admin:customers_customer_decisions", args=[customer.pk])


def candidate(offer: Any, reason: str, **numbers: Any) -> dict[str, Any]:
    return {"offer": offer.ref, "revision": 1, "reason": reason, **numbers}


def test_every_reason_has_words() -> None:
    assert set(REASONS) == {reason.value for reason in Reason}


def test_the_page_says_who_won_and_why_the_others_did_not(boss: Client, now: datetime) -> None:
    customer = a_customer(now=now)
    won = an_offer(now=now, title={"en": "20% off Nestlé"})
    second = an_offer(now=now, title={"en": "Cheap cream"})
    lost = an_offer(now=now, title={"en": "Dog food"})
    a_decision(
        now=now,
        customer=customer,
        outcome="issued",
        reason="issued",
        offer=won,
        candidates=[
            candidate(won, "issued", affinity_share=0.234),
            candidate(second, "issued", affinity_share=0.1),
            candidate(lost, "not_relevant", affinity_share=0.0, min_affinity_share=0.05),
        ],
    )
    [card] = boss.get(url_of(customer)).context["cards"]
    assert [(line["title"], line["why"], line["is_winner"]) for line in card["candidates"]] == [
        ("20% off Nestlé", "Sent. 23.4 % of their spending goes there, any share is enough", True),
        ("Cheap cream", "Would have done, but another offer was better", False),
        ("Dog food", "Not for this customer. 0.0 % of their spending goes there, 5 % are asked for", False),
    ]


def test_only_this_customers_decisions_are_there_newest_first(boss: Client, now: datetime) -> None:
    customer = a_customer(now=now)
    mine = [a_decision(now=now, customer=customer) for _ in range(2)]
    a_decision(now=now)
    cards = boss.get(url_of(customer)).context["cards"]
    assert [card["decision"] for card in cards] == mine[::-1]


def test_twenty_decisions_cost_what_one_costs(
    boss: Client, now: datetime, count_queries: Callable[..., Any]
) -> None:
    customer = a_customer(now=now)
    a_decision(now=now, customer=customer)
    boss.get(url_of(customer))
    with count_queries() as of_one:
        boss.get(url_of(customer))
    for _ in range(24):
        a_decision(now=now, customer=customer)
    with count_queries() as of_many:
        answer = boss.get(url_of(customer))
    assert len(answer.context["cards"]) == 20
    # session, user, the switch, the customer, how many, the decisions, the offers' titles
    assert len(of_many) == len(of_one) == 7
    assert len(boss.get(url_of(customer) + "?page=2").context["cards"]) == 5


def test_a_customer_without_any_is_told_in_words(boss: Client, now: datetime) -> None:
    html = boss.get(url_of(a_customer(now=now))).content.decode()
    assert "Nothing has been decided about this customer yet" in html


def test_there_is_no_page_about_nobody(boss: Client) -> None:
    assert boss.get(reverse("admin:customers_customer_decisions", args=[0])).status_code == 404
