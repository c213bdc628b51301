"""Visits: from stored events to the steps of visits, in whatever order the events came; docs/algorithms/geofence.md."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from offers.flow import StoredEvent, Trigger
from offers.locks import LockedPresence
from offers.rules.plausibility import Fix, Limits, Movement
from offers.rules.visits import Key, VisitParams, VisitState
from offers.stages.thresholds import limits_of, visit_params
from offers.stages.visits.folding import Folded, fold_anew, fold_on
from offers.stages.visits.heard import (
    Heard,
    Judged,
    change_verdicts,
    count_oddities,
    heard_now,
    heard_since,
    judge,
    last_believed,
    since_silence,
)
from offers.stages.visits.memory import Memory, memory_from_json
from offers.stages.visits.nearby import Nearby, fences_near
from offers.stages.visits.rows import dwell_seconds, remove_visits, write_folds
from offers.stages.visits.triggers import refusal_of, triggers_of

__all__ = ["follow", "settle"]


class _Case(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One customer of the batch."""

    memory: Memory
    judged: tuple[Judged, ...]  # in the order of the fold: the new events, or all since the last long silence
    known: tuple[Judged, ...] | None = None  # None: fold on; else fold anew, these were known before
    seeds: Mapping[int, VisitState]

    @property
    def new(self) -> tuple[Judged, ...]:
        return tuple(each for each in self.judged if each.heard.is_new)


def follow(
    stored: Sequence[StoredEvent],
    *,
    presences: Mapping[int, LockedPresence],
    last_fixes: Mapping[int, Fix],
    dwell_s: Mapping[int, float],
    now: datetime,
    params: Mapping[str, Any],
) -> list[Trigger]:
    """Return the triggers of these new events, in their order, then those of deadlines; keep visits and presences.

    The customers' presences must be locked by this transaction; `dwell_s` has the times of the events' own aisles.
    Seven statements at most, whatever the batch.
    """
    limits = limits_of(params)
    cases = _cases(stored, presences=presences, last_fixes=last_fixes, now=now, params=params, limits=limits)
    nearby = _nearby(cases, params=params)
    folding = visit_params(params, dwell_s_by_aisle=_own_dwells(cases, dwell_s=dwell_s, nearby=nearby))
    folds = {id_: _fold(case, nearby=nearby, now=now, params=folding) for id_, case in cases.items()}
    written = _write(folds, now=now, params=folding)
    change_verdicts(_changed_verdicts(cases))
    count_oddities((id_, each) for id_, case in cases.items() for each in case.new)
    by_row = {each.row_id: each for each in stored}
    found: list[tuple[int | None, Trigger]] = [
        (each.row_id, refusal_of(each, reason=each.verdict)) for each in stored if each.verdict
    ]
    for customer_id, case in cases.items():
        found += triggers_of(
            customer_id,
            steps=folds[customer_id].steps,
            heard=case.new,
            stored=by_row,
            written=written,
            now=now,
            limits=limits,
        )
    order: dict[int | None, int] = {row_id: index for index, row_id in enumerate(by_row)}
    return [trigger for row_id, trigger in sorted(found, key=lambda pair: order.get(pair[0], len(order)))]


def settle(
    presences: Mapping[int, LockedPresence], *, now: datetime, params: Mapping[str, Any]
) -> list[Trigger]:
    """Return the triggers of the deadlines that have passed, and keep visits and presences; one statement."""
    folding = visit_params(params, dwell_s_by_aisle={})
    nothing = Nearby(max_accuracy_m=params["max_accuracy_m"])
    folds = {
        id_: fold_on(memory_from_json(presence.state), (), nearby=nothing, now=now, params=folding)
        for id_, presence in presences.items()
    }
    written = _write(folds, now=now, params=folding)
    triggers = []
    for customer_id, fold in folds.items():
        found = triggers_of(
            customer_id,
            steps=fold.steps,
            heard=(),
            stored={},
            written=written,
            now=now,
            limits=limits_of(params),
        )
        triggers += [trigger for _, trigger in found]
    return triggers


