"""The moving parts of offers.rules.visits: one customer at one store, observation by observation."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from offers.rules.sightings import decides, fresh, heard, level_dbm
from offers.rules.visit_values import (
    Key,
    Kind,
    Observation,
    PlaceKey,
    Transition,
    TransitionKind,
    Visit,
    VisitParams,
    VisitState,
)


class CannotAdvance(ValueError):
    """An observation is older than what the state has seen: fold again from all observations."""


Deadline = tuple[datetime, bool, bool]  # when, is it a silence, is it the store's


def earliest_deadline(store: Visit | None, aisle: Visit | None, params: VisitParams) -> Deadline | None:
    """Return the next deadline of these open visits: dwells before silences, aisles before stores."""
    first: Deadline | None = None
    if store is not None:
        first = (store.last_seen_at + params.store_silence, True, True)
        if store.dwell_due_at is not None and store.dwell_due_at <= first[0]:
            first = (store.dwell_due_at, False, True)
    if aisle is not None:
        silence = (aisle.last_seen_at + params.aisle_silence, True, False)
        if first is None or silence < first:
            first = silence
        if aisle.dwell_due_at is not None:
            first = min(first, (aisle.dwell_due_at, False, False))
    return first


class Fold:
    """The moving parts of advance()."""

    def __init__(self, state: VisitState, params: VisitParams) -> None:
        self.params = params
        self.store_key = state.store
        self.store = state.store_visit
        self.aisle = state.aisle_visit
        self.left = state.left
        self.signals = state.signals
        self.momentary = state.momentary
        self.last = state.last
        self.settled_at = state.settled_at
        self.store_entered_at = state.store_visit.entered_at if state.store_visit else None
        self.transitions: list[Transition] = []

    def state(self) -> VisitState:
        return VisitState(
            store=self.store_key,
            store_visit=self.store,
            aisle_visit=self.aisle,
            left=self.left,
            signals=self.signals,
            momentary=self.momentary,
            last=self.last,
            settled_at=self.settled_at,
        )

    # deadlines

    def earliest(self) -> Deadline | None:
        """Return (when, is it a silence, is it the store's) of the next deadline: dwells first, aisles first."""
        return earliest_deadline(self.store, self.aisle, self.params)

    def settle(self, until: datetime) -> None:
        while (due := self.earliest()) is not None and due[0] <= until:
            at, is_silence, is_store = due
            self.settled_at = at
            if is_silence:
                self.leave(at, event_id=None, store_too=is_store)
            elif is_store:
                self.dwell_store(at, event_id=None)
            else:
                self.dwell_aisle_if_seen(at)

    def dwell_aisle_if_seen(self, at: datetime) -> None:
        assert self.aisle is not None
        if self.aisle.last_seen_at >= at - self.params.fresh:
            self.dwell_aisle(at, event_id=None)
        else:
            self.aisle = replace(self.aisle, dwell_due_at=None)

    # observations

    def observe(self, observation: Observation) -> None:
        order, at = observation.order, observation.occurred_at
        if self.last is not None:
            if order == self.last:
                return
            if order < self.last:
                raise CannotAdvance("An observation is older than one already folded.")
        if self.settled_at is not None and at < self.settled_at:
            raise CannotAdvance("An observation is older than a deadline already settled.")
        self.settle(at)
        if self.last is not None and at > self.last[0]:
            self.momentary = ()
        self.last = order
        if observation.kind is Kind.SIGHTING:
            self.sighting(observation)
        elif observation.kind is Kind.EXIT:
            self.phone_exit(observation)
        elif observation.aisle is None:
            self.store_position(observation)
        else:
            self.aisle_position(observation, observation.aisle)

    def sighting(self, seen: Observation) -> None:
        aisle, at = seen.aisle, seen.occurred_at
        if aisle is None:
            raise ValueError("a sighting is of an aisle")
        self.signals = heard(self.signals, aisle=aisle, at=at, rssi_dbm=seen.rssi_dbm, params=self.params)
        current = self.current_aisle()
        scanned = seen.rssi_dbm is None
        if current == aisle or decides(
            self.signals, aisle=aisle, scanned=scanned, current=current, params=self.params
        ):
            self.be_in_aisle(aisle, seen)
        else:
            self.see_store(at)

    def phone_exit(self, seen: Observation) -> None:
        if seen.aisle is None:
            self.leave(seen.occurred_at, event_id=seen.event_id, store_too=True)
            self.left = None  # the phone watched the edge itself: coming back is a visit of its own
        elif seen.aisle == self.current_aisle():
            self.leave(seen.occurred_at, event_id=seen.event_id, store_too=False)

    def store_position(self, seen: Observation) -> None:
        at = seen.occurred_at
        if self.says_outside(seen):
            # A beacon heard a moment ago knows better than GPS under a roof.
            if not fresh(self.signals, at=at, params=self.params):
                visit = self.store
                self.leave(at, event_id=seen.event_id, store_too=True)
                self.left = visit or self.left
        elif self.store is not None:
            if seen.kind is not Kind.FIX or seen.p_inside is not None:
                self.see_store(at)
        elif self.says_inside(seen):
            self.enter_store(seen)

    def aisle_position(self, seen: Observation, aisle: Key) -> None:
        at, current = seen.occurred_at, self.current_aisle()
        self.signals = fresh(self.signals, at=at, params=self.params)
        beacon_holds = current is not None and level_dbm(self.signals, current) is not None
        if current == aisle:
            if self.says_outside(seen):
                if not beacon_holds:
                    self.leave(at, event_id=seen.event_id, store_too=False)
            elif seen.kind is not Kind.FIX or seen.p_inside is not None:
                self.be_in_aisle(aisle, seen)
        elif self.says_inside(seen) and not beacon_holds:
            self.be_in_aisle(aisle, seen)

    def says_inside(self, seen: Observation) -> bool:
        if seen.kind is Kind.FIX:
            return seen.p_inside is not None and seen.p_inside >= self.params.enter_p
        return seen.p_inside is None or seen.p_inside >= self.params.phone_enter_p

    def says_outside(self, seen: Observation) -> bool:
        return seen.kind is Kind.FIX and seen.p_inside is not None and seen.p_inside <= self.params.exit_p

    # steps

    def current_aisle(self) -> Key | None:
        return None if self.aisle is None else self.aisle.place.aisle

    def see_store(self, at: datetime) -> None:
        if self.store is not None:
            self.store = replace(self.store, last_seen_at=at)

    def enter_store(self, seen: Observation) -> bool:
        """Return whether the store's visit is open now; one that began and ended at this instant stays closed."""
        at = seen.occurred_at
        if None in self.momentary:
            return False
        due = at + timedelta(seconds=self.params.store_dwell_s)
        if self.left is not None and at - self.left.last_seen_at <= timedelta(seconds=self.params.absence_s):
            self.go_on_with(self.left, at=at, dwell_due_at=due)
            return True
        self.left = None
        self.store = Visit(place=PlaceKey(self.store_key), entered_at=at, last_seen_at=at, dwell_due_at=due)
        self.store_entered_at = at
        self.note(TransitionKind.ENTER, at, self.store, event_id=seen.event_id)
        if seen.kind is Kind.DWELL and seen.aisle is None:
            self.dwell_store(at, event_id=seen.event_id)
        return True

    def go_on_with(self, visit: Visit, *, at: datetime, dwell_due_at: datetime) -> None:
        """Open a visit again after an absence too short to be one: no second enter, and no second dwell."""
        due = dwell_due_at if visit.dwelled_at is None else None
        self.store = replace(visit, exited_at=None, last_seen_at=at, dwell_due_at=due)
        self.store_entered_at = visit.entered_at
        self.left = None

    def be_in_aisle(self, aisle: Key, seen: Observation) -> None:
        at = seen.occurred_at
        if self.aisle is not None and self.aisle.place.aisle == aisle:
            self.aisle = replace(self.aisle, last_seen_at=at)
            self.see_store(at)
            self.dwell_aisle_late(at, event_id=seen.event_id)
            return
        if aisle in self.momentary:
            return
        if self.store is None and not self.enter_store(seen):
            return
        self.see_store(at)
        self.leave(at, event_id=seen.event_id, store_too=False)
        due = at + timedelta(seconds=self.dwell_s(aisle))
        self.aisle = Visit(
            place=PlaceKey(self.store_key, aisle), entered_at=at, last_seen_at=at, dwell_due_at=due
        )
        self.note(TransitionKind.ENTER, at, self.aisle, event_id=seen.event_id)
        if seen.kind is Kind.DWELL:
            self.dwell_aisle(at, event_id=seen.event_id)

    def dwell_s(self, aisle: Key) -> float:
        return self.params.aisle_dwell_s_by_aisle.get(aisle, self.params.aisle_dwell_s)

    def dwell_aisle_late(self, at: datetime, *, event_id: str) -> None:
        """Dwell at a sign of life after the deadline passed without a fresh one."""
        visit = self.aisle
        if visit is None or visit.dwelled_at is not None or visit.dwell_due_at is not None:
            return
        self.dwell_aisle(at, event_id=event_id)

    def dwell_aisle(self, at: datetime, *, event_id: str | None) -> None:
        assert self.aisle is not None
        self.aisle = replace(self.aisle, dwell_due_at=None, dwelled_at=at)
        self.note(TransitionKind.DWELL, at, self.aisle, event_id=event_id)

    def dwell_store(self, at: datetime, *, event_id: str | None) -> None:
        assert self.store is not None
        self.store = replace(self.store, dwell_due_at=None, dwelled_at=at)
        self.note(TransitionKind.DWELL, at, self.store, event_id=event_id)

    def leave(self, at: datetime, *, event_id: str | None, store_too: bool) -> None:
        """Close the aisle's visit and, if asked, the store's around it."""
        if self.aisle is not None:
            self.close(self.aisle, at, event_id=event_id)
            self.aisle = None
        if store_too and self.store is not None:
            self.close(self.store, at, event_id=event_id)
            self.store, self.store_entered_at = None, None

    def close(self, visit: Visit, at: datetime, *, event_id: str | None) -> None:
        if visit.entered_at == at:
            self.momentary = (*self.momentary, visit.place.aisle)
        ended = replace(visit, exited_at=at, dwell_due_at=None)
        self.note(TransitionKind.EXIT, at, ended, event_id=event_id)

    def note(self, kind: TransitionKind, at: datetime, visit: Visit, *, event_id: str | None) -> None:
        assert self.store_entered_at is not None
        self.transitions.append(
            Transition(
                kind=kind, at=at, visit=visit, store_entered_at=self.store_entered_at, event_id=event_id
            )
        )
