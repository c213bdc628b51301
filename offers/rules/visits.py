"""Visits as a fold over one customer's observations at one store and its aisles; docs/algorithms/geofence.md.

The fold sees observations in the order they happened. Deadlines (dwell, silence) are settled on the way, each
before an observation of the same instant, so that a clock that fires them early changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from offers.rules.visit_fold import CannotAdvance, Fold, earliest_deadline
from offers.rules.visit_values import (
    Key,
    Kind,
    Observation,
    PlaceKey,
    Signal,
    Transition,
    TransitionKind,
    Visit,
    VisitParams,
    VisitState,
)

__all__ = [
    "CannotAdvance",
    "Key",
    "Kind",
    "Observation",
    "PlaceKey",
    "Signal",
    "Transition",
    "TransitionKind",
    "Visit",
    "VisitParams",
    "VisitState",
    "advance",
    "new_transitions",
    "next_deadline",
    "visits_of",
]

DEFAULT_PARAMS = VisitParams()


def advance(
    state: VisitState,
    observations: Iterable[Observation],
    *,
    until: datetime,
    params: VisitParams = DEFAULT_PARAMS,
) -> tuple[VisitState, tuple[Transition, ...]]:
    """Return the state after these observations and every deadline up to `until`, and the steps it took.

    observations: in any order; repeated ones count once. Start from VisitState(store=...) to fold anew.
    until: the server's clock; deadlines at or before it are settled. Steps come in the order they happened.
    Raises CannotAdvance if an observation precedes one folded before, or a deadline already settled.
    """
    fold = Fold(state, params)
    found = list(observations)
    if len(found) > 1:
        found.sort(key=_order)
    for observation in found:
        fold.observe(observation)
    fold.settle(until)
    return fold.state(), tuple(fold.transitions)


def next_deadline(state: VisitState, *, params: VisitParams = DEFAULT_PARAMS) -> datetime | None:
    """Return when the fold must go on even if the phone stays silent; None if nothing is open."""
    due = earliest_deadline(state.store_visit, state.aisle_visit, params)
    return due[0] if due else None


def visits_of(transitions: Sequence[Transition]) -> tuple[Visit, ...]:
    """Return the visits these steps tell of, each as its last step left it, in the order they began."""
    latest: dict[tuple[PlaceKey, datetime], Visit] = {}
    for transition in transitions:
        latest[(transition.place, transition.entered_at)] = transition.visit
    return tuple(latest.values())


def new_transitions(*, before: Sequence[Transition], after: Sequence[Transition]) -> tuple[Transition, ...]:
    """Return the steps of a fold anew that an earlier fold over fewer observations had not taken.

    A step is known if the earlier fold took one of its kind, at its place, in a visit that overlaps its own:
    a late event may move the start of a visit or split it, but nobody enters one visit twice.
    """
    spans_before = {(visit.place, visit.entered_at): visit.exited_at for visit in visits_of(before)}
    spans_after = {(visit.place, visit.entered_at): visit.exited_at for visit in visits_of(after)}

    def is_known(step: Transition) -> bool:
        end = spans_after[(step.place, step.entered_at)]
        return any(
            old.kind == step.kind
            and old.place == step.place
            and (
                old.entered_at == step.entered_at
                or (
                    _starts_before(old.entered_at, end)
                    and _starts_before(step.entered_at, spans_before[(old.place, old.entered_at)])
                )
            )
            for old in before
        )

    return tuple(step for step in after if not is_known(step))


def _starts_before(start: datetime, end: datetime | None) -> bool:
    return end is None or start < end


def _order(observation: Observation) -> tuple[datetime, str, bool, str]:
    return observation.order
