"""A marketer's day: an offer is written, published, changed, paused and ended, and every no says what to do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from offers.admin.sentences import sentence
from offers.models import Capacity, Offer
from offers.operations.staff import MARKETERS
from offers.queries.promotions import get_offer
from tests.integration.admin.rows import a_category, a_store, an_offer, gtin

pytestmark = pytest.mark.django_db

ADD = "admin:offers_offer_add"


def a_form(**changed: Any) -> dict[str, Any]:
    start = timezone.localtime() - timedelta(days=1)
    until = start + timedelta(days=8)
    return {
        "ref": "yoghurt-20",
        "title_fr": "20 % sur Nestlé",
        "title_en": "",
        "body_fr": "Au rayon frais",
        "body_en": "",
        "image_url": "",
        "kind": "percent",
        "value": "20",
        "target_brand": "Nestlé",
        "target_category": "",
        "gtins": "",
        "trigger_places": "aisle",
        "trigger_on": "enter",
        "starts_0": f"{start:%Y-%m-%d}",
        "starts_1": "08:00:00",
        "valid_until_0": f"{until:%Y-%m-%d}",
        "valid_until_1": "18:00:00",
        "minutes": "60",
        "units": "300",
        "budget": "",
        "times": "",
        "times_days": "",
        "audience_share": "",
        "recent_days": "",
        "segment_words": "",
        "topic_words": "",
        "holdout_percent": "10",
        "rank": "0",
        **changed,
    }


@pytest.fixture
def marketer(sign_in: Callable[[str], Client]) -> Client:
    return sign_in(MARKETERS)


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def errors(answer: Any) -> dict[str, list[str]]:
    return {name: list(found) for name, found in answer.context["adminform"].form.errors.items()}


def test_a_new_offer_is_a_draft_with_what_was_typed(marketer: Client) -> None:
    store = a_store(now=timezone.now())
    answer = marketer.post(reverse(ADD), a_form(chosen_stores=[store.pk], value="12.5", budget="99.90"))
    assert answer.status_code == 302, errors(answer)
    offer = get_offer(ref="yoghurt-20")
    assert offer is not None
    assert (offer.state, offer.title, offer.benefit_kind, offer.benefit_value) == (
        "draft",
        {"fr": "20 % sur Nestlé"},
        "percent",
        1250,
    )
    assert (offer.target_brand, offer.holdout_share, offer.min_affinity_share) == ("Nestlé", 0.1, None)
    assert [row.store for row in offer.offer_stores.all()] == [store]
    assert (offer.capacity.units, offer.capacity.budget_minor) == (300, 9990)
    assert LogEntry.objects.count() == 1


def test_hours_are_typed_on_the_staffs_clock(marketer: Client) -> None:
    form = a_form(valid_until_0="2030-07-01", valid_until_1="18:00:00")
    assert marketer.post(reverse(ADD), form).status_code == 302
    assert Offer.objects.get().valid_until == datetime(2030, 7, 1, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"target_brand": ""}, "target_brand"),
        ({"gtins": "3033490004521"}, "target_brand"),
        ({"target_brand": "", "gtins": "1234567890123"}, "gtins"),
        ({"value": "0"}, "value"),
        ({"value": "100.01"}, "value"),
        ({"kind": "amount", "value": "0"}, "value"),
        ({"valid_until_0": "2020-01-01"}, "valid_until"),
        ({"times_days": "7"}, "times"),
        ({"audience_share": "101"}, "audience_share"),
        ({"ref": "a/b"}, "ref"),
        ({"units": "0"}, "units"),
    ],
)
def test_what_does_not_hold_together_is_said_beside_its_field(
    marketer: Client, wrong: dict[str, str], field: str
) -> None:
    answer = marketer.post(reverse(ADD), a_form(**wrong))
    assert answer.status_code == 200
    assert set(errors(answer)) == {field}
    assert not Offer.objects.exists()


def test_an_offers_key_is_not_taken_over_by_a_new_one(marketer: Client, now: datetime) -> None:
    offer = an_offer(now=now, ref="yoghurt-20", target_brand="Danone")
    answer = marketer.post(reverse(ADD), a_form())
    assert errors(answer) == {"ref": ["An offer has this key."]}
    offer.refresh_from_db()
    assert offer.target_brand == "Danone"


def test_saving_without_a_change_makes_no_revision(marketer: Client) -> None:
    category, number = a_category(now=timezone.now()), gtin()
    for target in (
        {"target_category": category.pk, "target_brand": ""},
        {"gtins": number, "target_brand": ""},
    ):
        form = a_form(ref=f"offer-{len(target)}-{Offer.objects.count()}", **target)
        assert marketer.post(reverse(ADD), form).status_code == 302
        offer = Offer.objects.get(ref=form["ref"])
        marketer.post(reverse("admin:offers_offer_publish", args=[offer.pk]))
        url = reverse("admin:offers_offer_change", args=[offer.pk])
        assert marketer.get(url).status_code == 200
        assert marketer.post(url, form).status_code == 302
        offer.refresh_from_db()
        assert (offer.state, offer.revision) == ("live", 1)


def test_a_change_of_a_live_offer_is_its_next_revision(marketer: Client) -> None:
    marketer.post(reverse(ADD), a_form())
    offer = Offer.objects.get()
    marketer.post(reverse("admin:offers_offer_publish", args=[offer.pk]))
    url = reverse("admin:offers_offer_change", args=[offer.pk])
    assert marketer.post(url, a_form(value="30")).status_code == 302
    offer.refresh_from_db()
    assert (offer.state, offer.revision, offer.benefit_value) == ("live", 2, 3000)


def test_what_the_operation_refuses_stands_beside_its_field_and_changes_nothing(marketer: Client) -> None:
    marketer.post(reverse(ADD), a_form())
    offer = Offer.objects.get()
    Capacity.objects.filter(offer=offer).update(claimed=250)
    url = reverse("admin:offers_offer_change", args=[offer.pk])
    answer = marketer.post(url, a_form(units="200", value="30"))
    assert errors(answer) == {"units": ["More coupons than that are already out: enter at least as many."]}
    offer.refresh_from_db()
    assert (offer.benefit_value, offer.capacity.units) == (2000, 300)


def test_the_buttons_lead_an_offer_through_its_life(marketer: Client) -> None:
    marketer.post(reverse(ADD), a_form())
    offer = Offer.objects.get()
    for step, state in (("publish", "live"), ("pause", "paused"), ("resume", "live"), ("end", "ended")):
        assert step.encode() in marketer.get(reverse("admin:offers_offer_change", args=[offer.pk])).content
        answer = marketer.post(reverse(f"admin:offers_offer_{step}", args=[offer.pk]))
        assert answer.status_code == 302
        offer.refresh_from_db()
        assert offer.state == state
    assert marketer.post(reverse("admin:offers_offer_change", args=[offer.pk]), a_form()).status_code == 403
    assert marketer.get(reverse("admin:offers_offer_change", args=[offer.pk])).status_code == 200


def test_a_step_is_never_taken_by_following_a_link(marketer: Client, now: datetime) -> None:
    offer = an_offer(now=now)
    assert marketer.get(reverse("admin:offers_offer_end", args=[offer.pk])).status_code == 405
    offer.refresh_from_db()
    assert offer.state == "live"


def test_an_offer_that_cannot_be_published_says_everything_that_is_missing(marketer: Client) -> None:
    marketer.post(reverse(ADD), a_form(title_fr="", body_fr=""))
    offer = Offer.objects.get()
    answer = marketer.post(reverse("admin:offers_offer_publish", args=[offer.pk]))
    assert said(answer)[-1] == "yoghurt-20: Write a title and a text in French or in English."
    offer.refresh_from_db()
    assert offer.state == "draft"


def test_an_action_moves_those_that_can_be_moved_and_names_the_others(
    marketer: Client, now: datetime
) -> None:
    live, paused = an_offer(now=now, ref="live"), an_offer(now=now, ref="resting", state="paused")
    answer = marketer.post(
        reverse("admin:offers_offer_changelist"),
        {"action": "pause", "_selected_action": [live.pk, paused.pk]},
    )
    assert answer.status_code == 302
    assert said(answer) == [
        "live: paused; coupons that are out stay good.",
        "resting: The offer is paused: resume it or end it.",
    ]
    assert set(Offer.objects.values_list("state", flat=True)) == {"paused"}


def test_deleting_an_offer_that_was_published_ends_and_hides_it(marketer: Client, now: datetime) -> None:
    offer = an_offer(now=now)
    answer = marketer.post(reverse("admin:offers_offer_delete", args=[offer.pk]), {"post": "yes"})
    assert answer.status_code == 302
    offer.refresh_from_db()
    assert offer.state == "ended"
    assert offer.removed_at is not None


def test_an_offer_is_a_sentence(now: datetime) -> None:
    def said_of(**changed: Any) -> str:
        offer = get_offer(ref=an_offer(now=now, **changed).ref)
        assert offer is not None
        return sentence(offer, now=now)

    tonight = now.replace(hour=16)
    assert said_of(valid_until=tonight) == "−20 % on Nestlé, in every store, 300 left, until 16:00"
    assert said_of(benefit_kind="amount", benefit_value=50, units=None, valid_until=tonight) == (
        "−€0.50 on Nestlé, in every store, no limit, until 16:00"
    )
    assert said_of(
        benefit_kind="price", benefit_value=199, units=1, all_stores=False, valid_until=tonight
    ) == ("€1.99 for Nestlé, in 1 store, 1 left, until 16:00")
    assert said_of(benefit_value=1250, target_brand="", target_gtins=["1", "2"], units=0) == (
        "−12.5 % on 2 products, in every store, none left, until 24 Jun 2026 08:00"
    )
