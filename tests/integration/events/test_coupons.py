"""From a beacon to a coupon through the whole pipeline, and the same coupon for the same event again."""

import pytest
from django.conf import settings

from offers import pipeline
from offers.models import Beacon, Coupon, Decision, OutboxMessage
from tests.integration.decisions import shop
from tests.integration.events.world import BEACONS, Phone, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def phones() -> tuple[Phone, Phone]:
    """The phones of a customer who buys the brand, and of a neighbour who never did."""
    now = at(0)
    store = shop.make_store(now=now)
    aisle = shop.make_aisle(store=store, now=now)
    Beacon.objects.create(aisle=aisle, uuid=BEACONS, major=1, minor=1)
    shop.make_offer(now=now)
    buyer = shop.make_buyer(now=now, ref="buyer")
    neighbour = shop.make_customer(now=now, ref="neighbour")
    return Phone(buyer.pk), Phone(neighbour.pk)


def test_the_buyer_gets_the_coupon_and_the_neighbour_the_reason(phones):
    buyer, neighbour = phones
    bought, never = pipeline.run([buyer.beacon(0), neighbour.beacon(0)], now=at(1), params=settings.RAYON)
    assert [each.reason for each in bought.decisions] == ["no_offer", "issued"]
    assert [each.reason for each in never.decisions] == ["no_offer", "not_relevant"]
    assert (Coupon.objects.get().customer_id, OutboxMessage.objects.count()) == (buyer.customer_id, 1)


def test_the_same_event_again_brings_the_first_coupon_and_changes_nothing(phones):
    event = phones[0].beacon(0)
    (first,) = pipeline.run([event], now=at(1), params=settings.RAYON)
    (again,) = pipeline.run([event], now=at(60), params=settings.RAYON)
    assert (again.status, again.decisions) == ("duplicate", first.decisions)
    assert (Coupon.objects.count(), OutboxMessage.objects.count(), Decision.objects.count()) == (1, 1, 2)


def test_the_first_coupon_comes_back_as_expired_when_its_time_is_over(phones):
    event = phones[0].beacon(0)
    pipeline.run([event], now=at(1), params=settings.RAYON)
    (again,) = pipeline.run([event], now=at(90 * 60), params=settings.RAYON)
    assert again.decisions[1].coupon.state == "expired"
