"""From the steps of visits, and the events that lead to none, to the triggers that ask for a decision."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from offers.flow import Place, StoredEvent, Trigger
from offers.rules.plausibility import Clock, Limits, Movement, clock_of
from offers.rules.visits import Transition
from offers.stages.visits.heard import Judged
from offers.stages.visits.rows import VisitKey, key_of

Written = Mapping[VisitKey, tuple[int, Place]]


def refusal_of(stored: StoredEvent, *, reason: str) -> Trigger:
    """Return the trigger of an event that leads to no step: one decision, with its reason and no place."""
    return Trigger(
        customer_id=stored.event.customer_id,
        device_id=stored.event.device_id,
        event_row_id=stored.row_id,
        event_id=stored.event.event_id,
        transition=None,
        place=None,
        visit_id=None,
        store_visit_entered_at=None,
        occurred_at=stored.event.occurred_at,
        refusal=reason,
    )


def triggers_of(
    customer_id: int,
    *,
    steps: Sequence[Transition],
    heard: Sequence[Judged],
    stored: Mapping[int, StoredEvent],
    written: Written,
    now: datetime,
    limits: Limits,
) -> list[tuple[int | None, Trigger]]:
    """Return (row id of the event, trigger) of one customer: refusals of new events, then the steps in order.

    `heard` are the customer's new events, in the order they happened; `stored` holds them by row id. A step
    belongs to the event that caused it or, for a deadline, to the first one after it. A late event has one
    decision, `stale`, in which its late steps are included; a deadline that is not late is then nobody's.
    """
    late = {each.heard.row_id for each in heard if _is_late(each.heard.at, now=now, limits=limits)}
    found: list[tuple[int | None, Trigger]] = []
    for each in heard:
        row_id = each.heard.row_id
        if each.movement is Movement.IMPLAUSIBLE:
            found.append((row_id, refusal_of(stored[row_id], reason="implausible_location")))
        elif row_id in late:
            found.append((row_id, refusal_of(stored[row_id], reason="stale")))
    for step in steps:
        owner = _owner(step, heard)
        is_late = _is_late(step.at, now=now, limits=limits)
        if owner is not None and owner.heard.row_id in late:
            if is_late:
                continue
            owner = None
        trigger = _of_step(customer_id, step, owner=owner, stored=stored, written=written, is_late=is_late)
        found.append((trigger.event_row_id, trigger))
    return found


def _owner(step: Transition, heard: Sequence[Judged]) -> Judged | None:
    for each in heard:
        if each.heard.event_id == step.event_id:
            return each
    return next((each for each in heard if each.heard.at >= step.at), heard[-1] if heard else None)


def _of_step(
    customer_id: int,
    step: Transition,
    *,
    owner: Judged | None,
    stored: Mapping[int, StoredEvent],
    written: Written,
    is_late: bool,
) -> Trigger:
    visit_id, place = written[key_of(customer_id, step.visit)]
    too_fast = (
        owner is not None
        and owner.heard.event_id == step.event_id
        and owner.movement is Movement.MOVING_TOO_FAST
    )
    return Trigger(
        customer_id=customer_id,
        device_id=owner.heard.device_id if owner else None,
        event_row_id=owner.heard.row_id if owner else None,
        event_id=owner.heard.event_id if owner else None,
        transition=step.kind.value,
        place=place,
        visit_id=visit_id,
        store_visit_entered_at=step.store_entered_at,
        occurred_at=step.at,
        refusal="stale" if is_late else "moving_too_fast" if too_fast else None,
        position=stored[owner.heard.row_id].event.position if owner else None,
    )


def _is_late(at: datetime, *, now: datetime, limits: Limits) -> bool:
    return clock_of(occurred_at=at, now=now, limits=limits) not in (Clock.OK, Clock.FUTURE)
