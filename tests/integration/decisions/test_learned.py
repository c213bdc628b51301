"""What was learned, in the decision: the model in use, rhythms, next baskets, counts, and a share left to chance."""

import math
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Affinity, Customer, Profile, UsualRhythm
from offers.flow import DecisionMade, Position
from offers.models import (
    CustomerResponses,
    Decision,
    NextBasket,
    Offer,
    OfferResponses,
    ResponseModel,
    Store,
)
from offers.operations.policies import judge_policy
from offers.rules.response import COLD, Signals, model_from_json, model_to_json, response, signals_from
from tests.integration.decisions.shop import make_buyer, make_offer, make_product, make_store, run, trigger_of

pytestmark = pytest.mark.django_db

CountQueries = Callable[[], AbstractContextManager[CaptureQueriesContext]]


def make_margin_offer(*, now: datetime, **changed: Any) -> Offer:
    """Make an offer of 20 % off goods of 4.00 that cost 1.00, weighed by its margin."""
    values = {
        "objective": "margin",
        "unit_price_minor": 400,
        "unit_cost_minor": 100,
        "trigger_places": "store",
        "min_affinity_share": 0.0,
    }
    return make_offer(now=now, **{**values, **changed})


def enter(customer: Customer, *, store: Store, now: datetime, **changed: Any) -> DecisionMade:
    [made] = run([trigger_of(customer, store=store, now=now, **changed)], now=now)
    return made


def kept() -> dict[str, Any]:
    """Return the one candidate of the one decision."""
    [candidate] = Decision.objects.get().candidates
    return candidate


def put_to_use(*, now: datetime, version: int = 7, **weights: float) -> None:
    parameters = model_to_json(COLD)
    parameters["weights"] |= weights
    ResponseModel.objects.create(
        version=version, parameters=parameters, is_current=True, exposures=500, figures={}, trained_at=now
    )


def test_the_model_in_use_answers_and_its_version_is_kept(now: datetime) -> None:
    store, _ = make_store(now=now), make_margin_offer(now=now)
    buyer = make_buyer(now=now)
    put_to_use(now=now, push_stranger=0.0, push_depth=0.0)  # it was learned that a push moves nobody
    made = enter(buyer, store=store, now=now)
    assert made.reason == "not_worth_sending"
    found = kept()
    assert (found["response_version"], found["q1"], found["q0"]) == (7, 0.124, 0.124)
    assert found["delta_minor"] == pytest.approx(0.124 * (320 - 100) - 0.124 * 300 - 2, abs=1e-3)


def test_before_anything_was_learned_the_guess_answers(now: datetime) -> None:
    store, _ = make_store(now=now), make_margin_offer(now=now)
    made = enter(make_buyer(now=now), store=store, now=now)
    assert made.reason == "issued"
    found = kept()
    assert (found["response_version"], found["q1"], found["q0"]) == (0, 0.2759, 0.124)


def test_what_the_decision_knew_is_what_training_reads(now: datetime) -> None:
    store = make_store(now=now)
    make_product(gtin="1", brand="Danone", category=None, now=now)
    offer = make_margin_offer(now=now, target_gtins=["1"], valid_until=now + timedelta(minutes=30))
    buyer = make_buyer(now=now)
    Profile.objects.filter(customer=buyer).update(listed_lines=15, discounted_lines=9)
    Affinity.objects.create(
        customer=buyer,
        kind="product",
        key="1",
        weight=100.0,
        purchases=4,
        first_bought_at=now - timedelta(days=38),
        last_bought_at=now - timedelta(days=8),
    )
    UsualRhythm.objects.create(kind="product", key="1", intervals=10, days=140.0)
    CustomerResponses.objects.create(customer=buyer, shown=20, answered=9, counted_at=now)
    OfferResponses.objects.create(offer=offer, shown=80, answered=9, counted_at=now)
    NextBasket.objects.create(
        customer=buyer,
        gtins=["1", "2"],
        chances=[0.25, 0.9],
        own=[0.0, 0.0],
        alike=[0.0, 0.0],
        together=[0.0, 0.0],
        popular=[0.0, 0.0],
        computed_at=now,
    )
    enter(buyer, store=store, now=now, position=Position(lat=48.8527, lon=2.33, accuracy_m=10))

    found = signals_from(kept())
    # (2 · 14 + 30) / (2 + 3) days between two, eight gone by; 1 − F(t) = (1 + 2t / mean) · e^(−2t / mean)
    mean = 58 / 5
    due = 1 - math.exp(-4 / mean) * (1 + 20 / mean) / (1 + 16 / mean)
    assert kept()["mean_days"] == mean
    assert found == Signals(
        personal_rate=0.25,  # (0.05 · 20 + 9) / 40
        offer_rate=0.1,
        affinity_share=0.4,
        basket_chance=0.25,
        due_ratio=pytest.approx(due / (2 / mean), abs=1e-5),
        discount_share=0.5,  # (0.2 · 5 + 9) / 20
        depth=0.2,
        distance_km=0.3,
        hours_left=0.5,
    )
    q1, q0 = response(found, COLD)
    assert (kept()["q1"], kept()["q0"]) == (round(q1, 4), round(q0, 4))


