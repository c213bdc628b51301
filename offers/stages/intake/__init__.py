"""Intake: events judged one by one, and what is new put on disk, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offers.flow import Event, EventResult, Place, StoredEvent
from offers.locks import LockedPresence
from offers.rules.plausibility import Clock, Fix, Limits, clock_of
from offers.stages.intake.answers import first_decisions
from offers.stages.intake.look import Known, Standing, look
from offers.stages.intake.places import triple
from offers.stages.intake.rows import insert_events, touch_devices
from offers.stages.thresholds import limits_of

__all__ = ["Intake", "Standing", "take_in"]

Key = tuple[int, str]  # customer, event id

NOT_ACTED_ON = {Clock.TOO_OLD: "stale", Clock.FUTURE: "stale", Clock.EPOCH: "stale"}


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What became of a batch; every index is one of the batch."""

    answered: Mapping[int, EventResult]  # rejected, and duplicates of earlier batches
    stored: Mapping[int, StoredEvent]  # new and on disk, in the batch's order
    repeats: Mapping[int, int]  # a duplicate within the batch: index of the one that was stored
    last_fixes: Mapping[int, Fix]  # by customer id: the last believed position
    dwell_s: Mapping[int, float]  # by aisle id, of the events' places that have a time of their own


@dataclass
class _Sorting:
    answered: dict[int, EventResult] = field(default_factory=dict)
    fresh: list[tuple[int, Event, Place | None, str | None]] = field(default_factory=list)
    repeats: dict[int, int] = field(default_factory=dict)
    known: dict[int, Event] = field(default_factory=dict)


def take_in(
    events: Sequence[Event],
    *,
    presences: Mapping[int, LockedPresence],
    now: datetime,
    params: Mapping[str, Any],
) -> Intake:
    """Store what is new of a batch, and answer what is repeated or cannot be placed.

    The customers' presences must be locked by this transaction; without one, a customer's events are invalid. Without
    the consent to geolocation an event is kept without its position and place. Four statements at most.
    """
    known = look(events, presences=presences, now=now)
    sorting = _sort(events, known=known, now=now, limits=limits_of(params))
    if sorting.known:
        keys = {(event.customer_id, event.event_id): None for event in sorting.known.values()}
        decisions = first_decisions(list(keys), now=now)
        for index, event in sorting.known.items():
            sorting.answered[index] = EventResult(
                event_id=event.event_id,
                status="duplicate",
                decisions=decisions.get((event.customer_id, event.event_id), ()),
            )
    rows = insert_events([(event, place, verdict) for _, event, place, verdict in sorting.fresh], now=now)
    touch_devices(events, now=now)
    return Intake(
        answered=sorting.answered,
        stored={
            index: StoredEvent(
                row_id=rows[event.customer_id, event.event_id], event=event, place=place, verdict=verdict
            )
            for index, event, place, verdict in sorting.fresh
        },
        repeats=sorting.repeats,
        last_fixes={id_: standing.last_fix for id_, standing in known.standings.items() if standing.last_fix},
        dwell_s=known.dwell_s,
    )


def _sort(events: Sequence[Event], *, known: Known, now: datetime, limits: Limits) -> _Sorting:
    places, digests = known.places, known.digests
    first_at: dict[Key, int] = {}
    sorting = _Sorting()
    for index, event in enumerate(events):
        key = (event.customer_id, event.event_id)
        standing = known.standings.get(event.customer_id)
        if standing is None:
            sorting.answered[index] = _rejected(event, "invalid")
        elif key in digests:
            if digests[key] != event.digest:
                sorting.answered[index] = _rejected(event, "event_id_reused")
            elif key in first_at:
                sorting.repeats[index] = first_at[key]
            else:
                sorting.known[index] = event
        elif event.geofence is not None and event.geofence not in places.by_geofence:
            sorting.answered[index] = _rejected(event, "unknown_geofence")
        elif event.beacon is not None and triple(event.beacon) not in places.by_beacon:
            sorting.answered[index] = _rejected(event, "unknown_beacon")
        else:
            digests[key] = event.digest
            first_at[key] = index
            verdict = _verdict(event, standing=standing, now=now, limits=limits)
            place = None if verdict == "no_consent" else places.of(event)
            sorting.fresh.append((index, event, place, verdict))
    return sorting


def _verdict(event: Event, *, standing: Standing, now: datetime, limits: Limits) -> str | None:
    if "geolocation" not in standing.granted:
        return "no_consent"
    return NOT_ACTED_ON.get(clock_of(occurred_at=event.occurred_at, now=now, limits=limits))


def _rejected(event: Event, error: str) -> EventResult:
    return EventResult(event_id=event.event_id, status="rejected", error=error)
