"""One customer's events folded into visits: from where the last batch stood, or anew where one came late."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from offers.rules.plausibility import Fix, Movement
from offers.rules.visits import (
    Kind,
    Observation,
    PlaceKey,
    Transition,
    Visit,
    VisitParams,
    VisitState,
    advance,
    new_transitions,
    visits_of,
)
from offers.stages.visits.heard import Heard, Judged
from offers.stages.visits.memory import Memory, remembered
from offers.stages.visits.nearby import Nearby

States = Mapping[int, VisitState]  # by store id


class Gone(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A visit that the events do not tell of any more; `now_part_of` is the one that took its time."""

    visit: Visit
    now_part_of: Visit | None


class Folded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    memory: Memory
    steps: tuple[Transition, ...]  # that ask for a decision, in the order they happened
    visits: tuple[Visit, ...]  # to be written
    gone: tuple[Gone, ...] = ()


def fold_on(
    memory: Memory, judged: Sequence[Judged], *, nearby: Nearby, now: datetime, params: VisitParams
) -> Folded:
    """Return the fold after these events, all of them later than what it has seen, and deadlines up to now."""
    observed = observations(judged, nearby=nearby, states=memory.states, exit_p=params.exit_p)
    states, steps = _advance(memory.states, observed, until=now, params=params)
    after = remembered(
        states.values(),
        last=judged[-1].heard.order if judged else memory.last,
        settled_at=memory.settled_at,
        fix=_last_fix(judged) or memory.fix,
    )
    # A row for each visit that took a step or goes on after an absence: that somebody is still there stands in the
    # memory alone.
    visits = {_key(visit): visit for visit in visits_of(steps)} if steps else {}
    for store_id in observed:
        before = memory.states.get(store_id)
        for visit in states[store_id].open_visits:
            # One that ended and went on within this batch is known by its end, and open all the same.
            key = _key(visit)
            if key in visits or before is None or not _was_open(visit, before):
                visits[key] = visit
    return Folded(memory=after, steps=steps, visits=tuple(visits.values()))


def fold_anew(
    memory: Memory,
    judged: Sequence[Judged],
    *,
    known: Sequence[Judged],
    seeds: States,
    nearby: Nearby,
    now: datetime,
    params: VisitParams,
) -> Folded:
    """Return the fold over all that was heard, and what in it is new against the events known before.

    Both folds start from the same seeds. A deadline that was settled before counts as settled in both.
    """
    then = memory.settled_at or min(each.heard.at for each in judged)
    states_before, before = _advance(
        seeds,
        observations(known, nearby=nearby, states=seeds, exit_p=params.exit_p),
        until=then,
        params=params,
    )
    states, after = _advance(
        seeds,
        observations(judged, nearby=nearby, states=seeds, exit_p=params.exit_p),
        until=max(now, then),
        params=params,
    )
    old, new = _visits(states_before, before), _visits(states, after)
    return Folded(
        memory=remembered(
            states.values(),
            last=judged[-1].heard.order,
            settled_at=memory.settled_at,
            fix=_last_fix(judged) or memory.fix,
        ),
        steps=new_transitions(before=before, after=after),
        visits=tuple(
            _with_fired_dwell(visit, old.values()) for key, visit in new.items() if old.get(key) != visit
        ),
        gone=tuple(
            Gone(visit=visit, now_part_of=_overlapping(visit, new.values()))
            for key, visit in old.items()
            if key not in new
        ),
    )


def observations(
    judged: Sequence[Judged], *, nearby: Nearby, states: States, exit_p: float
) -> dict[int, list[Observation]]:
    """Return what the believable events say of each store that matters, by store id.

    A store matters if a visit is open, the phone names it, or a fix may be inside it.
    """
    believed = [each.heard for each in judged if each.movement is not Movement.IMPLAUSIBLE]
    found: defaultdict[int, list[Observation]] = defaultdict(list)
    matters = _that_matter(believed, nearby=nearby, states=states, exit_p=exit_p)
    for heard in believed:
        if heard.store_id is not None:
            found[heard.store_id].append(_of_phone(heard, store_id=heard.store_id, nearby=nearby))
        if heard.fix is not None:
            _add_fix(found, heard, heard.fix, nearby=nearby, store_ids=matters)
    return found


def _that_matter(
    believed: Sequence[Heard], *, nearby: Nearby, states: States, exit_p: float
) -> Iterable[int]:
    """Return the stores of which a position must be judged; none where there is no position."""
    if all(heard.fix is None for heard in believed):
        return ()
    matters = set(states)
    for heard in believed:
        if heard.store_id is not None:
            matters.add(heard.store_id)
        if heard.row_id in nearby.stores:
            matters.update(store for store, p in nearby.stores[heard.row_id].items() if p > exit_p)
        if heard.row_id in nearby.aisles:
            matters.update(store for store, _ in nearby.aisles[heard.row_id])
    return matters


