"""The one way through the house: intake → visits → candidates → decide → issue, one batch in one transaction.

When `run` returns, its results are on disk. A batch of one event costs as many statements as one of five hundred.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from offers import locks
from offers.flow import (
    Candidate,
    CustomerFacts,
    DecisionMade,
    Event,
    EventResult,
    OfferTerms,
    Trigger,
)
from offers.locks import LockedPresence
from offers.rules.signals import Learned
from offers.stages.candidates import find
from offers.stages.decide import choose
from offers.stages.facts import gather_facts
from offers.stages.intake import Intake, take_in
from offers.stages.issue import issue
from offers.stages.issue.claiming import Claims
from offers.stages.learned import gather_learned
from offers.stages.visits import follow, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """All that a batch's decisions were made of."""

    triggers: Sequence[Trigger]
    candidates: Sequence[Candidate]
    terms: Mapping[int, OfferTerms]  # by offer id
    facts: Mapping[int, CustomerFacts]  # by customer id
    learned: Learned
    decisions: Sequence[DecisionMade]  # one per trigger, same order


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What differs in a run whose transaction will be taken back: nothing that others share is locked."""

    claims: Claims
    watch: Callable[[Weighed], None]


def run(events: Sequence[Event], *, now: datetime, params: Mapping[str, Any]) -> list[EventResult]:
    """Return one result an event, in the same order.

    params: settings.RAYON. An event that cannot be placed is rejected alone; whatever is raised leaves nothing behind.
    """
    if not events:
        return []
    customer_ids = {event.customer_id for event in events}
    with transaction.atomic(durable=True):
        presences = locks.lock_presences(customer_ids=customer_ids)
        if len(presences) == len(customer_ids):
            return run_inside(events, presences=presences, now=now, params=params)
    # Somebody was never seen before. Their presence is made before any is locked, so it is begun anew.
    with transaction.atomic(durable=True):
        locks.make_presences(customer_ids=customer_ids)
        presences = locks.lock_presences(customer_ids=customer_ids)
        return run_inside(events, presences=presences, now=now, params=params)


def run_deadlines(*, now: datetime, limit: int, params: Mapping[str, Any]) -> int:
    """Act on the deadlines that have passed; return how many customers had one, at most `limit`.

    Call again at once while the answer is `limit`. Customers whose events are being decided are left to that.
    """
    with transaction.atomic(durable=True):
        return run_deadlines_inside(now=now, limit=limit, params=params)


def run_inside(
    events: Sequence[Event],
    *,
    presences: Mapping[int, LockedPresence],
    now: datetime,
    params: Mapping[str, Any],
    rehearsal: Rehearsal | None = None,
) -> list[EventResult]:
    """Do what `run` does, inside the caller's transaction, which has locked the customers' presences."""
    intake = take_in(events, presences=presences, now=now, params=params)
    triggers = follow(
        list(intake.stored.values()),
        presences=presences,
        last_fixes=intake.last_fixes,
        dwell_s=intake.dwell_s,
        now=now,
        params=params,
    )
    decisions = _decide(triggers, now=now, params=params, rehearsal=rehearsal)
    return _results(events, intake=intake, triggers=triggers, decisions=decisions)


def run_deadlines_inside(
    *,
    now: datetime,
    limit: int,
    params: Mapping[str, Any],
    only: Sequence[int] | None = None,
    rehearsal: Rehearsal | None = None,
) -> int:
    """Do what `run_deadlines` does, inside the caller's transaction. only: the customers to look at; None: all."""
    presences = locks.claim_due_presences(now=now, limit=limit, only=only)
    if presences:
        _decide(settle(presences, now=now, params=params), now=now, params=params, rehearsal=rehearsal)
    return len(presences)


def _decide(
    triggers: Sequence[Trigger],
    *,
    now: datetime,
    params: Mapping[str, Any],
    rehearsal: Rehearsal | None = None,
) -> Sequence[DecisionMade]:
    """Return one decision a trigger, in the same order."""
    if not triggers:
        return []
    facts = gather_facts([trigger.customer_id for trigger in triggers], now=now, params=params)
    candidates, terms = find(triggers, now=now)
    learned = gather_learned(triggers, candidates, terms, facts)
    choices = choose(triggers, candidates, terms, facts, now=now, params=params, learned=learned)
    claims: Claims = rehearsal.claims if rehearsal else locks
    decisions = issue(
        triggers,
        choices,
        terms,
        facts,
        now=now,
        params=params,
        random_bytes=secrets.token_bytes,
        claims=claims,
    )
    if rehearsal:
        rehearsal.watch(
            Weighed(
                triggers=triggers,
                candidates=candidates,
                terms=terms,
                facts=facts,
                learned=learned,
                decisions=decisions,
            )
        )
    return decisions


def _results(
    events: Sequence[Event],
    *,
    intake: Intake,
    triggers: Sequence[Trigger],
    decisions: Sequence[DecisionMade],
) -> list[EventResult]:
    made: defaultdict[int | None, list[DecisionMade]] = defaultdict(list)
    for trigger, decision in zip(triggers, decisions, strict=True):
        made[trigger.event_row_id].append(decision)

    def result(index: int, event: Event) -> EventResult:
        if index in intake.answered:
            return intake.answered[index]
        stored = intake.stored[intake.repeats.get(index, index)]
        return EventResult(
            event_id=event.event_id,
            status="duplicate" if index in intake.repeats else "accepted",
            decisions=tuple(made[stored.row_id]),
        )

    return [result(index, event) for index, event in enumerate(events)]
