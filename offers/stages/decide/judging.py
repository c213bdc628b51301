"""The checks that a candidate meets, in their order: pure; docs/algorithms/decisions.md lists them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offers.flow import Candidate, CustomerFacts, OfferTerms, Trigger
from offers.rules import eligibility
from offers.rules.channels import channel_for, no_channel
from offers.rules.compared import caps_of, limit_of, standing_of, was_sent_this_visit
from offers.rules.eligibility import Audience, Reason
from offers.rules.legal_values import Rule
from offers.rules.response import Signals
from offers.rules.signals import Learned, signals_of, waiting
from offers.rules.worth import REWARD, Worth, weigh

Answer = tuple[int, Reason | None]  # checks passed, and the no that came after them


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A candidate with the first reason against it (None: eligible) and how far it got before that."""

    candidate: Candidate
    terms: OfferTerms
    reason: Reason | None
    passed: int  # checks; more is further
    rule: str = ""  # of the law, where the reason is legal_guard
    worth: Worth = REWARD
    signals: Signals | None = None  # of a candidate that was weighed, or is eligible

    @property
    def rank(self) -> tuple[int, int, float, str, int]:
        """Sorts best first: the further, then the higher priority, the higher delta (a reward's is 0), the offer's ref."""
        trigger = self.candidate.trigger
        return -self.passed, -self.terms.priority, -self.worth.delta_minor, self.terms.ref, trigger


def judge(
    trigger: Trigger,
    candidates: Sequence[Candidate],
    terms: Mapping[int, OfferTerms],
    audiences: Mapping[int, Audience],
    forbidden: Mapping[int, str],
    facts: CustomerFacts | None,
    *,
    learned: Learned,
    now: datetime,
    params: Mapping[str, Any],
) -> list[Judged]:
    """Return each candidate with its first reason; what does not depend on the offer is asked once."""
    if not candidates:
        return []
    who: Answer = (0, Reason.NO_CONSENT) if facts is None else _first(_who(facts, now=now, params=params))
    when: Answer | None = None
    judged = []
    for candidate in candidates:
        offer, worth, signals = terms[candidate.offer_id], REWARD, None
        passed, reason = who
        rule = Rule.MINORS.value
        if facts is not None and reason is None:
            worth = weigh(candidate, offer, facts, learned=learned, now=now, params=params)
            signals = worth.signals
            rule, audience = forbidden.get(candidate.offer_id, ""), audiences[candidate.offer_id]
            more, reason = _first(_whether(candidate, offer, audience, rule, facts, worth, now=now))
            passed += more
            if reason is None:
                when = when or _first(_when(candidate, trigger, facts, now=now, params=params))
                passed, reason = passed + when[0], when[1]
            if reason is None and signals is None:
                # not needed to decide: what the response model learns from later
                waits = waiting(candidate, offer, facts, now=now)
                signals = signals_of(candidate, offer, facts, waits=waits, learned=learned, now=now)
        if reason is not Reason.LEGAL_GUARD:
            rule = ""
        judged.append(
            Judged(
                candidate=candidate,
                terms=offer,
                reason=reason,
                passed=passed,
                rule=rule,
                worth=worth,
                signals=signals,
            )
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
    yield eligibility.relevance(audience=audience, standing=standing_of(candidate, facts), now=now)
    yield worth.reason
    yield eligibility.customer_limit(issued_before=candidate.issued_before, per_customer=limit_of(terms))
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
        sent_this_visit=was_sent_this_visit(trigger, facts),
        now=now,
        time_zone=facts.time_zone,
        caps=caps_of(facts, params=params),
        ignored_in_a_row=facts.ignored_in_a_row,
    )
