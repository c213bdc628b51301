"""Who may open what: every role at every list, and what a page leaves out for those who may not see it."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from offers.operations.staff import GROUPS, MARKETERS, OPERATORS, STORE_MANAGERS, ensure_groups
from tests.integration.admin.rows import (
    a_coupon,
    a_customer,
    a_decision,
    a_device,
    a_store,
    an_aisle,
    an_offer,
)

pytestmark = pytest.mark.django_db

LABELS = sorted(model._meta.label_lower for model in admin.site._registry)
SignIn = Callable[[str], Client]

OPEN_TO = {
    "": set(),
    STORE_MANAGERS: {
        "offers.store",
        "offers.aisle",
        "offers.beacon",
        "offers.category",
        "offers.coupon",
        "offers.decision",
    },
    MARKETERS: {
        "offers.offer",
        "offers.brand",
        "offers.category",
        "offers.product",
        "offers.store",
        "offers.coupon",
        "offers.decision",
        "offers.exposure",
        "offers.feedback",
        "customers.customer",
        "customers.affinity",
        "customers.profile",
        "offers.nextbasket",
        "offers.responsemodel",
    },
    OPERATORS: {
        "offers.sendingswitch",
        "offers.outboxmessage",
        "offers.receipt",
        "offers.lane",
        "offers.locationevent",
        "offers.responsemodel",
        "offers.visit",
        "offers.presence",
        "offers.decision",
        "customers.device",
        "customers.bearertoken",
        "customers.apikey",
        "push_notifications.gcmdevice",
        "push_notifications.apnsdevice",
        "push_notifications.webpushdevice",
        "procrastinate.procrastinatejob",
    },
}


@pytest.mark.parametrize("group", sorted(OPEN_TO))
def test_a_role_opens_its_own_lists_and_no_other(sign_in: SignIn, group: str) -> None:
    client = sign_in(group)
    answers = {
        label: client.get(reverse(f"admin:{label.replace('.', '_')}_changelist")).status_code
        for label in LABELS
    }
    assert answers == {label: 200 if label in OPEN_TO[group] else 403 for label in LABELS}


@pytest.mark.parametrize("group", sorted(OPEN_TO))
def test_the_first_page_answers_every_role(sign_in: SignIn, group: str) -> None:
    assert sign_in(group).get(reverse("admin:index")).status_code == 200


def test_strangers_are_asked_to_sign_in(client: Client) -> None:
    answer = client.get(reverse("admin:offers_offer_changelist"))
    assert (answer.status_code, answer.url.split("?")[0]) == (302, reverse("admin:login"))


def test_groups_are_made_once_and_brought_back_to_what_they_may() -> None:
    ensure_groups()
    group = Group.objects.get(name=MARKETERS)
    group.permissions.clear()
    assert set(ensure_groups()) == set(GROUPS) == set(Group.objects.values_list("name", flat=True))
    assert group.permissions.count() == sum(len(verbs) for verbs in GROUPS[MARKETERS].values())


@pytest.mark.parametrize(
    ("group", "route", "allowed"),
    [
        (STORE_MANAGERS, "offers_store_add", False),
        (STORE_MANAGERS, "offers_aisle_add", True),
        (STORE_MANAGERS, "offers_category_add", False),
        (MARKETERS, "offers_offer_add", True),
        (MARKETERS, "offers_product_add", True),
        (MARKETERS, "offers_store_add", False),
        (OPERATORS, "customers_apikey_add", True),
        (OPERATORS, "offers_outboxmessage_add", False),
    ],
)
def test_a_role_adds_only_what_is_its_own(sign_in: SignIn, group: str, route: str, allowed: bool) -> None:
    assert sign_in(group).get(reverse(f"admin:{route}")).status_code == (200 if allowed else 403)


def test_a_store_manager_does_not_learn_who_the_customer_was(sign_in: SignIn, now: datetime) -> None:
    customer = a_customer(now=now, ref="a-certain-person")
    coupon = a_coupon(now=now, customer=customer)
    decision = a_decision(now=now, customer=customer)
    client = sign_in(STORE_MANAGERS)
    for route, pk in (("coupon", coupon.pk), ("decision", decision.pk)):
        shown = client.get(reverse(f"admin:offers_{route}_changelist"))
        assert len(shown.context["cl"].result_list) == 1
        assert b"a-certain-person" not in shown.content
        assert (
            b"a-certain-person" not in client.get(reverse(f"admin:offers_{route}_change", args=[pk])).content
        )
    found = client.get(reverse("admin:offers_coupon_changelist"), {"q": "a-certain-person"})
    assert len(found.context["cl"].result_list) == 0


def test_the_decisions_of_a_customer_are_for_those_who_may_see_both(sign_in: SignIn, now: datetime) -> None:
    url = reverse("admin:customers_customer_decisions", args=[a_customer(now=now).pk])
    answers = {group: sign_in(group).get(url).status_code for group in OPEN_TO}
    assert answers == {"": 403, STORE_MANAGERS: 403, MARKETERS: 200, OPERATORS: 403}


def test_choices_are_found_only_by_those_who_may_see_them(sign_in: SignIn, now: datetime) -> None:
    a_store(now=now)
    field = {"app_label": "offers", "model_name": "offer", "field_name": "stores", "term": "Rennes"}
    url = reverse("admin:autocomplete")
    assert sign_in(OPERATORS).get(url, field).status_code == 403
    assert len(sign_in(MARKETERS).get(url, field).json()["results"]) == 1


def test_a_marketer_reads_a_store_without_a_form(sign_in: SignIn, now: datetime) -> None:
    store = an_aisle(now=now).store
    client = sign_in(MARKETERS)
    url = reverse("admin:offers_store_change", args=[store.pk])
    assert b'name="radius_m"' not in client.get(url).content
    assert client.post(url, {"name": "Elsewhere"}).status_code == 403


def test_push_addresses_and_positions_are_nowhere(boss: Client, now: datetime) -> None:
    device = a_device(now=now)
    pages = [
        reverse("admin:customers_device_changelist"),
        reverse("admin:customers_device_change", args=[device.pk]),
        reverse("admin:customers_customer_change", args=[device.customer_id]),
        reverse("admin:push_notifications_gcmdevice_changelist"),
        reverse("admin:push_notifications_gcmdevice_change", args=[device.fcm_id]),
    ]
    for page in pages:
        assert b"secret-address" not in boss.get(page).content, page


@pytest.mark.parametrize("step", ["publish", "pause", "resume", "end"])
def test_a_store_manager_cannot_move_an_offer(sign_in: SignIn, now: datetime, step: str) -> None:
    offer = an_offer(now=now, state="paused")
    url = reverse(f"admin:offers_offer_{step}", args=[offer.pk])
    assert sign_in(STORE_MANAGERS).post(url).status_code == 403
    offer.refresh_from_db()
    assert offer.state == "paused"


def test_every_migrate_gives_the_groups_what_this_version_says() -> None:
    Group.objects.filter(name=OPERATORS).delete()
    Group.objects.get(name=MARKETERS).permissions.clear()
    call_command("migrate", verbosity=0)
    made = {group.name: set(group.permissions.all()) for group in Group.objects.all()}
    assert made == {name: set(group.permissions.all()) for name, group in ensure_groups().items()}
    assert made.keys() == GROUPS.keys()
    assert all(made.values())
