"""Which no stands first, which offer wins, and that the order of candidates never matters."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from offers.flow import Candidate, Choice, CustomerFacts, OfferTerms, Place, Trigger
from offers.stages.decide import choose

NOW = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Paris
PARAMS = {
    "min_gap_s": 14_400,
    "global_holdout_share": 0.0,
    "exploration_share": 0.0,
    "legal_rules_off": frozenset(),
}
STORE, ELSEWHERE = 1, 2

FACTS = CustomerFacts(
    customer_id=1,
    ref="C1",
    language="fr",
    time_zone="Europe/Paris",
    birth_year=1990,
    granted=frozenset({"push", "geolocation", "profiling"}),
    channels=frozenset({"push"}),
    segments=frozenset(),
    topics=frozenset(),
    muted_brands=frozenset(),
    muted_categories=frozenset(),
    quiet=(time(21), time(8)),
    max_pushes_per_day=1,
    max_pushes_per_week=3,
    paused_until=None,
    has_device=True,
)
TERMS = OfferTerms(
    offer_id=1,
    ref="offer-1",
    revision=1,
    title={},
    body={},
    image_url="",
    benefit_kind="percent",
    benefit_value=1000,
    currency="EUR",
    target_gtins=(),
    target_category=None,
    target_brand="Danone",
    min_affinity_share=None,
    bought_within_days=None,
    never_bought=False,
    segments=frozenset(),
    topics=frozenset(),
    valid_from=NOW - timedelta(days=1),
    valid_until=NOW + timedelta(days=1),
    minutes_after_issue=60,
    per_customer=None,
    per_customer_per_days=None,
    units=None,
    holdout_share=0.0,
    priority=0,
    brand_keys=frozenset({"danone"}),
    category_refs=frozenset({"yoghurts", "dairy"}),
)
BUYER = Candidate(
    trigger=0, offer_id=1, affinity_share=0.3, exact_share=0.3, last_bought_at=NOW - timedelta(days=3)
)
NEIGHBOUR = replace(BUYER, affinity_share=0.0, exact_share=0.0, last_bought_at=None)
TRIGGER = Trigger(
    customer_id=1,
    device_id="phone",
    event_row_id=1,
    event_id=None,
    transition="enter",
    place=Place(store_id=STORE, store_ref="S1", aisle_id=7, aisle_ref="fresh"),
    visit_id=1,
    store_visit_entered_at=NOW - timedelta(minutes=5),
    occurred_at=NOW,
)


def decide(
    candidates: Sequence[Candidate],
    *,
    terms: Sequence[OfferTerms] = (TERMS,),
    facts: Sequence[CustomerFacts] = (FACTS,),
    triggers: Sequence[Trigger] = (TRIGGER,),
    now: datetime = NOW,
    params: dict[str, Any] = PARAMS,
) -> list[Choice]:
    by_offer = {one.offer_id: one for one in terms}
    by_customer = {one.customer_id: one for one in facts}
    return choose(triggers, candidates, by_offer, by_customer, now=now, params=params)


def without(purpose: str) -> CustomerFacts:
    return replace(FACTS, granted=FACTS.granted - {purpose})


def sent(*, ago: timedelta, store: int = ELSEWHERE, **changed: Any) -> CustomerFacts:
    return replace(FACTS, sent_at=(NOW - ago,), sent_stores=(store,), **changed)


ROOMY = {"max_pushes_per_day": 9, "max_pushes_per_week": 9}


@pytest.mark.parametrize(
    ("facts", "terms", "candidate", "reason"),
    [
        (FACTS, TERMS, BUYER, "issued"),
        # who
        (without("push"), TERMS, BUYER, "no_consent"),
        (without("geolocation"), TERMS, BUYER, "no_consent"),
        (replace(FACTS, channels=frozenset({"email"})), TERMS, BUYER, "no_consent"),
        (replace(FACTS, time_zone=""), TERMS, BUYER, "unknown_time_zone"),
        (replace(FACTS, time_zone="Mars/Base"), TERMS, BUYER, "unknown_time_zone"),
        (replace(FACTS, birth_year=2011), TERMS, BUYER, "legal_guard"),  # 15 this year at most
        (replace(FACTS, birth_year=2010), TERMS, BUYER, "issued"),
        (replace(FACTS, birth_year=None), TERMS, BUYER, "issued"),
        (replace(FACTS, paused_until=NOW + timedelta(seconds=1)), TERMS, BUYER, "paused"),
        (replace(FACTS, paused_until=NOW), TERMS, BUYER, "issued"),
        (replace(FACTS, is_sending_stopped=True), TERMS, BUYER, "paused"),
        # whether
        (replace(FACTS, muted_brands=frozenset({"danone"})), TERMS, BUYER, "muted"),
        (replace(FACTS, muted_categories=frozenset({"dairy"})), TERMS, BUYER, "muted"),
        (replace(FACTS, muted_categories=frozenset({"wine"})), TERMS, BUYER, "issued"),
        (FACTS, TERMS, NEIGHBOUR, "not_relevant"),
        (FACTS, replace(TERMS, min_affinity_share=0.0), NEIGHBOUR, "issued"),
        (FACTS, replace(TERMS, min_affinity_share=0.3), BUYER, "issued"),
        (FACTS, replace(TERMS, min_affinity_share=0.31), BUYER, "not_relevant"),
        (FACTS, replace(TERMS, bought_within_days=3), BUYER, "issued"),
        (FACTS, replace(TERMS, bought_within_days=2), BUYER, "not_relevant"),
        (FACTS, replace(TERMS, never_bought=True), BUYER, "not_relevant"),
        (FACTS, replace(TERMS, never_bought=True), NEIGHBOUR, "issued"),
        (FACTS, replace(TERMS, segments=frozenset({"gold"})), BUYER, "not_relevant"),
        (
            replace(FACTS, topics=frozenset({"bio"})),
            replace(TERMS, topics=frozenset({"bio"})),
            BUYER,
            "issued",
        ),
        (FACTS, replace(TERMS, objective="margin"), BUYER, "not_worth_sending"),
        (FACTS, TERMS, replace(BUYER, issued_before=1), "already_issued"),
        (FACTS, replace(TERMS, per_customer=2), replace(BUYER, issued_before=1), "issued"),
        (FACTS, TERMS, replace(BUYER, units_left=0), "sold_out"),
        (FACTS, TERMS, replace(BUYER, budget_left_minor=0), "budget_exhausted"),
        # history is not read without consent, and an offer to everybody needs none
        (without("profiling"), TERMS, BUYER, "no_consent"),
        (without("profiling"), replace(TERMS, min_affinity_share=0.0), BUYER, "issued"),
        (
            without("profiling"),
            replace(TERMS, min_affinity_share=0.0, never_bought=True),
            BUYER,
            "no_consent",
        ),
        # when
        (FACTS, TERMS, replace(BUYER, store_is_open=None), "unknown_time_zone"),
        (FACTS, TERMS, replace(BUYER, store_is_open=False), "store_closed"),
        (replace(FACTS, has_device=False), TERMS, BUYER, "no_device"),
        (replace(FACTS, quiet=(time(9), time(11))), TERMS, BUYER, "quiet_hours"),
        (replace(FACTS, quiet=None), TERMS, BUYER, "issued"),
        (sent(ago=timedelta(hours=5)), TERMS, BUYER, "frequency_cap"),  # once a day
        (sent(ago=timedelta(hours=11)), TERMS, BUYER, "issued"),  # 23:00 the evening before, in Paris
        (sent(ago=timedelta(hours=3), **ROOMY), TERMS, BUYER, "frequency_cap"),  # the gap
        (sent(ago=timedelta(hours=4), **ROOMY), TERMS, BUYER, "issued"),
        (replace(FACTS, max_pushes_per_day=0), TERMS, BUYER, "frequency_cap"),
        # the first no in the stated order is the one that is read
        (replace(without("push"), time_zone=""), TERMS, NEIGHBOUR, "no_consent"),
        (replace(FACTS, quiet=(time(9), time(11)), has_device=False), TERMS, NEIGHBOUR, "not_relevant"),
        (FACTS, TERMS, replace(NEIGHBOUR, store_is_open=False, units_left=0), "not_relevant"),
        (sent(ago=timedelta(hours=5), has_device=False), TERMS, BUYER, "no_device"),
    ],
)
def test_the_first_no_in_the_order_is_the_reason(
    facts: CustomerFacts, terms: OfferTerms, candidate: Candidate, reason: str
) -> None:
    [choice] = decide([candidate], facts=[facts], terms=[terms])
    assert choice.reason == reason
    assert [one.reason for one in choice.verdicts] == [reason]
    assert len(choice.winners) == (reason == "issued")


def test_one_message_per_store_visit_counts_by_store_and_time() -> None:
    roomy = {**PARAMS, "min_gap_s": 0}
    during = sent(ago=timedelta(minutes=1), store=STORE, **ROOMY)
    before = sent(ago=timedelta(minutes=6), store=STORE, **ROOMY)
    elsewhere = sent(ago=timedelta(minutes=1), store=ELSEWHERE, **ROOMY)
    reasons = [
        decide([BUYER], facts=[facts], params=roomy)[0].reason for facts in (during, before, elsewhere)
    ]
    assert reasons == ["frequency_cap", "issued", "issued"]


def test_three_ignored_messages_halve_the_budget() -> None:
    facts = sent(ago=timedelta(hours=5), max_pushes_per_day=2, max_pushes_per_week=9)
    reasons = [decide([BUYER], facts=[replace(facts, ignored_in_a_row=n)])[0].reason for n in (2, 3)]
    assert reasons == ["issued", "frequency_cap"]


def test_a_refusal_and_an_empty_place_have_no_candidates() -> None:
    refused = replace(TRIGGER, refusal="moving_too_fast")
    choices = decide([], triggers=[refused, TRIGGER])
    assert [(one.trigger, one.reason, one.verdicts) for one in choices] == [
        (0, "moving_too_fast", ()),
        (1, "no_offer", ()),
    ]


def test_a_customer_who_is_gone_reads_no_consent() -> None:
    [choice] = decide([BUYER], facts=[])
    assert (choice.reason, choice.winners) == ("no_consent", ())


def test_the_higher_priority_wins_then_the_ref() -> None:
    terms = [
        replace(TERMS, offer_id=n, ref=ref, priority=p)
        for n, ref, p in ((1, "b", 0), (2, "a", 0), (3, "z", 1))
    ]
    [choice] = decide([replace(BUYER, offer_id=n) for n in (1, 2, 3)], terms=terms)
    assert [one.candidate.offer_id for one in choice.winners] == [3, 2, 1]


def test_with_losers_alone_the_one_that_got_furthest_speaks() -> None:
    terms = [replace(TERMS, offer_id=n, ref=f"o{n}", priority=p) for n, p in ((1, 9), (2, 0), (3, 5))]
    irrelevant = replace(NEIGHBOUR, offer_id=1)
    had = replace(BUYER, offer_id=2, issued_before=1)
    gone = replace(BUYER, offer_id=3, units_left=0)
    [choice] = decide([irrelevant, had, gone], terms=terms)
    assert choice.reason == "sold_out"
    assert [one.reason for one in choice.verdicts] == ["sold_out", "already_issued", "not_relevant"]


def test_a_customer_has_one_winner_in_a_batch_the_best_over_all_triggers() -> None:
    terms = [replace(TERMS, offer_id=1, ref="small"), replace(TERMS, offer_id=2, ref="big", priority=3)]
    candidates = [BUYER, replace(BUYER, trigger=1, offer_id=2)]
    choices = decide(candidates, terms=terms, triggers=[TRIGGER, TRIGGER])
    assert [(one.reason, len(one.winners)) for one in choices] == [("frequency_cap", 0), ("issued", 1)]
    assert choices[0].verdicts[0].reason == "frequency_cap"


def test_the_same_offer_at_two_triggers_goes_to_the_earlier() -> None:
    choices = decide([replace(BUYER, trigger=1), BUYER], triggers=[TRIGGER, TRIGGER])
    assert [one.reason for one in choices] == ["issued", "frequency_cap"]


def test_a_held_out_winner_ends_the_decision() -> None:
    terms = [
        replace(TERMS, offer_id=1, ref="first", priority=2),
        replace(TERMS, offer_id=2, ref="held", priority=1, holdout_share=1.0),
        replace(TERMS, offer_id=3, ref="never reached"),
    ]
    [choice] = decide([replace(BUYER, offer_id=n) for n in (1, 2, 3)], terms=terms)
    assert [(one.candidate.offer_id, one.reason) for one in choice.winners] == [(1, "issued"), (2, "holdout")]
    [alone] = decide([replace(BUYER, offer_id=n) for n in (2, 3)], terms=terms)
    assert (alone.reason, [one.reason for one in alone.winners]) == ("holdout", ["holdout"])


def test_the_global_holdout_holds_for_every_offer() -> None:
    [choice] = decide([BUYER], params={**PARAMS, "global_holdout_share": 1.0})
    assert choice.reason == "holdout"


def test_the_numbers_that_were_compared_are_kept() -> None:
    [choice] = decide([replace(BUYER, units_left=4)], terms=[replace(TERMS, min_affinity_share=0.1)])
    assert dict(choice.verdicts[0].numbers) == {
        "affinity_share": 0.3,
        "exact_share": 0.3,
        "min_affinity_share": 0.1,
        "issued_before": 0,
        "per_customer": 1,
        "units_left": 4,
        "priority": 0,
        "signal_affinity_share": 0.3,
        "signal_depth": TERMS.benefit_value / 10_000,
    }


def test_of_who_is_refused_no_signals_are_kept() -> None:
    [choice] = decide([BUYER], facts=[replace(FACTS, is_sending_stopped=True)])
    assert not [name for name in choice.verdicts[0].numbers if name.startswith("signal_")]


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Candidate], list[Candidate], list[OfferTerms]]:
    """Draw offers and candidates of two triggers, and the same candidates in another order."""
    count = draw(st.integers(1, 6))
    terms = [
        replace(
            TERMS,
            offer_id=number,
            ref=f"offer-{number}",
            priority=draw(st.integers(0, 2)),
            holdout_share=draw(st.sampled_from([0.0, 0.5, 1.0])),
        )
        for number in range(count)
    ]
    candidates = [
        replace(
            BUYER,
            trigger=trigger,
            offer_id=one.offer_id,
            affinity_share=draw(st.sampled_from([0.0, 0.3])),
            units_left=draw(st.sampled_from([None, 0, 1])),
            issued_before=draw(st.integers(0, 1)),
        )
        for one in terms
        for trigger in (0, 1)
        if draw(st.booleans())
    ]
    return candidates, draw(st.permutations(candidates)), terms


@given(scenes())
def test_the_order_of_candidates_never_changes_what_is_chosen(
    scene: tuple[list[Candidate], list[Candidate], list[OfferTerms]],
) -> None:
    candidates, shuffled, terms = scene
    triggers = [TRIGGER, TRIGGER]
    choices = decide(candidates, terms=terms, triggers=triggers)
    assert decide(shuffled, terms=terms, triggers=triggers) == choices
    assert sum(bool(one.winners) for one in choices) <= 1
    assert sum(len(one.verdicts) for one in choices) == len(candidates)