def _of_phone(heard: Heard, *, store_id: int, nearby: Nearby) -> Observation:
    """Return what the phone itself says of the place it names."""
    kind = Kind.SIGHTING if heard.type == "beacon" else Kind(heard.type)
    p = None
    if heard.fix is not None and kind is not Kind.SIGHTING:
        if heard.aisle_id is not None:
            p = nearby.aisles.get(heard.row_id, {}).get((store_id, heard.aisle_id))
        elif nearby.decides(fix=heard.fix, store_id=store_id):
            p = nearby.stores.get(heard.row_id, {}).get(store_id, 0.0)
    return Observation(
        occurred_at=heard.at,
        event_id=heard.event_id,
        kind=kind,
        aisle=heard.aisle_id,
        p_inside=p,
        rssi_dbm=heard.rssi_dbm,
    )


def _add_fix(
    found: defaultdict[int, list[Observation]],
    heard: Heard,
    fix: Fix,
    *,
    nearby: Nearby,
    store_ids: Iterable[int],
) -> None:
    """Add what a position says of every store that matters; of the place the phone names, its word is enough."""
    near = nearby.stores.get(heard.row_id, {})
    for store_id in store_ids:
        if store_id != heard.store_id and nearby.decides(fix=fix, store_id=store_id):
            p = near.get(store_id, 0.0)
            found[store_id].append(
                Observation(occurred_at=heard.at, event_id=heard.event_id, kind=Kind.FIX, p_inside=p)
            )
    for (store_id, aisle_id), p in nearby.aisles.get(heard.row_id, {}).items():
        if store_id != heard.store_id or heard.aisle_id is None:
            found[store_id].append(
                Observation(
                    occurred_at=heard.at, event_id=heard.event_id, kind=Kind.FIX, aisle=aisle_id, p_inside=p
                )
            )


def _advance(
    states: States, observed: Mapping[int, Sequence[Observation]], *, until: datetime, params: VisitParams
) -> tuple[dict[int, VisitState], tuple[Transition, ...]]:
    """Return the states by store and all steps, in the order they happened."""
    after: dict[int, VisitState] = {}
    steps: list[Transition] = []
    stores = {*states, *observed}
    for store_id in sorted(stores) if len(stores) > 1 else stores:
        state = states.get(store_id) or VisitState(store=store_id)
        after[store_id], taken = advance(state, observed.get(store_id, ()), until=until, params=params)
        steps.extend(taken)
    if len(steps) > 1:
        steps.sort(key=_when)
    return after, tuple(steps)


def _key(visit: Visit) -> tuple[PlaceKey, datetime]:
    return visit.place, visit.entered_at


def _was_open(visit: Visit, before: VisitState) -> bool:
    """Return whether this visit, as told by its place and beginning, was open in that state."""
    was = before.store_visit if visit.place.aisle is None else before.aisle_visit
    return was is not None and was.entered_at == visit.entered_at and was.place == visit.place


def _when(step: Transition) -> datetime:
    return step.at


def _last_fix(judged: Sequence[Judged]) -> tuple[int, str] | None:
    for each in reversed(judged):
        if each.heard.fix is not None and each.movement is not Movement.IMPLAUSIBLE:
            return each.heard.row_id, each.heard.event_id
    return None


def _visits(states: States, steps: Sequence[Transition]) -> dict[tuple[PlaceKey, datetime], Visit]:
    visits = {_key(visit): visit for visit in visits_of(steps)}
    for state in states.values():
        visits.update({_key(visit): visit for visit in state.open_visits})
    return visits


def _overlapping(visit: Visit, others: Iterable[Visit]) -> Visit | None:
    for other in others:
        if (other.place == visit.place and _begins_within(visit, other)) or (
            other.place == visit.place and _begins_within(other, visit)
        ):
            return other
    return None


def _begins_within(visit: Visit, other: Visit) -> bool:
    return visit.entered_at >= other.entered_at and (
        other.exited_at is None or visit.entered_at <= other.exited_at
    )


def _with_fired_dwell(visit: Visit, old: Iterable[Visit]) -> Visit:
    """Return the visit with the dwell that was fired in it: a fired deadline stays fired."""
    before = _overlapping(visit, old)
    if visit.dwelled_at is None and before is not None and before.dwelled_at is not None:
        return replace(visit, dwelled_at=before.dwelled_at)
    return visit
