"""Reviews of last-minute deals take in what was really sold: by the tills' receipts, by depth, by category."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from customers.operations.purchases import record_purchases
from customers.operations.receipts import LineIn, ReceiptIn
from offers.api.serializers.deals import render_deal
from offers.models import Coupon, CouponState, DealState, Offer, Store
from offers.operations import publishing
from offers.operations.stopping import stop_deal
from offers.operations.targets import refresh_targets
from tests.integration.decisions.shop import YOGHURT, make_category, make_product, make_store
from tests.integration.decisions.test_deals import buyers, make_deal, pass_by, review

pytestmark = pytest.mark.django_db

BREAD = "3029330003533"
HOUR = timedelta(hours=1)


def receipt(
    at: datetime, quantity: str = "1", *, gtin: str = YOGHURT, store: str = "S1", **line: Any
) -> None:
    """Let a till tell of one line."""
    lines = (LineIn(gtin=gtin, quantity=Decimal(quantity), unit_price_minor=400, **line),)
    one = ReceiptIn(
        store_ref=store,
        receipt=f"{at:%H%M%S}-{gtin}",
        customer_ref=None,
        purchased_at=at,
        currency="EUR",
        lines=lines,
    )
    [result] = record_purchases([one], now=at)
    assert result.status == "accepted"


def show(offer: Offer, *steps: tuple[datetime, int | None]) -> None:
    """Let a deal have shown these depths, the last one held no longer."""
    shown = [{"at": at.isoformat(), "depth_bp": depth} for at, depth in steps]
    DealState.objects.filter(offer=offer).update(shown=shown, held_until=steps[0][0], due_at=steps[0][0])


def reviewed(offer: Offer, *, at: datetime) -> DealState:
    assert review(at) >= 1
    return DealState.objects.get(offer=offer)


def learned(offer: Offer) -> Mapping[str, Any] | None:
    answer = render_deal(Offer.objects.select_related("deal_state", "capacity").get(pk=offer.pk))
    assert answer is not None
    found: Mapping[str, Any] | None = answer["now"]["learned"]
    return found


@pytest.fixture
def store(now: datetime) -> Store:
    for gtin, brand in ((YOGHURT, "Danone"), (BREAD, "Harrys")):
        make_product(gtin=gtin, brand=brand, category=None, now=now)
    return make_store(now=now)


@pytest.mark.usefixtures("store")
def test_what_the_tills_tell_moves_the_rate_by_the_depth_that_was_shown(now: datetime) -> None:
    offer = make_deal(now=now, hours=5.0)
    show(offer, (now, 0), (now + HOUR, 4000))
    receipt(now + 0.5 * HOUR, "1")
    receipt(now + 1.5 * HOUR, "3")
    receipt(now + 1.5 * HOUR + timedelta(seconds=1), "-1")  # brought back
    receipt(now + 1.75 * HOUR, "7", gtin=BREAD)  # until then the tills told
    receipt(now + 1.6 * HOUR, "9", store="S2")  # in no store of ours
    state = reviewed(offer, at=now + 3 * HOUR)
    assert state.units_per_hour == pytest.approx((2 * 4 + 1 + 2) / (4 + 1 + 0.75 * math.e))
    assert state.seen == [
        {"depth_bp": 0, "hours": 1.0, "sold": 1.0},
        {"depth_bp": 4000, "hours": 0.75, "sold": 2.0},
    ]
    assert (state.elasticity, state.category) == (None, "")
    assert learned(offer) == {
        "expected_units_per_hour": round(11 / (5 + 0.75 * math.e), 4),
        "elasticity": 2.5,
        "sentence": {
            "fr": "Se vend moins vite que d’habitude : 1,6 au lieu de 2 par heure au prix normal.",
            "en": "Sells slower than usual: 1.6 instead of 2 an hour at the normal price.",
        },
    }


@pytest.mark.usefixtures("store")
def test_what_sells_slower_gets_deeper_and_what_sells_faster_less_deep(now: datetime) -> None:
    offers = {}
    for name in ("slow", "usual", "fast"):
        make_product(gtin=f"000000000{name}", brand=name, category=None, now=now)
        offers[name] = make_deal(now=now, hours=4.0, ref=name, target_brand=name)
        show(offers[name], (now, 0))
    refresh_targets()  # the brands as the catalogue knows them
    receipt(now + 0.5 * HOUR, gtin=BREAD)
    receipt(now + HOUR, "4", gtin="000000000usual")
    receipt(now + HOUR, "30", gtin="000000000fast")
    receipt(now + 2 * HOUR, gtin=BREAD)
    assert review(now + 2 * HOUR) == 3
    states = {name: DealState.objects.get(offer=offer) for name, offer in offers.items()}
    assert states["slow"].units_per_hour == pytest.approx(8 / 6)
    assert states["usual"].units_per_hour is None
    assert states["fast"].units_per_hour == pytest.approx(38 / 6)
    assert states["slow"].depth_bp > states["usual"].depth_bp > states["fast"].depth_bp


@pytest.mark.usefixtures("store")
def test_hours_in_which_no_till_told_anything_teach_nothing(now: datetime) -> None:
    offer = make_deal(now=now, hours=8.0)
    show(offer, (now, 0))
    silent = reviewed(offer, at=now + 2 * HOUR)
    assert (silent.units_per_hour, silent.seen, learned(offer)) == (None, [], None)
    receipt(now + 2.5 * HOUR, "2")
    receipt(now + 4.5 * HOUR, gtin=BREAD)  # nothing from 11 to 12: closed, or a till that keeps its receipts
    state = reviewed(offer, at=now + 5 * HOUR)
    assert sum(one["hours"] for one in state.seen) == pytest.approx(1.5)
    assert sum(one["sold"] for one in state.seen) == 2


def test_a_store_that_tells_nothing_leaves_a_deal_of_several_untaught(now: datetime, store: Store) -> None:
    make_store(now=now, ref="S2")
    offer = make_deal(now=now, hours=4.0)
    show(offer, (now, 0))
    receipt(now + 0.5 * HOUR, "20")
    assert reviewed(offer, at=now + HOUR).units_per_hour is None
    receipt(now + 0.75 * HOUR, "20", store="S2")
    DealState.objects.update(held_until=now, due_at=now)
    assert reviewed(offer, at=now + HOUR).units_per_hour == pytest.approx(
        (8 + 20) / (4 + 0.5)
    )  # both, until 8:30
    assert store.ref == "S1"


def test_coupons_that_were_used_are_the_least_that_was_sold(now: datetime, store: Store) -> None:
    offer = make_deal(now=now, hours=4.0, units=60)
    made = pass_by(buyers(8, now=now), store=store, now=now)
    assert {one.reason for one in made} == {"issued"}
    Coupon.objects.update(state=CouponState.REDEEMED)
    show(offer, (now, 0))
    state = reviewed(offer, at=now + 0.5 * HOUR)
    assert state.units_per_hour == pytest.approx((8 + 8) / (4 + 0.5))
    assert state.seen == []


@pytest.mark.usefixtures("store")
def test_a_pause_and_a_stop_by_hand_leave_gaps_that_are_not_counted(now: datetime) -> None:
    offer = make_deal(now=now, hours=4.0)
    first = DealState.objects.get(offer=offer).depth_bp
    publishing.pause_offer(ref=offer.ref, now=now + timedelta(minutes=10))
    publishing.resume_offer(ref=offer.ref, now=now + timedelta(minutes=20))
    second = DealState.objects.get(offer=offer).depth_bp
    stop_deal(ref=offer.ref, now=now + timedelta(minutes=30))
    assert DealState.objects.get(offer=offer).shown == [
        {"at": "2026-06-17T08:00:00Z", "depth_bp": first},
        {"at": "2026-06-17T08:10:00Z", "depth_bp": None},
        {"at": "2026-06-17T08:20:00Z", "depth_bp": second},
        {"at": "2026-06-17T08:30:00Z", "depth_bp": None},
    ]
    receipt(now + timedelta(minutes=15), "50")
    receipt(now + timedelta(minutes=25), "1")
    receipt(now + timedelta(minutes=45), "50")
    publishing.pause_offer(ref=offer.ref, now=now + timedelta(minutes=50))
    publishing.resume_offer(ref=offer.ref, now=now + timedelta(minutes=50))
    state = DealState.objects.get(offer=offer)
    assert sum(one["hours"] for one in state.seen) == pytest.approx(20 / 60)
    assert sum(one["sold"] for one in state.seen) == 1


def test_past_deals_of_a_category_share_their_elasticity(now: datetime) -> None:
    make_store(now=now)
    cheese, other = make_category(ref="cheese"), make_category(ref="bread")
    for number in range(5):
        past = make_deal(now=now, hours=4.0, ref=f"past-{number}", target_category=cheese)
        sold = {depth: 60 * math.exp(4.0 * depth / 10_000) for depth in (0, 2000, 5000)}
        seen = [{"depth_bp": depth, "hours": 1.0, "sold": units} for depth, units in sold.items()]
        publishing.end_offer(ref=past.ref, now=now)
        DealState.objects.filter(offer=past).update(seen=seen)
    offer = make_deal(now=now, hours=4.0, ref="new", target_category=cheese)
    state = DealState.objects.get(offer=offer)
    assert state.category == "cheese"
    assert state.elasticity is not None
    assert 3.5 < state.elasticity < 4.0  # the marketer's 2.5 weighs little against 15 prices
    assert state.units_per_hour is None
    found = learned(offer)
    assert found is not None
    assert (found["expected_units_per_hour"], found["sentence"]) == (2.0, None)
    make_deal(now=now, hours=4.0, ref="loaf", target_category=other)
    assert DealState.objects.get(offer__ref="loaf").elasticity is None