def test_without_consent_to_profiling_nothing_of_the_history_is_read(now: datetime) -> None:
    store, offer = make_store(now=now), make_margin_offer(now=now)
    buyer = make_buyer(now=now, granted=["push", "geolocation"])
    Profile.objects.filter(customer=buyer).update(listed_lines=15, discounted_lines=9)
    CustomerResponses.objects.create(customer=buyer, shown=20, answered=9, counted_at=now)
    OfferResponses.objects.create(offer=offer, shown=80, answered=9, counted_at=now)
    enter(buyer, store=store, now=now)
    assert signals_from(kept()) == Signals(offer_rate=0.1, depth=0.2)


@pytest.mark.parametrize(("days", "reason"), [(3, "not_worth_sending"), (5, "issued")])
def test_who_has_just_bought_it_is_not_told_of_a_margin_offer(now: datetime, days: int, reason: str) -> None:
    """Every ten days: less than five is too soon."""
    store, _ = make_store(now=now), make_margin_offer(now=now)
    buyer = make_buyer(now=now, share=0.1)
    last = now - timedelta(days=days)
    Affinity.objects.update(purchases=4, first_bought_at=last - timedelta(days=30), last_bought_at=last)
    assert enter(buyer, store=store, now=now).reason == reason
    assert (kept()["since_days"], kept()["mean_days"], kept()["delta_minor"] > 0) == (days, 10.0, True)


def test_a_reward_is_given_all_the_same_and_teaches(now: datetime) -> None:
    store, _ = make_store(now=now), make_offer(now=now, trigger_places="store")
    buyer = make_buyer(now=now)
    last = now - timedelta(days=1)
    Affinity.objects.update(purchases=4, first_bought_at=last - timedelta(days=30), last_bought_at=last)
    assert enter(buyer, store=store, now=now).reason == "issued"
    found = signals_from(kept())
    assert (found.affinity_share, found.depth) == (0.4, 0.2)
    assert found.due_ratio < 1
    assert "delta_minor" not in kept()


def test_the_next_basket_is_logged_as_what_was_asked_and_of_a_reward_as_nothing(now: datetime) -> None:
    """Weighed and not among the twenty: unlikely. A reward in the same batch: unknown, whatever the basket holds."""
    store = make_store(now=now)
    make_product(gtin="1", brand="Danone", category=None, now=now)
    make_margin_offer(now=now, ref="weighed", target_gtins=["2"])
    make_offer(now=now, ref="reward", target_gtins=["1"], trigger_places="store", min_affinity_share=0.0)
    buyer = make_buyer(now=now)
    parts: dict[str, Any] = {name: [0.0] for name in ("own", "alike", "together", "popular")}
    NextBasket.objects.create(customer=buyer, gtins=["1"], chances=[0.9], **parts, computed_at=now)

    enter(buyer, store=store, now=now)

    logged = {one["offer"]: one for one in Decision.objects.get().candidates}
    assert logged["weighed"]["signal_basket_chance"] == 0.0
    assert "signal_basket_chance" not in logged["reward"]
    assert signals_from(logged["weighed"]).basket_chance == 0.0
    assert signals_from(logged["reward"]).basket_chance is None


