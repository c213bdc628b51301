"""The way each customer's message takes: one batch, one statement, and no_device only where nothing is left."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from offers.models import Coupon, Exposure, OutboxMessage
from tests.integration.decisions.shop import make_buyer, make_offer, make_store, run, trigger_of

pytestmark = pytest.mark.django_db

ALL = ["push", "email", "sms"]
GRANTED = ["geolocation", "profiling", *ALL]
REACHABLE = {"email": "ada@example.net", "phone": "+33612345678"}


@pytest.fixture(autouse=True)
def every_channel(settings: Any) -> None:
    settings.RAYON = {**settings.RAYON, "channels": ("push", "email", "sms")}


def decide(now: datetime, **customer: Any) -> tuple[str, str | None]:
    """Return the reason of one buyer's decision and the channel of their message."""
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store")
    buyer = make_buyer(now=now, **{"granted": GRANTED, "channels": ALL, **REACHABLE, **customer})
    [made] = run([trigger_of(buyer, store=store, now=now)], now=now)
    message = OutboxMessage.objects.first()
    assert (made.outcome == "issued") is (message is not None) is Coupon.objects.exists()
    return made.reason, message.channel if message else None


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        ({}, ("issued", "push")),
        ({"channels": ["email", "push"]}, ("issued", "email")),
        ({"channels": ["sms", "email", "push"]}, ("issued", "sms")),
        ({"phones": ()}, ("issued", "email")),
        ({"phones": (), "email": ""}, ("issued", "sms")),
        ({"phones": (), "channels": ["push"]}, ("no_device", None)),
        ({"phones": (), "email": "", "phone": ""}, ("no_device", None)),
        ({"phones": (), "email": "", "phone": "06 12 34 56 78"}, ("no_device", None)),
        ({"phones": (), "email": "", "phone": "+0612345678"}, ("no_device", None)),
        ({"granted": ["geolocation", "profiling", "sms"]}, ("issued", "sms")),
        ({"granted": ["geolocation", "profiling"]}, ("no_consent", None)),
        ({"granted": [*ALL, "profiling"]}, ("no_consent", None)),
        ({"granted": ["geolocation", "profiling", "push"], "channels": ["email"]}, ("no_consent", None)),
        ({"channels": []}, ("no_consent", None)),
    ],
)
def test_a_message_takes_the_first_way_that_is_open(
    now: datetime, customer: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    assert decide(now, **customer) == expected


@pytest.mark.parametrize("field", ["email", "phone"])
def test_an_address_known_to_be_dead_is_none(now: datetime, field: str) -> None:
    channel = {"email": "email", "phone": "sms"}[field]
    assert decide(now, channels=[channel], **{f"{field}_dead_at": now}) == ("no_device", None)


def test_a_channel_that_the_house_does_not_have_is_passed_over(now: datetime, settings: Any) -> None:
    settings.RAYON = {**settings.RAYON, "channels": ("push",)}
    assert decide(now, channels=["email", "sms", "push"]) == ("issued", "push")


def test_only_a_push_names_a_device(now: datetime) -> None:
    assert decide(now, channels=["sms", "push"]) == ("issued", "sms")
    assert OutboxMessage.objects.get().device_id is None


def test_caps_count_over_all_channels(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store")
    make_offer(now=now, ref="second", trigger_places="store")
    buyer = make_buyer(now=now, granted=GRANTED, channels=["email", "push"], **REACHABLE)
    later = now + timedelta(hours=5)

    [first] = run([trigger_of(buyer, store=store, now=now)], now=now)
    buyer.channels = ["sms"]
    buyer.save()
    visit = {"store_visit_entered_at": later - timedelta(minutes=5)}
    [second] = run([trigger_of(buyer, store=store, now=later, **visit)], now=later)

    assert (first.reason, second.reason) == ("issued", "frequency_cap")
    assert Exposure.objects.count() == OutboxMessage.objects.count() == 1


def test_a_mixed_batch_costs_as_much_as_a_batch_of_pushes(
    now: datetime, count_queries: Callable[[], AbstractContextManager[CaptureQueriesContext]]
) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store")
    orders = [["push"], ["email"], ["sms"], ["email", "push"]]
    buyers = [
        make_buyer(now=now, ref=f"C{n}", granted=GRANTED, channels=orders[n % 4], **REACHABLE)
        for n in range(40)
    ]
    triggers = [trigger_of(buyer, store=store, now=now) for buyer in buyers]
    costs = []
    for some in (triggers[:1], triggers[1:]):
        with count_queries() as seen:
            assert {made.reason for made in run(some, now=now)} == {"issued"}
        costs.append(len(seen))

    assert costs[0] == costs[1]
    taken = dict(OutboxMessage.objects.values_list("customer__ref", "channel"))
    assert taken == {f"C{n}": orders[n % 4][0] for n in range(40)}
