"""The response model learned from rows of the database, its versions, and another rule judged on logged decisions."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from customers.models import Purchase, PurchaseLine
from offers.models import CustomerResponses, Exposure, OfferResponses, ResponseModel
from offers.operations import response as operation
from offers.operations.policies import judge_policy, model_of
from offers.operations.response import count_responses, train_response, use_response_model
from offers.queries.targeting import get_response_model
from offers.rules.response import COLD, Signals, model_to_json, response
from tests.integration.decisions.shop import (
    make_category,
    make_customer,
    make_offer,
    make_product,
    make_store,
)
from tests.integration.targeting.exposures import Shown, expose, make_people

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def exposed(now: datetime) -> list[Exposure]:
    """Six hundred exposures of a customer each: the treated lead to a purchase in 40 %, the held-out in 10 %."""
    offer = make_offer(now=now, target_gtins=["1"])
    chance = random.Random(3)
    kept = {"offer": offer.ref, "reason": "issued", **Signals(affinity_share=0.3, depth=0.2).numbers()}
    shown = []
    for number, person in enumerate(make_people(count=600, now=now)):
        arm = "treated" if chance.random() < 0.6 else "holdout"
        shown.append(
            Shown(
                customer=person,
                at=now - timedelta(days=80) + timedelta(hours=2 * number),
                offer=offer,
                candidates=[{"offer": "other", "reason": "sold_out"}, kept],
                arm=arm,
                has_bought=chance.random() < (0.4 if arm == "treated" else 0.1),
            )
        )
    return expose(shown, store=make_store(now=now))


def test_what_a_push_changes_is_learned_from_both_arms(
    now: datetime, exposed: list[Exposure], count_queries: Any
) -> None:
    with count_queries() as seen:
        learned = train_response(now=now)

    # savepoint, time limit, exposures, release; savepoint, lock, the model in use, the last version, what was in use,
    # the new row, release
    assert len(seen) == 11
    assert learned is not None
    assert (learned.exposures, learned.is_better) == (600, True)
    row = ResponseModel.objects.get()
    assert (row.version, row.is_current, row.exposures, row.trained_at) == (1, True, 600, now)
    assert set(row.figures) == {"log_loss", "log_loss_before", "calibration_error", "auc"}
    assert 0.0 < row.figures["calibration_error"] < 0.15
    assert row.figures["log_loss"] < row.figures["log_loss_before"]
    model = get_response_model()
    assert model == learned.model
    q1, q0 = response(Signals(affinity_share=0.3, depth=0.2), model)
    assert q1 == pytest.approx(0.4, abs=0.08)
    assert q0 == pytest.approx(0.1, abs=0.05)


def _counts() -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """Return (shown, answered) by the customer's and by the offer's ref."""
    customers = CustomerResponses.objects.values_list("customer__ref", "shown", "answered")
    offers = OfferResponses.objects.values_list("offer__ref", "shown", "answered")
    return {ref: (shown, answered) for ref, shown, answered in customers}, {
        ref: (shown, answered) for ref, shown, answered in offers
    }


def test_responses_are_counted_by_customer_and_by_offer_and_counted_anew(
    now: datetime, count_queries: Any
) -> None:
    yoghurt, coffee = (
        make_offer(now=now, ref=ref, target_gtins=[gtin]) for ref, gtin in (("y", "1"), ("c", "2"))
    )
    ann, bob = make_people(count=2, now=now)
    store = make_store(now=now)
    rows = [
        (ann, yoghurt, "1", 20, "treated", True),
        (ann, coffee, "2", 12, "treated", False),
        (bob, yoghurt, "1", 80, "treated", False),
        (bob, yoghurt, "1", 30, "holdout", True),  # nobody told them
        (bob, coffee, "2", 6, "treated", True),  # anything may still come of it
    ]
    expose(
        [
            Shown(
                customer=who,
                at=now - timedelta(days=days),
                offer=offer,
                candidates=[],
                arm=arm,
                has_bought=bought,
                gtin=gtin,
            )
            for who, offer, gtin, days, arm, bought in rows
        ],
        store=store,
    )
    with count_queries() as seen:
        assert count_responses(now=now) == (2, 2)
    # savepoint, lock, time limit, the counts, what has none any more (2), release
    assert len(seen) == 7
    assert _counts() == ({ann.ref: (2, 1), bob.ref: (1, 0)}, {"y": (2, 1), "c": (1, 0)})

    later = now + timedelta(days=15)
    type(ann).objects.filter(pk=ann.pk).update(granted=["push", "geolocation"])
    assert count_responses(now=later) == (1, 1)
    assert _counts() == ({bob.ref: (1, 1)}, {"c": (1, 1)})


def test_the_same_exposures_again_make_a_version_that_is_kept_and_not_used(
    now: datetime, exposed: list[Exposure]
) -> None:
    train_response(now=now)
    again = train_response(now=now)
    assert again is not None
    assert not again.is_better
    assert list(ResponseModel.objects.order_by("version").values_list("version", "is_current")) == [
        (1, True),
        (2, False),
    ]


def test_what_may_not_teach_does_not(now: datetime, exposed: list[Exposure]) -> None:
    """Voided, without consent, too fresh, too old: each leaves the count."""
    first, second, third, fourth = exposed[:4]
    Exposure.objects.filter(pk=first.pk).update(voided_at=now)
    type(second.customer).objects.filter(pk=second.customer_id).update(granted=["push", "geolocation"])
    Exposure.objects.filter(pk=third.pk).update(exposed_at=now - WEEK + timedelta(minutes=1))
    Exposure.objects.filter(pk=fourth.pk).update(exposed_at=now - timedelta(days=91))
    learned = train_response(now=now)
    assert learned is not None
    assert learned.exposures == 596


def test_training_counting_and_judging_look_at_the_same_exposures(now: datetime) -> None:
    """Of a voided one, one whose week runs, one that is too old and one that counts, each reads the last alone."""
    offer, kept = make_offer(now=now, target_gtins=["1"]), {"propensity": 1.0, **Signals().numbers()}
    days = (20, 6, 91, 20)
    shown = [
        Shown(
            customer=person,
            at=now - timedelta(days=ago),
            offer=offer,
            candidates=[{"offer": offer.ref, "reason": "issued", **kept}],
        )
        for person, ago in zip(make_people(count=4, now=now), days, strict=True)
    ]
    voided, *_, counted = expose(shown, store=make_store(now=now))
    Exposure.objects.filter(pk=voided.pk).update(voided_at=now)

    assert len(operation._shown(now=now)) == 1
    assert count_responses(now=now) == (1, 1)
    assert _counts() == ({counted.customer.ref: (1, 0)}, {offer.ref: (1, 0)})
    judged = judge_policy(model=COLD, since=now - timedelta(days=90), now=now)
    assert (judged.estimates.decisions, judged.without_propensity) == (1, 0)


@pytest.mark.parametrize(
    ("target", "line", "is_outcome"),
    [
        ({"target_gtins": ["1"]}, {"gtin": "1"}, True),
        ({"target_gtins": ["1"]}, {"gtin": "2"}, False),
        ({"target_gtins": ["1"]}, {"gtin": "1", "quantity": -1}, False),
        ({"target_brand": "Danone"}, {"gtin": "1"}, True),
        ({"target_brand": "Danone"}, {"gtin": "9", "brand": "Danone"}, True),
        ({"target_brand": "Danone"}, {"gtin": "9", "brand": "Yoplait"}, False),
        ({"target_category": True}, {"gtin": "9", "category_ref": "fresh"}, True),
        ({"target_category": True}, {"gtin": "9", "category_ref": "dry"}, False),
    ],
)
def test_an_outcome_is_a_purchase_of_the_target_itself(
    now: datetime, target: dict[str, Any], line: dict[str, Any], is_outcome: bool
) -> None:
    fresh = make_category(ref="fresh")
    make_product(gtin="1", brand="Danone", category=fresh, now=now)
    target = {name: fresh if value is True else value for name, value in target.items()}
    offer, person = make_offer(now=now, **target), make_customer(now=now, phones=())
    shown = Shown(customer=person, at=now, offer=offer, candidates=[], has_bought=True)
    expose([shown], store=make_store(now=now))
    PurchaseLine.objects.update(**line)
    [one] = operation._shown(now=now + WEEK)
    assert (one.has_bought, one.is_treated, one.signals) == (is_outcome, True, Signals())


@pytest.mark.parametrize(
    ("after", "is_outcome"), [(timedelta(0), False), (WEEK, True), (WEEK + timedelta(seconds=1), False)]
)
def test_the_window_opens_after_the_exposure_and_lasts_a_week(
    now: datetime, after: timedelta, is_outcome: bool
) -> None:
    offer, person = make_offer(now=now, target_gtins=["1"]), make_customer(now=now, phones=())
    shown = Shown(customer=person, at=now, offer=offer, candidates=[], has_bought=True)
    expose([shown], store=make_store(now=now))
    Purchase.objects.update(purchased_at=now + after)
    [one] = operation._shown(now=now + WEEK)
    assert one.has_bought is is_outcome


def test_with_little_to_learn_from_nothing_is_written(now: datetime) -> None:
    assert train_response(now=now) is None
    assert not ResponseModel.objects.exists()
    assert get_response_model() == COLD


def _keep(version: int, now: datetime, *, is_current: bool = False) -> None:
    ResponseModel.objects.create(
        version=version,
        parameters=model_to_json(COLD),
        is_current=is_current,
        exposures=0,
        figures={},
        trained_at=now,
    )


def test_staff_put_a_version_to_use_and_take_all_back(now: datetime, capsys: Any) -> None:
    _keep(1, now, is_current=True)
    _keep(2, now)
    call_command("train_response", use=2)
    assert get_response_model().version == 2
    call_command("train_response", use=0)
    assert get_response_model() == COLD
    assert capsys.readouterr().out == "Version 2 is in use now.\nVersion 0 is in use now.\n"
    with pytest.raises(CommandError, match="There is no version 7"):
        call_command("train_response", use=7)
    use_response_model(version=1)
    assert list(ResponseModel.objects.filter(is_current=True).values_list("version", flat=True)) == [1]


def test_the_command_says_when_there_is_too_little(capsys: Any) -> None:
    call_command("train_response")
    assert capsys.readouterr().out == (
        "Counted the responses of 0 customers, to 0 offers.\n"
        "Too few exposures to learn from; the model in use stays.\n"
    )


def _explored(now: datetime, *, count: int) -> None:
    """Write decisions between two offers by an even draw: who is shown the deep one buys in 50 %, else in 10 %."""
    store = make_store(now=now)
    deep = make_offer(now=now, ref="deep", target_gtins=["1"])
    flat = make_offer(now=now, ref="flat", target_gtins=["2"])
    chance = random.Random(9)
    candidates = [
        {"offer": ref, "reason": "issued", "propensity": 0.5, **Signals(depth=depth).numbers()}
        for ref, depth in (("deep", 0.5), ("flat", 0.0))
    ]
    ones = []
    for person in make_people(count=count, now=now):
        offer, gtin, rate = chance.choice([(deep, "1", 0.5), (flat, "2", 0.1)])
        ones.append(
            Shown(
                customer=person,
                at=now - timedelta(days=30),
                offer=offer,
                candidates=candidates,
                has_bought=chance.random() < rate,
                gtin=gtin,
            )
        )
    expose(ones, store=store)


def test_a_rule_that_always_shows_the_deeper_offer_is_valued_at_what_that_offer_earns(now: datetime) -> None:
    _explored(now, count=300)
    judged = judge_policy(model=model_of(version=0), since=now - timedelta(days=60), now=now)
    found = judged.estimates
    truth = 0.975 * 0.5 + 0.025 * 0.1
    assert (found.decisions, judged.without_propensity) == (300, 0)
    assert found.logged_mean == pytest.approx(0.3, abs=0.06)
    for one in (found.ips, found.snips, found.dr):
        assert one.low <= truth <= one.high
        assert one.low > found.logged_mean


def test_decisions_without_a_logged_chance_are_counted_and_left_out(
    now: datetime, exposed: list[Exposure]
) -> None:
    with pytest.raises(ValueError, match="nothing was logged"):
        judge_policy(model=COLD, since=now - timedelta(days=90), now=now)
    chosen = exposed[0].decision
    chosen.candidates[1]["propensity"] = 1.0
    chosen.save()
    Exposure.objects.filter(pk=exposed[0].pk).update(arm="treated")
    judged = judge_policy(model=COLD, since=now - timedelta(days=90), now=now)
    assert judged.estimates.decisions == 1
    assert judged.without_propensity == Exposure.objects.filter(arm="treated").count() - 1


def test_a_log_from_a_file_is_judged_alike(tmp_path: Any, capsys: Any) -> None:
    log = tmp_path / "log.jsonl"
    rows = [
        {
            "chosen": "x",
            "reward": 1,
            "logged": {"x": 0.5, "y": 0.5},
            "new": {"x": 1.0},
            "expected": {"x": 0.8},
        },
        {
            "chosen": "y",
            "reward": 0,
            "logged": {"x": 0.5, "y": 0.5},
            "new": {"x": 1.0},
            "expected": {"x": 0.8},
        },
    ]
    log.write_text("\n".join(map(json.dumps, rows)))
    call_command("evaluate_policy", log=log, json=tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["ips"]["value"], figures["snips"]["value"], figures["dm"]) == (1.0, 1.0, 0.8)
    assert figures["dr"]["value"] == pytest.approx(1.0)
    assert figures["ess"] == 1.0
    assert "doubly robust             1.0000" in capsys.readouterr().out


def test_a_database_without_decisions_cannot_be_judged() -> None:
    with pytest.raises(CommandError, match="nothing was logged"):
        call_command("evaluate_policy")
