"""Where a customer is: visits of one store and its aisles from what was seen, one sight after the other.

docs/algorithms/geofence.md, "Visits". Times of the house's settings are named by `params`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

ABSENCE_S = 600.0
LOUDER_DB, WEAK_DBM, WEAK_COUNT, KEPT = 6.0, -90.0, 3, 5
SCANNED_DBM = 0.0


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What one event says of one place."""

    at: datetime
    event_id: str
    kind: str  # fix, enter, dwell, exit, beacon
    aisle: int | None = None
    p_inside: float | None = None  # None: no position, or too vague a one
    rssi_dbm: float | None = None  # of a beacon; None: a scanned code


@dataclass(frozen=True, kw_only=True)
class Stay:
    aisle: int | None
    entered_at: datetime
    seen_at: datetime
    dwell_due_at: datetime | None
    dwelled_at: datetime | None = None
    exited_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    kind: str  # enter, dwell, exit
    at: datetime
    store: int
    stay: Stay  # as it is after the step
    store_entered_at: datetime
    event_id: str | None  # None: a deadline


@dataclass(kw_only=True)
class Signal:
    aisle: int
    at: datetime
    dbm: float


@dataclass(kw_only=True)
class Visiting:
    """One customer at one store, and all that the next sight needs to know."""

    store: int
    here: Stay | None = None
    aisle: Stay | None = None
    left: Stay | None = None  # ended by a position: a short absence goes on with it
    signals: list[Signal] = field(default_factory=list)
    momentary: list[int | None] = field(default_factory=list)  # entered and left at the last instant
    last_at: datetime | None = None
    settled_at: datetime | None = None

    def see(self, sight: Sight, params: Mapping[str, Any]) -> list[Step]:
        """Take in one sight, after the deadlines that come before it; return the steps that were taken."""
        steps = self.settle(sight.at, params)
        if self.last_at is not None and sight.at > self.last_at:
            self.momentary = []
        self.last_at = sight.at
        if sight.kind == "beacon":
            self._hear(sight, params, steps)
        elif sight.kind == "exit":
            if sight.aisle is None:
                self._leave(sight.at, sight.event_id, steps)
                self.left = None
            elif self.aisle and self.aisle.aisle == sight.aisle:
                self._leave_aisle(sight.at, sight.event_id, steps)
        elif sight.aisle is None:
            self._place(sight, params, steps)
        elif (self.aisle and self.aisle.aisle == sight.aisle) or not self._is_held_by_beacon(
            sight.at, params
        ):
            self._be_in_aisle(sight, params, steps)
        return steps

    def settle(self, until: datetime, params: Mapping[str, Any]) -> list[Step]:
        """Act on every deadline up to `until`."""
        steps: list[Step] = []
        while (due := self.next_deadline(params)) and due[0] <= until:
            at, is_silence, is_store = due
            self.settled_at = at
            if is_silence and is_store:
                self._leave(at, None, steps)
            elif is_silence:
                self._leave_aisle(at, None, steps)
            elif is_store:
                self._dwell_in_store(at, None, steps)
            elif self.aisle and self.aisle.seen_at >= at - _s(params["aisle_sighting_window_s"]):
                self._dwell_in_aisle(at, None, steps)
            elif self.aisle:
                self.aisle = replace(self.aisle, dwell_due_at=None)
        return steps

    def next_deadline(self, params: Mapping[str, Any]) -> tuple[datetime, bool, bool] | None:
        """Return (when, is it a silence, is it the store's): of one instant dwells come first, and aisles."""
        due = []
        for stay, is_store, silence_s in (
            (self.aisle, False, params["aisle_silence_s"]),
            (self.here, True, params["store_silence_s"]),
        ):
            if stay:
                due.append((stay.seen_at + _s(silence_s), True, is_store))
                if stay.dwell_due_at:
                    due.append((stay.dwell_due_at, False, is_store))
        return min(due, default=None)

    def _hear(self, sight: Sight, params: Mapping[str, Any], steps: list[Step]) -> None:
        assert sight.aisle is not None
        dbm = SCANNED_DBM if sight.rssi_dbm is None else sight.rssi_dbm
        self._forget_old_signals(sight.at, params)
        self.signals.append(Signal(aisle=sight.aisle, at=sight.at, dbm=dbm))
        mine = [signal for signal in self.signals if signal.aisle == sight.aisle]
        if len(mine) > KEPT:
            self.signals.remove(mine.pop(0))
        level = median(signal.dbm for signal in mine)
        needed = WEAK_DBM if len(mine) >= WEAK_COUNT else params["strong_rssi_dbm"]
        rival = self._level_of_present_aisle()
        decides = level >= needed and (rival is None or level >= rival + LOUDER_DB)
        is_there = self.aisle is not None and self.aisle.aisle == sight.aisle
        if is_there or sight.rssi_dbm is None or decides:
            self._be_in_aisle(sight, params, steps)
        elif self.here:
            self.here = replace(self.here, seen_at=sight.at)

    def _place(self, sight: Sight, params: Mapping[str, Any], steps: list[Step]) -> None:
        """A position, or the phone's own word, on the store itself."""
        p, is_fix = sight.p_inside, sight.kind == "fix"
        if is_fix and p is not None and p <= params["exit_probability"]:
            self._forget_old_signals(sight.at, params)
            if not self.signals:
                left = self.here
                self._leave(sight.at, sight.event_id, steps)
                self.left = left or self.left
        elif self.here:
            if p is not None or not is_fix:
                self.here = replace(self.here, seen_at=sight.at)
        elif (is_fix and p is not None and p >= params["enter_probability"]) or (
            not is_fix and (p is None or p >= params["phone_enter_probability"])
        ):
            self._enter(sight, params, steps)

    def _enter(self, sight: Sight, params: Mapping[str, Any], steps: list[Step]) -> None:
        if None in self.momentary:
            return
        due = sight.at + _s(params["store_dwell_s"])
        left, self.left = self.left, None
        if left and sight.at - left.seen_at <= _s(ABSENCE_S):
            due_again = None if left.dwelled_at else due
            self.here = replace(left, exited_at=None, seen_at=sight.at, dwell_due_at=due_again)
            return
        self.here = Stay(aisle=None, entered_at=sight.at, seen_at=sight.at, dwell_due_at=due)
        self._note("enter", sight.at, self.here, sight.event_id, steps)
        if sight.kind == "dwell" and sight.aisle is None:
            self._dwell_in_store(sight.at, sight.event_id, steps)

    def _be_in_aisle(self, sight: Sight, params: Mapping[str, Any], steps: list[Step]) -> None:
        assert sight.aisle is not None
        if self.aisle and self.aisle.aisle == sight.aisle:
            self.aisle = replace(self.aisle, seen_at=sight.at)
            if self.here:
                self.here = replace(self.here, seen_at=sight.at)
            if self.aisle.dwell_due_at is None and self.aisle.dwelled_at is None:
                self._dwell_in_aisle(sight.at, sight.event_id, steps)
            return
        if sight.aisle in self.momentary:
            return
        if not self.here:
            self._enter(sight, params, steps)
        if not self.here:
            return
        self.here = replace(self.here, seen_at=sight.at)
        self._leave_aisle(sight.at, sight.event_id, steps)
        due = sight.at + _s(params["dwell_s_by_aisle"].get(sight.aisle, params["aisle_dwell_s"]))
        self.aisle = Stay(aisle=sight.aisle, entered_at=sight.at, seen_at=sight.at, dwell_due_at=due)
        self._note("enter", sight.at, self.aisle, sight.event_id, steps)
        if sight.kind == "dwell":
            self._dwell_in_aisle(sight.at, sight.event_id, steps)

    def _dwell_in_store(self, at: datetime, event_id: str | None, steps: list[Step]) -> None:
        assert self.here is not None
        self.here = replace(self.here, dwell_due_at=None, dwelled_at=at)
        self._note("dwell", at, self.here, event_id, steps)

    def _dwell_in_aisle(self, at: datetime, event_id: str | None, steps: list[Step]) -> None:
        assert self.aisle is not None
        self.aisle = replace(self.aisle, dwell_due_at=None, dwelled_at=at)
        self._note("dwell", at, self.aisle, event_id, steps)

    def _leave(self, at: datetime, event_id: str | None, steps: list[Step]) -> None:
        self._leave_aisle(at, event_id, steps)
        if self.here:
            self._end(self.here, at, event_id, steps)
            self.here = None

    def _leave_aisle(self, at: datetime, event_id: str | None, steps: list[Step]) -> None:
        if self.aisle:
            self._end(self.aisle, at, event_id, steps)
            self.aisle = None

    def _end(self, stay: Stay, at: datetime, event_id: str | None, steps: list[Step]) -> None:
        if stay.entered_at == at:
            self.momentary.append(stay.aisle)
        self._note("exit", at, replace(stay, exited_at=at, dwell_due_at=None), event_id, steps)

    def _note(self, kind: str, at: datetime, stay: Stay, event_id: str | None, steps: list[Step]) -> None:
        assert self.here is not None
        steps.append(
            Step(
                kind=kind,
                at=at,
                store=self.store,
                stay=stay,
                store_entered_at=self.here.entered_at,
                event_id=event_id,
            )
        )

    def _forget_old_signals(self, at: datetime, params: Mapping[str, Any]) -> None:
        since = at - _s(params["aisle_sighting_window_s"])
        self.signals = [signal for signal in self.signals if signal.at > since]

    def _level_of_present_aisle(self) -> float | None:
        mine = [signal.dbm for signal in self.signals if self.aisle and signal.aisle == self.aisle.aisle]
        return median(mine) if mine else None

    def _is_held_by_beacon(self, at: datetime, params: Mapping[str, Any]) -> bool:
        self._forget_old_signals(at, params)
        return self._level_of_present_aisle() is not None


def _s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
