"""The trace of a candidate lists every check, and its first no is the decision's."""

from datetime import time, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.settings.rayon import DEFAULTS
from offers.flow import Candidate, CustomerFacts, OfferTerms, Trigger
from offers.rules.legal import facts_json
from offers.rules.legal_values import LegalFacts
from offers.rules.trace import Check, trace
from offers.stages.decide import choose
from tests.unit.decide.test_deciding import BUYER, FACTS, NOW, STORE, TERMS, TRIGGER

FORBIDDEN = facts_json(LegalFacts(benefit_kind="percent", benefit_value=1000, free_word="gratuit"))
PARAMS: dict[str, Any] = {**DEFAULTS}


def some(base: Any, **fields: Any) -> st.SearchStrategy[Any]:
    """Return the value with each of these fields as it is, or as one of the others."""
    choices = {name: st.sampled_from([getattr(base, name), *others]) for name, others in fields.items()}
    return st.fixed_dictionaries(choices).map(lambda changed: replace(base, **changed))


FACTS_OF_ANY: st.SearchStrategy[CustomerFacts] = some(
    replace(FACTS, quiet=None),
    granted=[frozenset({"push", "geolocation"}), frozenset({"geolocation", "email"}), frozenset()],
    channels=[(), ("email",), ("email", "push")],
    time_zone=["", "Asia/Tokyo"],
    birth_year=[None, 2015],
    segments=[frozenset({"gold"})],
    topics=[frozenset({"bio"})],
    muted_brands=[frozenset({"danone"})],
    muted_categories=[frozenset({"dairy"})],
    quiet=[(time(21), time(8)), (time(9), time(11))],
    paused_until=[NOW, NOW + timedelta(hours=1)],
    has_device=[False],
    is_sending_stopped=[True],
    max_pushes_per_day=[0, 5],
).flatmap(
    lambda facts: st.sampled_from(
        [
            facts,
            replace(facts, sent_at=(NOW - timedelta(minutes=2),), sent_stores=(STORE,)),
            replace(facts, sent_at=(NOW - timedelta(days=1),), sent_stores=(STORE,), ignored_in_a_row=6),
        ]
    )
)
TERMS_OF_ANY: st.SearchStrategy[OfferTerms] = some(
    TERMS,
    min_affinity_share=[0, 0.3, 0.9],
    bought_within_days=[1, 30],
    never_bought=[True],
    segments=[frozenset({"gold"})],
    topics=[frozenset({"bio"})],
    per_customer=[1, 3],
    objective=["margin"],
    unit_price_minor=[400],
    unit_worth_minor=[150],
    bid_price_minor=[390],
    is_deal=[True],
    send_now=[0, 3],
    holdout_share=[1.0],
    legal=[FORBIDDEN],
)
CANDIDATES: st.SearchStrategy[Candidate] = some(
    BUYER,
    affinity_share=[0.0, 0.95],
    last_bought_at=[None],
    issued_before=[1, 2],
    units_left=[0, 5],
    budget_left_minor=[0, 100],
    store_is_open=[False, None],
)
TRIGGERS: st.SearchStrategy[Trigger] = some(TRIGGER, store_visit_entered_at=[None])


def traced(
    candidate: Candidate, terms: OfferTerms, facts: CustomerFacts, trigger: Trigger
) -> tuple[Check, ...]:
    return trace(
        candidate,
        terms=terms,
        facts=facts,
        trigger=trigger,
        rule="free_word" if terms.legal else "",
        now=NOW,
        params=PARAMS,
    )


@given(CANDIDATES, TERMS_OF_ANY, FACTS_OF_ANY, TRIGGERS)
def test_the_first_no_of_the_trace_is_the_decision(
    candidate: Candidate, terms: OfferTerms, facts: CustomerFacts, trigger: Trigger
) -> None:
    [choice] = choose([trigger], [candidate], {1: terms}, {1: facts}, now=NOW, params=PARAMS)
    refusals = [
        check.reason for check in traced(candidate, terms, facts, trigger) if check.reason is not None
    ]
    assert choice.reason == (refusals[0].value if refusals else "issued")


@given(CANDIDATES, TERMS_OF_ANY, FACTS_OF_ANY, TRIGGERS)
def test_every_check_is_listed_whatever_stands_before_it(
    candidate: Candidate, terms: OfferTerms, facts: CustomerFacts, trigger: Trigger
) -> None:
    checks = traced(candidate, terms, facts, trigger)
    assert [check.name for check in checks] == [check.name for check in traced(BUYER, TERMS, FACTS, TRIGGER)]
    assert len({check.name for check in checks}) == len(checks) == 19
    assert [check.part for check in checks] == ["who"] * 6 + ["whether"] * 7 + ["when"] * 5 + ["measure"]


def test_the_numbers_name_what_was_compared() -> None:
    sent = replace(FACTS, sent_at=(NOW - timedelta(hours=3),), sent_stores=(9,))
    numbers = {check.name: check.numbers for check in traced(BUYER, TERMS, sent, TRIGGER)}
    assert numbers["frequency"] == {
        "sent_this_visit": False,
        "full": "day",
        "sent_in_8_days": 1,
        "last_sent_at": NOW - timedelta(hours=3),
        "max_per_day": 1,
        "max_per_week": 3,
        "min_gap_s": 14_400,
        "ignored_in_a_row": 0,
    }
    assert numbers["consent"] == {
        "granted": ["geolocation", "profiling", "push"],
        "needed": ["geolocation"],
    }
    assert numbers["mute"] == {"muted": []}
    assert numbers["holdout"]["holdout_share"] == 0.0


def test_without_consent_to_profiling_no_history_is_told() -> None:
    private = replace(FACTS, granted=frozenset({"push", "geolocation"}))
    numbers = {check.name: check.numbers for check in traced(BUYER, TERMS, private, TRIGGER)}["relevance"]
    assert (numbers["affinity_share"], numbers["exact_share"], numbers["last_bought_at"]) == (0.0, 0.0, None)
