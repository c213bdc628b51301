"""The one way through the house: intake → visits → candidates → decide → issue, one batch in one transaction.

When `run` returns, its results are on disk. A batch of one event costs as many statements as one of five hundred.
"""

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from offers import locks
from offers.flow import DecisionMade, Event, EventResult, Trigger
from offers.locks import LockedPresence
from offers.stages.candidates import find
from offers.stages.decide import choose
from offers.stages.facts import gather_facts
from offers.stages.intake import Intake, take_in
from offers.stages.issue import issue
from offers.stages.visits import follow, settle


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
            return _run(events, presences=presences, now=now, params=params)
    # Somebody was never seen before. Their presence is made before any is locked, so it is begun anew.
    with transaction.atomic(durable=True):
        locks.make_presences(customer_ids=customer_ids)
        presences = locks.lock_presences(customer_ids=customer_ids)
        return _run(events, presences=presences, now=now, params=params)


def _run(
    events: Sequence[Event],
    *,
    presences: Mapping[int, LockedPresence],
    now: datetime,
    params: Mapping[str, Any],
) -> list[EventResult]:
    intake = take_in(events, presences=presences, now=now, params=params)
    triggers = follow(
        list(intake.stored.values()),
        presences=presences,
        last_fixes=intake.last_fixes,
        dwell_s=intake.dwell_s,
        now=now,
        params=params,
    )
    decisions = _decide(triggers, now=now, params=params)
    return _results(events, intake=intake, triggers=triggers, decisions=decisions)


def run_deadlines(*, now: datetime, limit: int, params: Mapping[str, Any]) -> int:
    """Act on the deadlines that have passed; return how many customers had one, at most `limit`.

    Call again at once while the answer is `limit`. Customers whose events are being decided are left to that.
    """
    with transaction.atomic(durable=True):
        presences = locks.claim_due_presences(now=now, limit=limit)
        if presences:
            _decide(settle(presences, now=now, params=params), now=now, params=params)
    return len(presences)


def _decide(
    triggers: Sequence[Trigger], *, now: datetime, params: Mapping[str, Any]
) -> Sequence[DecisionMade]:
    """Return one decision a trigger, in the same order."""
    if not triggers:
        return []
    facts = gather_facts([trigger.customer_id for trigger in triggers], now=now, params=params)
    candidates, terms = find(triggers, now=now)
    choices = choose(triggers, candidates, terms, facts, now=now, params=params)
    return issue(triggers, choices, terms, facts, now=now, params=params, random_bytes=secrets.token_bytes)


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
