"""What the fold over a phone's observations takes, gives and remembers; docs/algorithms/geofence.md."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import force_setattr

Key = int | str


class Kind(StrEnum):
    """Where an observation comes from."""

    FIX = "fix"
    ENTER = "enter"  # the phone's own transition, as are the next two
    EXIT = "exit"
    DWELL = "dwell"
    SIGHTING = "sighting"  # of an aisle's beacon, or its code scanned


class TransitionKind(StrEnum):
    ENTER = "enter"
    DWELL = "dwell"
    EXIT = "exit"


class PlaceKey(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A store, or one of its aisles."""

    store: Key
    aisle: Key | None = None


class Observation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one event says about one place; a fix gives one for the store and one for each aisle with an area."""

    occurred_at: datetime  # aware
    event_id: str
    kind: Kind
    aisle: Key | None = None  # None: about the store itself; needed for a sighting
    p_inside: float | None = None  # 0..1; None: no location, or one too vague to decide
    rssi_dbm: int | None = None  # of a sighting; None: a scanned code

    @property
    def order(self) -> tuple[datetime, str, bool, str]:
        """Return the place in the one order in which everything is folded: the store before its aisles."""
        return (self.occurred_at, self.event_id, self.aisle is not None, str(self.aisle))


class Visit(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """A stay at a place: [entered_at, exited_at)."""

    place: PlaceKey
    entered_at: datetime
    exited_at: datetime | None = None  # None: still there
    last_seen_at: datetime
    dwell_due_at: datetime | None  # None: fired, or waits for the next sign of life
    dwelled_at: datetime | None = None


class Transition(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One step of a visit."""

    kind: TransitionKind
    at: datetime
    visit: Visit  # as it is right after the step
    store_entered_at: datetime  # when the store visit that it belongs to began
    event_id: str | None  # the event that decided it; None: a deadline

    @property
    def place(self) -> PlaceKey:
        return self.visit.place

    @property
    def entered_at(self) -> datetime:
        return self.visit.entered_at


class Signal(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """A sighting that still counts."""

    aisle: Key
    at: datetime
    rssi_dbm: int


class VisitState(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """All that folding on needs of one customer at one store; equal states fold on equally."""

    store: Key
    store_visit: Visit | None = None
    aisle_visit: Visit | None = None  # one aisle at a time
    left: Visit | None = None  # the store's visit that a position ended last: a short absence goes on with it
    signals: tuple[Signal, ...] = ()  # oldest first
    momentary: tuple[
        Key | None, ...
    ] = ()  # places entered and left at the last instant: not entered again at it
    last: tuple[datetime, str, bool, str] | None = None  # order of the last observation
    settled_at: datetime | None = None  # the last deadline that was acted on

    @property
    def open_visits(self) -> tuple[Visit, ...]:
        """Return the store's visit and the aisle's, as far as they are open."""
        store, aisle = self.store_visit, self.aisle_visit
        if store is None:
            return () if aisle is None else (aisle,)
        return (store,) if aisle is None else (store, aisle)


class VisitParams(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The thresholds of the fold."""

    enter_p: float = 0.8
    exit_p: float = 0.2
    phone_enter_p: float = 0.5  # enough together with the phone's own word
    store_dwell_s: float = 120.0
    aisle_dwell_s: float = 15.0
    aisle_dwell_s_by_aisle: Mapping[Key, float] = msgspec.field(default_factory=dict)
    aisle_silence_s: float = 30.0
    store_silence_s: float = 1_200.0
    absence_s: float = 600.0  # away no longer than this, by positions alone: the same visit of the store
    fresh_s: float = 10.0  # a sighting counts for less than this; a dwell needs one of at most this age
    strong_dbm: float = -75.0  # at or above, a lone sighting decides
    weak_dbm: float = -90.0  # at or above, the median of several decides
    weak_count: int = 3
    hysteresis_db: float = 6.0  # by which a neighbouring aisle must be louder
    max_signals: int = 5  # per aisle
    store_silence: timedelta = timedelta(0)  # store_silence_s and the next ones, made once
    aisle_silence: timedelta = timedelta(0)
    fresh: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        for name in ("store_silence", "aisle_silence", "fresh"):
            force_setattr(self, name, timedelta(seconds=getattr(self, f"{name}_s")))