def _cases(
    stored: Sequence[StoredEvent],
    *,
    presences: Mapping[int, LockedPresence],
    last_fixes: Mapping[int, Fix],
    now: datetime,
    params: Mapping[str, Any],
    limits: Limits,
) -> dict[int, _Case]:
    """Return what is to be folded for each customer with an event that is acted on."""
    fresh: defaultdict[int, list[Heard]] = defaultdict(list)
    for each in stored:
        if each.verdict is None:
            fresh[each.event.customer_id].append(heard_now(each))
    memories = {id_: memory_from_json(presences[id_].state) for id_ in fresh}
    late = [
        id_ for id_, heard in fresh.items() if any(memories[id_].must_refold(each.order) for each in heard)
    ]
    since = now - timedelta(seconds=params["max_event_age_s"])
    history = {}
    if late:
        history = heard_since(
            late, since=since, now=now, new={each.row_id for id_ in late for each in fresh[id_]}
        )
    cases = {}
    for id_, heard in fresh.items():
        if id_ in history:
            cases[id_] = _late_case(memories[id_], history[id_], since=since, params=params, limits=limits)
        else:
            heard.sort(key=lambda each: each.order)
            judged = judge(heard, last_fix=last_fixes.get(id_), limits=limits)
            cases[id_] = _Case(memory=memories[id_], judged=judged, seeds={})
    return cases


def _late_case(
    memory: Memory, history: Sequence[Heard], *, since: datetime, params: Mapping[str, Any], limits: Limits
) -> _Case:
    heard = since_silence(history, silence=timedelta(seconds=params["store_silence_s"]))
    last_fix = last_believed(history, before=heard[0].order)
    seeds = {}
    if heard[0] is history[0]:
        # A visit older than what is read goes on: its beginning cannot be folded again.
        seeds = {
            id_: VisitState(store=id_, store_visit=replace(state.store_visit, last_seen_at=since))
            for id_, state in memory.states.items()
            if state.store_visit is not None and state.store_visit.entered_at < since
        }
    return _Case(
        memory=memory,
        judged=judge(heard, last_fix=last_fix, limits=limits),
        known=judge([each for each in heard if not each.is_new], last_fix=last_fix, limits=limits),
        seeds=seeds,
    )


def _fold(case: _Case, *, nearby: Nearby, now: datetime, params: VisitParams) -> Folded:
    if case.known is None:
        return fold_on(case.memory, case.judged, nearby=nearby, now=now, params=params)
    return fold_anew(
        case.memory,
        case.judged,
        known=case.known,
        seeds=case.seeds,
        nearby=nearby,
        now=now,
        params=params,
    )


def _nearby(cases: Mapping[int, _Case], *, params: Mapping[str, Any]) -> Nearby:
    fixes: dict[int, Fix] = {}
    store_ids: set[int] = set()
    for case in cases.values():
        # Also what was believed until a late event spoke against it: its visits must be found to be ended.
        for each in (*case.judged, *(case.known or ())):
            if each.heard.fix is not None and each.movement is not Movement.IMPLAUSIBLE:
                fixes[each.heard.row_id] = each.heard.fix
                store_ids.update(case.memory.states)
                if each.heard.store_id is not None:
                    store_ids.add(each.heard.store_id)
    return fences_near(fixes, store_ids=store_ids, max_accuracy_m=params["max_accuracy_m"])


def _write(folds: Mapping[int, Folded], *, now: datetime, params: VisitParams) -> dict[Any, Any]:
    written = write_folds(folds, now=now, params=params)
    remove_visits([(id_, gone) for id_, fold in folds.items() for gone in fold.gone])
    return written


def _changed_verdicts(cases: Mapping[int, _Case]) -> list[tuple[int, Heard, str]]:
    changes = []
    for customer_id, case in cases.items():
        for each in case.judged:
            verdict = "implausible_location" if each.movement is Movement.IMPLAUSIBLE else ""
            if verdict != each.heard.was:
                changes.append((customer_id, each.heard, verdict))
    return changes


def _own_dwells(
    cases: Mapping[int, _Case], *, dwell_s: Mapping[int, float], nearby: Nearby
) -> Mapping[Key, float]:
    """Return the time one must stay in those aisles that have one of their own; asks only for what was heard before."""
    earlier = {
        each.heard.aisle_id
        for case in cases.values()
        if case.known is not None
        for each in (*case.judged, *case.known)
    }
    found: dict[Key, float] = dict(dwell_seconds(sorted(id_ for id_ in earlier if id_ is not None)))
    found.update(nearby.dwell_s.items())
    found.update(dwell_s.items())
    return found
