"""What each trigger leads to, by rules alone: no database, no clock, no chance; docs/algorithms/decisions.md.

Every candidate meets the checks in one order and keeps the first that says no:

    who       no_consent (geolocation, a channel), unknown_time_zone, legal_guard, paused
    whether   legal_guard (the offer), muted, no_consent (profiling), not_relevant, not_worth_sending, already_issued,
              sold_out, budget_exhausted
    when      unknown_time_zone (the store's), store_closed, no_device, quiet_hours, frequency_cap

`whether` stands before `when`, so that somebody whom the offer is not for reads not_relevant at any hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from customers.rules.frequency import Caps
from offers.flow import Candidate, Choice, CustomerFacts, OfferTerms, Trigger, Verdict
from offers.rules import eligibility
from offers.rules.channels import channel_for, no_channel
from offers.rules.eligibility import Audience, Reason, Standing
from offers.rules.holdout import Arm, arm
from offers.rules.legal import forbidden_offers
from offers.rules.legal_values import Rule
from offers.rules.worth import REWARD, Worth, weigh

WINNERS = 3  # worth handing on: who gets none of them is sold out
ONE = 1  # how often an offer that names no limit is held at the same time
GLOBAL_SALT = "every offer"

Answer = tuple[int, Reason | None]  # checks passed, and the no that came after them


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A candidate with the first reason against it (None: eligible) and how far it got before that."""

    candidate: Candidate
    terms: OfferTerms
    reason: Reason | None
    passed: int  # checks; more is further
    rule: str = ""  # of the law, where the reason is legal_guard
    worth: Worth = REWARD

    @property
    def rank(self) -> tuple[int, int, float, str, int]:
        """Sorts best first: the further, then the higher priority, the higher delta (a reward's is 0), the offer's ref."""
        trigger = self.candidate.trigger
        return -self.passed, -self.terms.priority, -self.worth.delta_minor, self.terms.ref, trigger


def choose(
    triggers: Sequence[Trigger],
    candidates: Sequence[Candidate],
    terms: Mapping[int, OfferTerms],
    facts: Mapping[int, CustomerFacts],
    *,
    now: datetime,
    params: Mapping[str, Any],
) -> list[Choice]:
    """Return one choice per trigger, in the same order; the order of the candidates does not matter.

    A customer has one winner in a batch: the best over all their triggers; their other triggers read frequency_cap.
    Where nothing is eligible, the reason is that of the candidate that got furthest, then of the higher priority.
    A held-out winner stands last among the winners: nothing is tried after it. params: settings.RAYON.
    """
    offered: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        offered[candidate.trigger].append(candidate)
    audiences = {offer_id: _audience(offer) for offer_id, offer in terms.items()}
    kept = {offer_id: offer.legal for offer_id, offer in terms.items() if offer.legal}
    forbidden = forbidden_offers(kept, params=params, now=now)
    judged = []
    for index, trigger in enumerate(triggers):
        customer = facts.get(trigger.customer_id)
        ones = _judge(trigger, offered[index], terms, audiences, forbidden, customer, now=now, params=params)
        judged.append(sorted(ones, key=_rank))
    winning = _winning_triggers(triggers, judged)
    return [
        _choice(index, trigger, judged[index], facts.get(trigger.customer_id), winning=winning, params=params)
        for index, trigger in enumerate(triggers)
    ]


def _rank(one: _Judged) -> tuple[int, int, float, str, int]:
    return one.rank


def _winning_triggers(triggers: Sequence[Trigger], judged: Sequence[Sequence[_Judged]]) -> dict[int, int]:
    """Return the trigger that holds each customer's best eligible candidate, by customer id."""
    best: dict[int, _Judged] = {}
    for trigger, ones in zip(triggers, judged, strict=True):
        if ones and ones[0].reason is None:
            present = best.get(trigger.customer_id)
            best[trigger.customer_id] = ones[0] if present is None else min(present, ones[0], key=_rank)
    return {customer_id: one.candidate.trigger for customer_id, one in best.items()}