def test_a_hundred_weighed_customers_cost_as_many_statements_as_one(
    now: datetime, count_queries: CountQueries
) -> None:
    store = make_store(now=now)
    for number in range(3):
        make_margin_offer(now=now, ref=f"m{number}", priority=number)
    put_to_use(now=now, push_stranger=1.0)
    buyers = [make_buyer(now=now, ref=f"B{number}") for number in range(101)]
    costs = []
    for group in (buyers[:1], buyers[1:]):
        triggers = [trigger_of(one, store=store, now=now) for one in group]
        with count_queries() as seen:
            assert {made.reason for made in run(triggers, now=now)} == {"issued"}
        costs.append(len(seen))
    assert costs[0] == costs[1]


def test_where_nothing_is_weighed_nothing_learned_is_asked_for(now: datetime) -> None:
    store, _ = make_store(now=now), make_offer(now=now, trigger_places="store")
    buyer, asked = make_buyer(now=now), []

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        enter(buyer, store=store, now=now)
    said = " ".join(asked)
    assert "offers_offer " in said
    assert "offers_responsemodel" not in said
    assert "offers_nextbasket" not in said


def test_a_share_of_the_choices_is_left_to_chance_and_logged(now: datetime, settings: Any) -> None:
    settings.RAYON = {**settings.RAYON, "exploration_share": 0.2}
    store = make_store(now=now)
    good, poor = (make_offer(now=now, ref=ref, trigger_places="store") for ref in ("good", "poor"))
    make_offer(now=now, ref="lesser", trigger_places="store", priority=-1)
    OfferResponses.objects.create(offer=good, shown=1000, answered=100, counted_at=now)
    OfferResponses.objects.create(offer=poor, shown=1000, answered=20, counted_at=now)
    buyers = [make_buyer(now=now, ref=f"B{number}") for number in range(200)]
    made = run([trigger_of(one, store=store, now=now) for one in buyers], now=now)
    shown = Counter(one.coupon.offer for one in made if one.coupon)
    assert shown.keys() == {"good", "poor"}
    assert shown["poor"] == pytest.approx(20, abs=12)  # half of the share
    for decision in Decision.objects.all():
        first, *rest = decision.candidates
        chances = {one["offer"]: one.get("propensity") for one in (first, *rest)}
        assert chances["good"] == pytest.approx(0.9, abs=1e-4)
        assert chances["poor"] == pytest.approx(0.1, abs=1e-4)
        assert chances["lesser"] is None
        assert (first["offer"], first["reason"]) == (decision.offer.ref, "issued")
        assert {one["reason"] for one in rest} == {"frequency_cap"}
    judged = judge_policy(model=COLD, since=now - timedelta(days=1), now=now + timedelta(days=8))
    assert (judged.estimates.decisions, judged.without_propensity) == (200, 0)


def test_where_the_first_choice_was_sold_out_no_chance_is_logged(now: datetime, settings: Any) -> None:
    settings.RAYON = {**settings.RAYON, "exploration_share": 1.0}
    store = make_store(now=now)
    for ref, units in (("a", 1), ("b", 20)):
        make_offer(now=now, ref=ref, trigger_places="store", units=units)
    buyers = [make_buyer(now=now, ref=f"B{number}") for number in range(8)]
    made = run([trigger_of(one, store=store, now=now) for one in buyers], now=now)
    assert [one.reason for one in made] == ["issued"] * 8
    with_chance = without = 0
    for decision in Decision.objects.all():
        logged = [one for one in decision.candidates if "propensity" in one]
        fell_back = any(one["reason"] == "sold_out" for one in decision.candidates)
        assert len(logged) == (0 if fell_back else 2)
        with_chance, without = with_chance + (not fell_back), without + fell_back
    assert (with_chance + without, without > 0) == (8, True)


def test_by_default_chance_chooses_nothing(now: datetime) -> None:
    assert settings.RAYON["exploration_share"] == 0.0
    store = make_store(now=now)
    for ref in ("a", "b"):
        make_offer(now=now, ref=ref, trigger_places="store")
    made = enter(make_buyer(now=now), store=store, now=now)
    assert made.coupon is not None
    assert made.coupon.offer == "a"
    assert not [one for one in Decision.objects.get().candidates if "propensity" in one]


def test_a_kept_model_with_an_unknown_column_still_answers(now: datetime) -> None:
    """A version of earlier code has weights that this code does not know: they are left out."""
    parameters = model_to_json(COLD)
    parameters["weights"]["alive"] = 0.3
    assert model_from_json(parameters, version=3).weights == COLD.weights
