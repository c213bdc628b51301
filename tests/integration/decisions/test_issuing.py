"""From triggers to rows: who gets a coupon, who reads which no, and that nothing else happens."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from django.test.utils import CaptureQueriesContext

from offers.flow import Position
from offers.models import (
    Capacity,
    Coupon,
    CouponCode,
    Decision,
    Exposure,
    OutboxMessage,
    SendingSwitch,
)
from offers.operations.dropping import drop_messages
from offers.rules.coupon_codes import grouped, normalise
from tests.integration.decisions.shop import (
    YOGHURT,
    make_aisle,
    make_buyer,
    make_category,
    make_customer,
    make_offer,
    make_phone,
    make_product,
    make_store,
    remember,
    run,
    trigger_of,
)

pytestmark = pytest.mark.django_db
BOUGHT_OFTEN = "Vous achetez souvent du Danone. Prix personnel ; le prix de base est le même pour tous."


def test_the_buyer_gets_one_coupon_one_exposure_and_one_message(now: datetime) -> None:
    store = make_store(now=now)
    aisle = make_aisle(store=store, now=now)
    offer = make_offer(now=now, units=5)
    customer = make_buyer(now=now, phones=("phone", "tablet"))
    trigger = trigger_of(customer, store=store, aisle=aisle, now=now)

    [made] = run([trigger], now=now)

    assert (made.outcome, made.reason, made.transition, made.place) == (
        "issued",
        "issued",
        "enter",
        trigger.place,
    )
    coupon = Coupon.objects.get()
    assert made.coupon is not None
    assert made.coupon.code == grouped(coupon.code)
    assert normalise(made.coupon.code) == coupon.code
    assert (made.coupon.title, made.coupon.body) == ("20 % sur Danone", "Au rayon frais")
    assert made.coupon.benefit == {"kind": "percent", "value_bp": 2000, "currency": "EUR"}
    assert made.coupon.target == {"gtins": [], "category": None, "brand": "Danone"}
    assert (made.coupon.store, made.coupon.aisle, made.coupon.state) == ("S1", "fresh", "issued")
    assert made.coupon.reason == coupon.reason == BOUGHT_OFTEN
    assert (coupon.customer_id, coupon.offer_id, coupon.state) == (customer.pk, offer.pk, "issued")
    assert (coupon.issued_at, coupon.valid_from, coupon.valid_until) == (now, now, now + timedelta(hours=1))
    assert coupon.terms["title"] == "20 % sur Danone"
    assert CouponCode.objects.get().coupon_id == coupon.pk
    decision = Decision.objects.get()
    assert (decision.outcome, decision.reason, decision.coupon_id) == ("issued", "issued", coupon.pk)
    assert str(decision.event_uid) == trigger.event_id
    assert [one["reason"] for one in decision.candidates] == ["issued"]
    assert decision.candidates[0]["affinity_share"] == 0.4
    exposure = Exposure.objects.get()
    assert (exposure.arm, exposure.coupon_id, exposure.decision_id) == ("treated", coupon.pk, decision.pk)
    message = OutboxMessage.objects.select_related("device").get()
    assert message.device is not None
    assert (message.state, message.channel, message.device.device_id) == ("queued", "push", "phone")
    assert (message.due_at, message.expires_at) == (now, now + timedelta(minutes=15))
    assert Capacity.objects.get().claimed == 1


def test_the_neighbour_who_never_bought_reads_not_relevant_even_at_night(now: datetime) -> None:
    store = make_store(now=now, opening_hours="Mo-Su 08:00-20:00")
    aisle = make_aisle(store=store, now=now)
    make_offer(now=now)
    neighbour = make_buyer(now=now, brand="Yoplait", has_own_quiet_hours=False)
    night = now + timedelta(hours=13)

    [made] = run([trigger_of(neighbour, store=store, aisle=aisle, now=night)], now=night)

    assert (made.outcome, made.reason, made.coupon) == ("none", "not_relevant", None)
    assert Decision.objects.get().candidates[0]["affinity_share"] == 0
    assert not Coupon.objects.exists()
    assert not Exposure.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_brand_s_buyer_is_relevant_for_its_product_but_has_not_bought_it(now: datetime) -> None:
    store = make_store(now=now)
    make_product(gtin=YOGHURT, brand="Danone", category=make_category(ref="yoghurts"), now=now)
    make_offer(now=now, ref="any", target_gtins=[YOGHURT], trigger_places="store")
    customer = make_buyer(now=now)
    [made] = run([trigger_of(customer, store=store, now=now)], now=now)
    assert made.coupon is not None
    assert made.coupon.reason == BOUGHT_OFTEN
    make_offer(
        now=now,
        ref="again",
        target_gtins=[YOGHURT],
        trigger_places="store",
        bought_within_days=90,
        priority=9,
    )
    other = make_buyer(now=now, ref="C2")
    run([trigger_of(other, store=store, now=now)], now=now)
    candidates = Decision.objects.get(customer=other).candidates
    assert [(one["offer"], one["reason"]) for one in candidates] == [
        ("any", "issued"),
        ("again", "not_relevant"),
    ]


def test_a_category_counts_with_its_whole_subtree(now: datetime) -> None:
    store = make_store(now=now)
    dairy = make_category(ref="dairy")
    yoghurts = make_category(ref="yoghurts", parent=dairy)
    make_category(ref="greek", parent=yoghurts)
    make_offer(now=now, target_category=dairy, trigger_places="store", min_affinity_share=0.25)
    customer = make_customer(now=now)
    remember(customer=customer, kind="category", key="greek", share=0.2, now=now)
    remember(customer=customer, kind="category", key="yoghurts", share=0.1, now=now)
    less = make_customer(now=now, ref="C2")
    remember(customer=less, kind="category", key="greek", share=0.2, now=now)
    made = run([trigger_of(one, store=store, now=now) for one in (customer, less)], now=now)
    assert [one.reason for one in made] == ["issued", "not_relevant"]
    assert Decision.objects.get(customer=customer).candidates[0]["affinity_share"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("aisle_category", "reason"),
    [
        (None, "issued"),  # nothing is known of the aisle
        ("yoghurts", "issued"),  # the target itself
        ("greek", "issued"),  # below it
        ("dairy", "issued"),  # above it
        ("wine", "no_offer"),
    ],
)
def test_an_aisle_fires_offers_on_what_stands_in_it(
    now: datetime, aisle_category: str | None, reason: str
) -> None:
    dairy = make_category(ref="dairy")
    yoghurts = make_category(ref="yoghurts", parent=dairy)
    known = {
        "dairy": dairy,
        "yoghurts": yoghurts,
        "greek": make_category(ref="greek", parent=yoghurts),
        "wine": make_category(ref="wine"),
    }
    store = make_store(now=now)
    aisle = make_aisle(store=store, now=now, categories=[known[aisle_category]] if aisle_category else [])
    make_offer(now=now, target_category=yoghurts, min_affinity_share=0)
    [made] = run([trigger_of(make_customer(now=now), store=store, aisle=aisle, now=now)], now=now)
    assert made.reason == reason


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "paused"},
        {"state": "draft"},
        {"trigger_places": "store"},
        {"trigger_on": "dwell"},
        {"all_stores": False},
        {"valid_from_in": timedelta(seconds=1)},
        {"valid_until_in": timedelta(0)},
        {"removed": True},
    ],
)
def test_an_offer_that_is_not_live_here_and_now_is_no_candidate(
    now: datetime, changed: dict[str, object]
) -> None:
    store = make_store(now=now)
    aisle = make_aisle(store=store, now=now)
    values = dict(changed)
    if "valid_from_in" in values:
        values["valid_from"] = now + values.pop("valid_from_in")  # type: ignore[operator]
    if "valid_until_in" in values:
        values["valid_until"] = now + values.pop("valid_until_in")  # type: ignore[operator]
    if values.pop("removed", False):
        values["removed_at"] = now
    make_offer(now=now, **values)
    [made] = run([trigger_of(make_buyer(now=now), store=store, aisle=aisle, now=now)], now=now)
    assert made.reason == "no_offer"
    assert Decision.objects.get().candidates == []


def test_an_offer_of_listed_stores_fires_in_those_alone(now: datetime) -> None:
    here, there = make_store(now=now), make_store(now=now, ref="S2")
    offer = make_offer(now=now, all_stores=False, trigger_places="store")
    offer.stores.add(here)
    made = run(
        [
            trigger_of(make_buyer(now=now, ref="C1"), store=here, now=now),
            trigger_of(make_buyer(now=now, ref="C2"), store=there, now=now),
        ],
        now=now,
    )
    assert [one.reason for one in made] == ["issued", "no_offer"]


@pytest.mark.parametrize(
    ("lat", "reason"),
    [(48.851, "issued"), (48.853, "no_offer"), (None, "issued")],  # 111 m, 334 m, unknown
)
def test_a_store_s_offer_may_ask_for_a_distance(now: datetime, lat: float | None, reason: str) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store", within_m=200)
    customer = make_buyer(now=now)
    position = None if lat is None else Position(lat=lat, lon=2.33, accuracy_m=10)
    [made] = run([trigger_of(customer, store=store, now=now, position=position)], now=now)
    assert made.reason == reason


def test_at_an_aisle_a_beacon_knows_better_than_a_position(now: datetime) -> None:
    store = make_store(now=now)
    aisle = make_aisle(store=store, now=now)
    make_offer(now=now, within_m=10)
    customer = make_buyer(now=now)
    position = Position(lat=48.853, lon=2.33, accuracy_m=10)
    [made] = run([trigger_of(customer, store=store, aisle=aisle, now=now, position=position)], now=now)
    assert made.reason == "issued"


def test_a_refusal_is_kept_and_no_offer_is_looked_at(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store")
    customer = make_buyer(now=now)
    stale = trigger_of(customer, store=store, now=now, refusal="stale")
    torn = trigger_of(
        customer, store=store, now=now, refusal="implausible_location", transition=None, place=None
    )
    made = run([stale, torn], now=now)
    assert [(one.reason, one.transition, one.place) for one in made] == [
        ("stale", "enter", stale.place),
        ("implausible_location", None, None),
    ]
    assert list(Decision.objects.order_by("id").values_list("transition", "candidates")) == [
        ("enter", []),
        ("", []),
    ]


def test_a_second_message_in_the_same_store_visit_is_capped(now: datetime) -> None:
    store = make_store(now=now)
    aisle = make_aisle(store=store, now=now)
    make_offer(now=now, ref="one")
    make_offer(now=now, ref="two")
    customer = make_buyer(now=now, max_pushes_per_day=9, max_pushes_per_week=9)
    first = run([trigger_of(customer, store=store, aisle=aisle, now=now)], now=now)
    later = now + timedelta(hours=5)  # the gap between two messages is over
    same_visit = trigger_of(
        customer, store=store, aisle=aisle, now=later, store_visit_entered_at=now - timedelta(minutes=5)
    )
    next_visit = trigger_of(customer, store=store, aisle=aisle, now=later, store_visit_entered_at=later)
    assert [one.reason for one in first + run([same_visit], now=later)] == ["issued", "frequency_cap"]
    assert [one.reason for one in run([next_visit], now=later)] == ["issued"]


def test_without_a_limit_a_customer_holds_one_live_coupon_of_an_offer(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store", minutes_after_issue=600)
    customer = make_buyer(now=now, max_pushes_per_day=9, max_pushes_per_week=9)
    reasons = []
    for hours in (0, 5, 11):
        at = now + timedelta(hours=hours)
        trigger = trigger_of(customer, store=store, now=at, store_visit_entered_at=at)
        reasons.append(run([trigger], now=at)[0].reason)
    assert reasons == ["issued", "already_issued", "issued"]


def test_a_limit_per_days_counts_coupons_of_those_days(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(
        now=now,
        trigger_places="store",
        per_customer=1,
        per_customer_per_days=2,
        valid_until=now + timedelta(days=30),
    )
    customer = make_buyer(now=now)
    reasons = []
    for hours in (0, 24, 47, 49):
        at = now + timedelta(hours=hours)
        trigger = trigger_of(customer, store=store, now=at, store_visit_entered_at=at)
        reasons.append(run([trigger], now=at)[0].reason)
    assert reasons == ["issued", "already_issued", "already_issued", "issued"]


def test_a_held_out_customer_is_counted_like_the_others_but_gets_nothing(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store", holdout_share=1.0, units=5)
    customer = make_buyer(now=now, max_pushes_per_day=1)
    [made] = run([trigger_of(customer, store=store, now=now)], now=now)
    assert (made.outcome, made.reason, made.coupon) == ("none", "holdout", None)
    exposure = Exposure.objects.get()
    assert (exposure.arm, exposure.coupon_id, exposure.decision.reason) == ("holdout", None, "holdout")
    assert Capacity.objects.get().claimed == 0
    assert not OutboxMessage.objects.exists()
    later = now + timedelta(hours=5)
    [again] = run([trigger_of(customer, store=store, now=later, store_visit_entered_at=later)], now=later)
    assert again.reason == "frequency_cap"


def test_what_is_gone_goes_to_the_next_best_and_then_is_sold_out(now: datetime) -> None:
    store = make_store(now=now)
    best = make_offer(now=now, ref="best", trigger_places="store", priority=5, units=1)
    next_best = make_offer(now=now, ref="next", trigger_places="store", units=1)
    customers = [make_buyer(now=now, ref=f"C{number}") for number in range(3)]
    made = run([trigger_of(one, store=store, now=now) for one in customers], now=now)
    assert [(one.reason, one.coupon and one.coupon.offer) for one in made] == [
        ("issued", "best"),
        ("issued", "next"),
        ("sold_out", None),
    ]
    assert dict(Capacity.objects.values_list("offer_id", "claimed")) == {best.pk: 1, next_best.pk: 1}
    reasons = [[one["reason"] for one in row.candidates] for row in Decision.objects.order_by("id")]
    assert reasons == [["issued", "frequency_cap"], ["sold_out", "issued"], ["sold_out", "sold_out"]]


def test_units_claimed_for_second_wishes_are_given_back(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, ref="best", trigger_places="store", priority=5, units=5)
    make_offer(now=now, ref="next", trigger_places="store", units=5)
    run([trigger_of(make_buyer(now=now), store=store, now=now)], now=now)
    assert dict(Capacity.objects.values_list("offer__ref", "claimed")) == {"best": 1, "next": 0}


def test_the_message_goes_to_the_sending_phone_else_to_the_one_last_seen(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store")
    sends = make_buyer(now=now, ref="C1", phones=("new", "old"))
    deadline = make_buyer(now=now, ref="C2", phones=("new", "old"))
    silent = make_buyer(now=now, ref="C3", phones=("new",))
    gone = make_phone(customer=silent, device_id="gone", seen_at=now + timedelta(hours=1), now=now)
    gone.fcm = None
    gone.save(update_fields=["fcm"])
    run(
        [
            trigger_of(sends, store=store, now=now, device_id="old"),
            trigger_of(deadline, store=store, now=now, device_id=None, event_id=None),
            trigger_of(silent, store=store, now=now, device_id="gone"),
        ],
        now=now,
    )
    chosen = dict(OutboxMessage.objects.values_list("customer__ref", "device__device_id"))
    assert chosen == {"C1": "old", "C2": "new", "C3": "new"}


def test_the_one_switch_stops_everybody(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store")
    SendingSwitch.objects.update_or_create(id=1, defaults={"is_stopped": True})
    [made] = run([trigger_of(make_buyer(now=now), store=store, now=now)], now=now)
    assert made.reason == "paused"


def test_english_is_spoken_where_it_is_asked_for_and_french_where_it_is_all_there_is(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store", title={"fr": "20 %", "en": "20% off"}, body={"fr": "Frais"})
    [made] = run([trigger_of(make_buyer(now=now, language="en"), store=store, now=now)], now=now)
    assert made.coupon is not None
    assert (made.coupon.title, made.coupon.body, made.coupon.reason) == (
        "20% off",
        "Frais",
        "You often buy Danone. A personal price; the base price is the same for everybody.",
    )


def test_dropping_a_message_gives_back_what_it_used_exactly_once(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store", units=1)
    customer = make_buyer(now=now)
    run([trigger_of(customer, store=store, now=now)], now=now)
    message = OutboxMessage.objects.get()
    assert [drop_messages([message.pk], reason="left_store", now=now) for _ in range(2)] == [1, 0]
    message.refresh_from_db()
    coupon = Coupon.objects.get()
    assert (message.state, message.reason, message.finished_at) == ("dropped", "left_store", now)
    assert (coupon.state, coupon.revoked_reason) == ("revoked", "left_store")
    assert Exposure.objects.get().voided_at == now
    assert Capacity.objects.get().claimed == 0
    [made] = run([trigger_of(customer, store=store, now=now)], now=now)
    assert made.reason == "issued"


@pytest.mark.parametrize("held", [{"opened": True}, {"state": "redeemed"}, {"state": "reserved"}])
def test_a_coupon_that_somebody_holds_survives_its_message(now: datetime, held: dict[str, object]) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store", units=1)
    run([trigger_of(make_buyer(now=now), store=store, now=now)], now=now)
    Coupon.objects.update(opened_at=now if "opened" in held else None, state=held.get("state", "issued"))
    assert drop_messages([OutboxMessage.objects.get().pk], reason="late", now=now) == 1
    assert Coupon.objects.get().state == held.get("state", "issued")
    assert Exposure.objects.get().voided_at is None
    assert Capacity.objects.get().claimed == 1


def test_a_batch_of_200_costs_as_many_queries_as_a_batch_of_2(
    now: datetime, count_queries: Callable[[], AbstractContextManager[CaptureQueriesContext]]
) -> None:
    store = make_store(now=now)
    aisle = make_aisle(store=store, now=now)
    for number in range(5):
        make_offer(now=now, ref=f"offer-{number}", priority=number, units=500)
    counts = []
    for size in (2, 200):
        triggers = [
            trigger_of(make_buyer(now=now, ref=f"C{size}-{number}"), store=store, aisle=aisle, now=now)
            for number in range(size)
        ]
        with count_queries() as seen:
            made = run(triggers, now=now)
        assert {one.reason for one in made} == {"issued"}
        counts.append(
            len(seen) - 2
        )  # without the savepoint that the test's own transaction makes of the batch's
    # facts; find: offers here, histories, terms;
    # issue: claim, give back, ids, codes, coupons, decisions, exposures, messages, notify
    assert counts == [13, 13]