def _choice(
    index: int,
    trigger: Trigger,
    judged: Sequence[_Judged],
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
    winners: list[Verdict] = []
    for one in eligible[:WINNERS]:
        reason = Reason.HOLDOUT if _is_held_out(one.terms, facts, params=params) else Reason.ISSUED
        winners.append(_verdict(one, reason=reason))
        if reason is Reason.HOLDOUT:
            break
    behind = tuple(_verdict(one, reason=one.reason or Reason.ISSUED) for one in judged[len(winners) :])
    return Choice(
        trigger=index, reason=winners[0].reason, winners=tuple(winners), verdicts=(*winners, *behind)
    )


def _is_held_out(terms: OfferTerms, facts: CustomerFacts, *, params: Mapping[str, Any]) -> bool:
    """Return whether the customer is in the offer's hold-out or, where the house has one, in the global one."""
    shares = ((terms.ref, terms.holdout_share), (GLOBAL_SALT, params["global_holdout_share"]))
    return any(
        arm(customer=facts.ref, salt=salt, holdout_share=share) is Arm.HOLDOUT for salt, share in shares
    )


def _verdict(one: _Judged, *, reason: Reason) -> Verdict:
    numbers = {**_numbers(one.candidate, one.terms), **one.worth.numbers}
    return Verdict(candidate=one.candidate, reason=reason.value, numbers=numbers, rule=one.rule)


def _numbers(candidate: Candidate, terms: OfferTerms) -> dict[str, float]:
    """Return what the checks compared, for staff and for the customer's export."""
    found = {
        "affinity_share": round(candidate.affinity_share, 6),
        "exact_share": round(candidate.exact_share, 6),
        "min_affinity_share": terms.min_affinity_share,
        "issued_before": candidate.issued_before,
        "per_customer": _limit(terms),
        "units_left": candidate.units_left,
        "priority": terms.priority,
    }
    return {name: value for name, value in found.items() if value is not None}


def _limit(terms: OfferTerms) -> int:
    return ONE if terms.per_customer is None else terms.per_customer


def _judge(
    trigger: Trigger,
    candidates: Sequence[Candidate],
    terms: Mapping[int, OfferTerms],
    audiences: Mapping[int, Audience],
    forbidden: Mapping[int, str],
    facts: CustomerFacts | None,
    *,
    now: datetime,
    params: Mapping[str, Any],
) -> list[_Judged]:
    """Return each candidate with its first reason; what does not depend on the offer is asked once."""
    if not candidates:
        return []
    who: Answer = (0, Reason.NO_CONSENT) if facts is None else _first(_who(facts, now=now, params=params))
    when: Answer | None = None
    judged = []
    for candidate in candidates:
        offer, worth = terms[candidate.offer_id], REWARD
        passed, reason = who
        rule = Rule.MINORS.value
        if facts is not None and reason is None:
            share = candidate.affinity_share if "profiling" in facts.granted else 0.0
            worth = weigh(candidate, offer, affinity_share=share, params=params)
            rule, audience = forbidden.get(candidate.offer_id, ""), audiences[candidate.offer_id]
            more, reason = _first(_whether(candidate, offer, audience, rule, facts, worth, now=now))
            passed += more
            if reason is None:
                when = when or _first(_when(candidate, trigger, facts, now=now, params=params))
                passed, reason = passed + when[0], when[1]
        if reason is not Reason.LEGAL_GUARD:
            rule = ""
        judged.append(
            _Judged(candidate=candidate, terms=offer, reason=reason, passed=passed, rule=rule, worth=worth)
        )
    return judged


def _first(answers: Iterable[Reason | None]) -> Answer:
    """Return how many checks were passed before the first no, and that no."""
    passed = 0
    for reason in answers:
        if reason is not None:
            return passed, reason
        passed += 1
    return passed, None


def _who(facts: CustomerFacts, *, now: datetime, params: Mapping[str, Any]) -> Iterator[Reason | None]:
    yield eligibility.consent(granted=facts.granted, purposes=("geolocation",))
    yield no_channel(channels=facts.channels, granted=facts.granted)
    yield eligibility.time_zone_known(facts.time_zone)
    is_asked = Rule.MINORS not in params["legal_rules_off"]
    yield eligibility.age(birth_year=facts.birth_year, now=now) if is_asked else None
    yield Reason.PAUSED if facts.is_sending_stopped else None
    yield eligibility.paused(paused_until=facts.paused_until, now=now)


def _audience(terms: OfferTerms) -> Audience:
    return Audience(
        min_affinity_share=terms.min_affinity_share,
        bought_within_days=terms.bought_within_days,
        never_bought=terms.never_bought,
        segments=terms.segments,
        topics=terms.topics,
    )


def _whether(
    candidate: Candidate,
    terms: OfferTerms,
    audience: Audience,
    rule: str,
    facts: CustomerFacts,
    worth: Worth,
    *,
    now: datetime,
) -> Iterator[Reason | None]:
    may_read_history = "profiling" in facts.granted
    yield eligibility.legal(rule)  # first: what the law forbids, no history is read for
    yield eligibility.muted(
        muted_brands=facts.muted_brands,
        muted_categories=facts.muted_categories,
        brands=terms.brand_keys,
        categories=terms.category_refs,
    )
    yield Reason.NO_CONSENT if audience.reads_history and not may_read_history else None
    standing = Standing(
        affinity_share=candidate.affinity_share if may_read_history else 0.0,
        last_bought_at=candidate.last_bought_at if may_read_history else None,
        segments=facts.segments,
        topics=facts.topics,
    )
    yield eligibility.relevance(audience=audience, standing=standing, now=now)
    yield worth.reason
    yield eligibility.customer_limit(issued_before=candidate.issued_before, per_customer=_limit(terms))
    yield eligibility.capacity(units_left=candidate.units_left, budget_left_minor=candidate.budget_left_minor)


def _when(
    candidate: Candidate, trigger: Trigger, facts: CustomerFacts, *, now: datetime, params: Mapping[str, Any]
) -> Iterator[Reason | None]:
    yield Reason.UNKNOWN_TIME_ZONE if candidate.store_is_open is None else None
    yield eligibility.store_closed(candidate.store_is_open)
    yield eligibility.device(channel_for(facts) is not None)
    yield eligibility.quiet_hours(now=now, time_zone=facts.time_zone, quiet=facts.quiet)
    yield eligibility.frequency_cap(
        sent_at=facts.sent_at,
        sent_this_visit=_was_sent_this_visit(trigger, facts),
        now=now,
        time_zone=facts.time_zone,
        caps=Caps(
            max_per_day=facts.max_pushes_per_day,
            max_per_week=facts.max_pushes_per_week,
            min_gap_s=params["min_gap_s"],
        ),
        ignored_in_a_row=facts.ignored_in_a_row,
    )


def _was_sent_this_visit(trigger: Trigger, facts: CustomerFacts) -> bool:
    """Return whether a message went out at this store since its visit began.

    By time, not by the visit's recorded start: a late event may move that back, and the message still counts.
    """
    entered_at = trigger.store_visit_entered_at
    if trigger.place is None or entered_at is None:
        return False
    sent = zip(facts.sent_at, facts.sent_stores, strict=True)
    return any(store_id == trigger.place.store_id and at >= entered_at for at, store_id in sent)
