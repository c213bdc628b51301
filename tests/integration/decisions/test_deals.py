"""Last-minute deals in the pipeline: what is given now, to how many, and when nobody is told any more."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from offers import locks, tasks
from offers.flow import DecisionMade
from offers.models import Capacity, Coupon, CouponState, DealState, Decision, Offer, OutboxMessage, Store
from offers.operations import publishing, retention
from offers.operations.outcomes import Refused, Written
from offers.operations.stopping import stop_deal
from offers.operations.yields import review_deals
from tests.integration.decisions.shop import (
    make_buyer,
    make_customer,
    make_offer,
    make_store,
    run,
    trigger_of,
)

pytestmark = pytest.mark.django_db

DEAL = {
    "units": 12,
    "regular_price_minor": 400,
    "floor_price_minor": 0,
    "unit_cost_minor": 0,
    "unsold_value_minor": 0,
    "expected_units_per_hour": 2.0,
    "elasticity": 2.5,
    "menu_bp": [1000, 2000, 3000, 4000, 5000],
    "perishable": True,
    "in_store_only": True,
}


def make_deal(*, now: datetime, hours: float = 2.0, ref: str = "last-minute", **changed: Any) -> Offer:
    """Make a live deal of 12 units that two an hour would buy at 4.00, reviewed at `now`."""
    until = now + timedelta(hours=hours)
    deal = {**DEAL, "deadline": until.isoformat(), **{k: v for k, v in changed.items() if k in DEAL}}
    rest = {name: value for name, value in changed.items() if name not in DEAL}
    make_offer(
        now=now,
        ref=ref,
        units=deal["units"],
        **{
            "state": "draft",
            "trigger_places": "store",
            "valid_until": until,
            "objective": "margin",
            "deal": deal,
            "benefit_value": 5000,
            "per_customer": 1,
            **rest,
        },
    )
    outcome = publishing.publish_offer(ref=ref, now=now)
    assert isinstance(outcome, Written)
    return outcome.row


def review(now: datetime) -> int:
    return review_deals(now=now, params=settings.RAYON)


def pass_by(customers: list[Customer], *, store: Store, now: datetime) -> list[DecisionMade]:
    return run([trigger_of(customer, store=store, now=now) for customer in customers], now=now)


def buyers(count: int, *, now: datetime) -> list[Customer]:
    return [make_buyer(now=now, ref=f"B{number}") for number in range(count)]


def test_the_coupon_takes_the_present_depth_and_the_score_is_kept(now: datetime) -> None:
    store, offer = make_store(now=now), make_deal(now=now)
    [made] = pass_by([make_buyer(now=now)], store=store, now=now)
    assert made.reason == "issued"
    assert made.coupon is not None
    assert made.coupon.benefit == {"kind": "percent", "value_bp": 4000, "currency": "EUR"}
    assert Coupon.objects.get().terms["benefit"]["value_bp"] == 4000
    [candidate] = Decision.objects.get().candidates
    numbers = {
        name: candidate[name] for name in ("q1", "q0", "depth_bp", "unit_price_minor", "bid_price_minor")
    }
    assert numbers == {
        "q1": 0.4341,  # odds of 0.124 · e^(2.5 · 0.4) · e^(1.15 · 0.6)
        "q0": 0.124,  # 0.02 + 0.26 · 0.4
        "depth_bp": 4000.0,
        "unit_price_minor": 400,
        "bid_price_minor": 81,
    }
    assert (candidate["gain_minor"], candidate["would_have_bought_minor"]) == (104.1874, 49.6)
    assert candidate["displaced_minor"] == pytest.approx((0.434111 - 0.124) * 81, abs=0.001)
    assert candidate["delta_minor"] == pytest.approx(
        104.1874 - 49.6 - candidate["displaced_minor"] - 2, abs=1e-3
    )
    capacity, state = Capacity.objects.get(), DealState.objects.get(offer=offer)
    assert (capacity.claimed, capacity.wave_left) == (1, state.send_now - 1)


def test_the_score_goes_by_the_elasticity_that_the_reviews_learned(now: datetime) -> None:
    store, offer = make_store(now=now), make_deal(now=now)
    DealState.objects.filter(offer=offer).update(elasticity=1.0)
    [made] = pass_by([make_buyer(now=now)], store=store, now=now)
    [candidate] = Decision.objects.get().candidates
    assert candidate["signal_elasticity"] == 1.0
    assert candidate["q1"] == 0.2963  # odds of 0.124 · e^(1 · 0.4) · e^(1.15 · 0.6)
    assert made.reason == "issued"


def test_a_scarce_unit_is_not_given_away(now: datetime) -> None:
    store = make_store(now=now)
    make_deal(now=now, hours=4.0, units=4)
    [made] = pass_by([make_buyer(now=now)], store=store, now=now)
    assert (made.outcome, made.reason) == ("none", "not_worth_sending")
    [candidate] = Decision.objects.get().candidates
    assert (candidate["depth_bp"], candidate["send_now"], candidate["bid_price_minor"]) == (0.0, 0, 386)
    assert (Coupon.objects.count(), Capacity.objects.get().claimed) == (0, 0)


def test_the_bid_price_follows_each_claim_without_a_review(now: datetime) -> None:
    store = make_store(now=now)
    make_deal(now=now)
    bids = []
    for number in range(3):
        pass_by([make_buyer(now=now, ref=f"C{number}")], store=store, now=now)
        bids.append(Decision.objects.latest("id").candidates[0]["bid_price_minor"])
    assert bids == sorted(set(bids))


def test_no_more_than_a_wave_is_told_and_the_next_waits(now: datetime) -> None:
    store, offer = make_store(now=now), make_deal(now=now, minutes_after_issue=20)
    wave = DealState.objects.get(offer=offer).send_now
    assert 0 < wave < 12
    crowd = buyers(14, now=now)
    reasons = [made.reason for made in pass_by(crowd[: wave + 2], store=store, now=now)]
    assert reasons == ["issued"] * wave + ["sold_out"] * 2
    assert Capacity.objects.get().wave_left == 0
    [late] = pass_by([crowd[wave + 2]], store=store, now=now)
    assert late.reason == "not_worth_sending"

    with time_machine.travel(now + timedelta(minutes=1), tick=False):
        tasks.review_deals(
            timestamp=0
        )  # due by the clock in a quarter of an hour only: the claims asked for it
    assert DealState.objects.get(offer=offer).claimed_seen == wave
    assert review(now + timedelta(minutes=1)) == 0
    assert Capacity.objects.get().wave_left == 0
    retention.expire_coupons(now=now + timedelta(minutes=20))  # nobody came: the units are back
    assert Capacity.objects.get().wave_left == 0
    assert review(now + timedelta(minutes=20)) == 1
    state = DealState.objects.get(offer=offer)
    assert (state.wave_number, state.claimed_seen) == (2, 0)
    assert Capacity.objects.get().wave_left == state.send_now > 0


def test_a_price_is_held_for_a_quarter_of_an_hour(now: datetime) -> None:
    store = make_store(now=now)
    offer = make_deal(now=now, hours=1.0, units=4)
    before = DealState.objects.get(offer=offer)
    assert (before.depth_bp, before.held_until) == (2000, now + timedelta(minutes=15))
    pass_by(buyers(1, now=now), store=store, now=now)
    assert review(now + timedelta(minutes=1)) == 1
    held = DealState.objects.get(offer=offer)
    assert (held.depth_bp, held.held_until) == (2000, before.held_until)
    assert held.ladder[0] == {"at": "2026-06-17T08:01:00Z", "depth_bp": 2000}
    assert all(step["at"] >= "2026-06-17T08:15:00Z" for step in held.ladder[1:])
    assert held.bid_price_minor > before.bid_price_minor
    review(now + timedelta(minutes=15))
    after = DealState.objects.get(offer=offer)
    assert after.held_until == now + timedelta(minutes=30)


def test_whoever_holds_a_coupon_holds_a_unit_for_as_long_as_it_lives(now: datetime) -> None:
    store = make_store(now=now)
    make_deal(now=now, minutes_after_issue=30, units=3, expected_units_per_hour=0.1)
    told = 0
    for number in range(6):
        [made] = pass_by([make_buyer(now=now, ref=f"C{number}")], store=store, now=now)
        told += made.reason == "issued"
        # whatever happens meanwhile: coupons that are out and what may still be given never exceed the units
        review(now + timedelta(minutes=1))
        capacity = Capacity.objects.get()
        out = Coupon.objects.filter(state=CouponState.ISSUED).count()
        assert capacity.claimed == out
        assert out + (capacity.wave_left or 0) <= 3
    assert told == Coupon.objects.count() > 0
    retention.expire_coupons(now=now + timedelta(minutes=29))
    assert Capacity.objects.get().claimed == told
    retention.expire_coupons(now=now + timedelta(minutes=31))
    assert Capacity.objects.get().claimed == 0


def test_stopping_by_hand_drops_what_waits_and_leaves_what_was_seen(now: datetime) -> None:
    store, offer = make_store(now=now), make_deal(now=now)
    other = make_deal(now=now, ref="other", target_brand="Danone", priority=-1)
    waiting, seen, late = buyers(3, now=now)
    pass_by([waiting, seen], store=store, now=now)
    OutboxMessage.objects.filter(customer=seen).update(state="sent")
    assert isinstance(stop_deal(ref=offer.ref, now=now), Written)
    assert dict(OutboxMessage.objects.values_list("customer__ref", "state")) == {
        "B0": "dropped",
        "B1": "sent",
    }
    assert OutboxMessage.objects.get(state="dropped").reason == "deal_stopped"
    assert dict(Coupon.objects.values_list("customer__ref", "state")) == {"B0": "revoked", "B1": "issued"}
    state = DealState.objects.get(offer=offer)
    assert (state.is_stopped, state.stop_reason, state.is_open, state.send_now) == (
        True,
        "by_staff",
        False,
        0,
    )
    assert Capacity.objects.get(offer=offer).claimed == 1
    assert review(now + timedelta(minutes=20)) == 1  # the other one alone
    pass_by([late], store=store, now=now)
    assert [one["reason"] for one in Decision.objects.latest("id").candidates] == [
        "issued",
        "not_worth_sending",
    ]
    assert Coupon.objects.latest("id").offer_id == other.pk

    assert isinstance(stop_deal(ref="nothing", now=now), Refused)
    publishing.pause_offer(ref=offer.ref, now=now)
    refused = stop_deal(ref=offer.ref, now=now)
    assert isinstance(refused, Refused)
    assert refused.code == "wrong_state"
    publishing.resume_offer(ref=offer.ref, now=now)
    state.refresh_from_db()
    assert (state.is_stopped, state.stop_reason, state.is_open) == (False, "", True)


def test_a_deal_stops_when_too_little_time_is_left_and_ends_at_its_deadline(now: datetime) -> None:
    store, offer = make_store(now=now), make_deal(now=now, hours=1.0)
    pass_by(buyers(1, now=now), store=store, now=now)
    for minutes, reason, is_open in ((56, "", True), (58, "too_late", True), (60, "over", False)):
        review(now + timedelta(minutes=minutes))
        state = DealState.objects.get(offer=offer)
        assert (state.stop_reason, state.is_stopped, state.is_open) == (reason, bool(reason), is_open)
    assert OutboxMessage.objects.get().reason == "deal_stopped"
    assert review(now + timedelta(hours=2)) == 0


def test_a_deal_that_sold_out_goes_on_when_units_come_back(now: datetime) -> None:
    store, offer = make_store(now=now), make_deal(now=now, units=1, expected_units_per_hour=0.1)
    [made] = pass_by(buyers(1, now=now), store=store, now=now)
    assert made.reason == "issued"
    review(now + timedelta(minutes=1))
    assert DealState.objects.get(offer=offer).stop_reason == "sold_out"
    assert OutboxMessage.objects.get().state == "queued"  # whoever holds the last unit is still to hear of it
    [other] = pass_by([make_buyer(now=now, ref="C9")], store=store, now=now)
    assert other.reason == "sold_out"
    retention.expire_coupons(now=now + timedelta(minutes=61))
    review(now + timedelta(minutes=61))
    state = DealState.objects.get(offer=offer)
    assert (state.is_stopped, state.send_now) == (False, 1)


def test_a_wave_counts_what_was_given_while_it_was_planned(now: datetime) -> None:
    from offers.operations.yields.writing import set_waves

    offer = make_deal(now=now)
    Capacity.objects.filter(offer=offer).update(claimed=5)
    set_waves({offer.pk: (4, 2)})  # four more when two were claimed; three went meanwhile
    assert Capacity.objects.get().wave_left == 1
    set_waves({offer.pk: (2, 0)})
    assert Capacity.objects.get().wave_left == 0
    with transaction.atomic():
        assert locks.claim_units({offer.pk: 3}) == {offer.pk: 0}
        locks.return_units({offer.pk: 2})
    capacity = Capacity.objects.get()
    assert (capacity.claimed, capacity.wave_left) == (3, 2)


def test_many_deals_are_reviewed_in_as_many_statements_as_one(
    now: datetime, count_queries: Callable[[], AbstractContextManager[CaptureQueriesContext]]
) -> None:
    store = make_store(now=now)
    for number in range(30):
        make_deal(now=now, ref=f"deal-{number}")
    pass_by(buyers(1, now=now), store=store, now=now)
    costs = []
    for count, later in ((30, 16), (1, 32)):
        with count_queries() as seen:
            assert review(now + timedelta(minutes=later)) == count
        costs.append(len(seen))
        DealState.objects.exclude(offer__ref="deal-7").update(due_at=now + timedelta(days=1))
    assert costs[0] == costs[1]


def test_an_offer_weighed_by_its_margin_goes_to_whom_it_pays(now: datetime) -> None:
    """Four euros that cost one and a half: 10 % off pays with who would not buy anyway, and not with who would."""
    store = make_store(now=now)
    make_offer(
        now=now,
        trigger_places="store",
        objective="margin",
        benefit_value=1000,
        unit_cost_minor=150,
        unit_price_minor=400,
        min_affinity_share=0.0,
    )
    stranger, loyal = make_customer(now=now), make_buyer(now=now, ref="loyal", share=1.0)
    reasons = [made.reason for made in pass_by([stranger, loyal], store=store, now=now)]
    assert reasons == ["issued", "not_worth_sending"]
    deltas = [one.candidates[0]["delta_minor"] for one in Decision.objects.order_by("id")]
    assert deltas[0] > 0 > deltas[1]


def test_among_equals_the_higher_delta_wins(now: datetime) -> None:
    store = make_store(now=now)
    make_deal(now=now, ref="a-small", hours=1.0, regular_price_minor=200)
    make_deal(now=now, ref="b-large", hours=1.0)
    [made] = pass_by(buyers(1, now=now), store=store, now=now)
    assert made.coupon is not None
    assert made.coupon.offer == "b-large"


def test_a_deal_costs_a_decision_what_was_learned_and_no_statement_more(
    now: datetime, count_queries: Callable[[], AbstractContextManager[CaptureQueriesContext]]
) -> None:
    store = make_store(now=now)
    offer = make_offer(now=now, units=5, trigger_places="store")
    ordinary, last_minute = buyers(2, now=now)
    with count_queries() as of_ordinary:
        pass_by([ordinary], store=store, now=now)
    publishing.end_offer(ref=offer.ref, now=now)
    make_deal(now=now)
    with count_queries() as of_deal:
        [made] = pass_by([last_minute], store=store, now=now)
    assert made.reason == "issued"
    assert len(of_deal) == len(of_ordinary) + 2  # the next baskets' chances, the response model
