"""What each trigger leads to, by rules alone: no database, no clock, no chance; docs/algorithms/decisions.md.

Every candidate meets the checks in one order and keeps the first that says no:

    who       no_consent (geolocation, a channel), unknown_time_zone, legal_guard, paused
    whether   legal_guard (the offer), muted, no_consent (profiling), not_relevant, not_worth_sending, already_issued,
              sold_out, budget_exhausted
    when      unknown_time_zone (the store's), store_closed, no_device, quiet_hours, frequency_cap

`whether` stands before `when`, so that somebody whom the offer is not for reads not_relevant at any hour.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from offers.flow import Candidate, Choice, CustomerFacts, OfferTerms, Trigger, Verdict
from offers.rules.compared import audience_of, limit_of
from offers.rules.eligibility import Reason
from offers.rules.holdout import is_held_out
from offers.rules.legal import forbidden_offers
from offers.rules.signals import NOTHING_LEARNED, Learned
from offers.stages.decide.exploring import explored
from offers.stages.decide.judging import Judged, judge

WINNERS = 3  # worth handing on: who gets none of them is sold out
PLACES = 6  # of the numbers that are kept


def choose(
    triggers: Sequence[Trigger],
    candidates: Sequence[Candidate],
    terms: Mapping[int, OfferTerms],
    facts: Mapping[int, CustomerFacts],
    *,
    now: datetime,
    params: Mapping[str, Any],
    learned: Learned = NOTHING_LEARNED,
) -> list[Choice]:
    """Return one choice per trigger, in the same order; the order of the candidates does not matter.

    A customer has one winner in a batch: the best over all their triggers; their other triggers read frequency_cap.
    Where nothing is eligible, the reason is that of the candidate that got furthest, then of the higher priority.
    A held-out winner stands last among the winners: nothing is tried after it. params: settings.RAYON.
    """
    offered: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        offered[candidate.trigger].append(candidate)
    audiences = {offer_id: audience_of(offer) for offer_id, offer in terms.items()}
    kept = {offer_id: offer.legal for offer_id, offer in terms.items() if offer.legal}
    forbidden = forbidden_offers(kept, params=params, now=now)
    judged = []
    for index, trigger in enumerate(triggers):
        customer = facts.get(trigger.customer_id)
        ones = judge(
            trigger,
            offered[index],
            terms,
            audiences,
            forbidden,
            customer,
            learned=learned,
            now=now,
            params=params,
        )
        judged.append(sorted(ones, key=_rank))
    winning = _winning_triggers(triggers, judged)
    return [
        _choice(index, trigger, judged[index], facts.get(trigger.customer_id), winning=winning, params=params)
        for index, trigger in enumerate(triggers)
    ]


def _rank(one: Judged) -> tuple[int, int, float, str, int]:
    return one.rank


def _winning_triggers(triggers: Sequence[Trigger], judged: Sequence[Sequence[Judged]]) -> dict[int, int]:
    """Return the trigger that holds each customer's best eligible candidate, by customer id."""
    best: dict[int, Judged] = {}
    for trigger, ones in zip(triggers, judged, strict=True):
        if ones and ones[0].reason is None:
            present = best.get(trigger.customer_id)
            best[trigger.customer_id] = ones[0] if present is None else min(present, ones[0], key=_rank)
    return {customer_id: one.candidate.trigger for customer_id, one in best.items()}


def _choice(
    index: int,
    trigger: Trigger,
    judged: Sequence[Judged],
    facts: CustomerFacts | None,
    *,
    winning: Mapping[int, int],
    params: Mapping[str, Any],
) -> Choice:
    if trigger.refusal is not None:
        return Choice(trigger=index, reason=trigger.refusal, winners=(), verdicts=())
    if not judged:
        return Choice(trigger=index, reason=Reason.NO_OFFER.value, winners=(), verdicts=())
    eligible = [one for one in judged if one.reason is None]
    if facts is None or not eligible or winning[trigger.customer_id] != index:
        # an eligible candidate that another trigger's winner beat: one message is enough
        verdicts = tuple(_verdict(one, reason=one.reason or Reason.FREQUENCY_CAP) for one in judged)
        return Choice(trigger=index, reason=verdicts[0].reason, winners=(), verdicts=verdicts)
    order, propensities = explored(eligible, trigger=trigger, facts=facts, share=params["exploration_share"])
    winners: list[Verdict] = []
    for one in order[:WINNERS]:
        reason = Reason.HOLDOUT if _is_held_out(one.terms, facts, params=params) else Reason.ISSUED
        winners.append(_verdict(one, reason=reason, propensities=propensities))
        if reason is Reason.HOLDOUT:
            break
    behind = tuple(
        _verdict(one, reason=one.reason or Reason.ISSUED, propensities=propensities)
        for one in (*order[len(winners) :], *judged[len(order) :])
    )
    return Choice(
        trigger=index, reason=winners[0].reason, winners=tuple(winners), verdicts=(*winners, *behind)
    )


def _is_held_out(terms: OfferTerms, facts: CustomerFacts, *, params: Mapping[str, Any]) -> bool:
    return is_held_out(
        facts.ref,
        offer=terms.ref,
        share=terms.holdout_share,
        global_share=params["global_holdout_share"],
    )


def _verdict(one: Judged, *, reason: Reason, propensities: Mapping[int, float] | None = None) -> Verdict:
    numbers = {**_numbers(one.candidate, one.terms), **one.worth.numbers}
    if one.signals is not None:
        numbers |= {name: round(value, PLACES) for name, value in one.signals.numbers().items()}
    if one.reason is None and propensities and one.candidate.offer_id in propensities:
        numbers["propensity"] = propensities[one.candidate.offer_id]
    return Verdict(candidate=one.candidate, reason=reason.value, numbers=numbers, rule=one.rule)


def _numbers(candidate: Candidate, terms: OfferTerms) -> dict[str, float]:
    """Return what the checks compared, for staff and for the customer's export."""
    found = {
        "affinity_share": round(candidate.affinity_share, 6),
        "exact_share": round(candidate.exact_share, 6),
        "min_affinity_share": terms.min_affinity_share,
        "issued_before": candidate.issued_before,
        "per_customer": limit_of(terms),
        "units_left": candidate.units_left,
        "priority": terms.priority,
    }
    return {name: value for name, value in found.items() if value is not None}
