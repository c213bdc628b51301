"""One customer's visits, event by event: folded on where the event comes in order, else the whole day anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from offers.flow import Position
from offers.models import LocationEvent, Presence
from tests.benchmarks.obvious import places
from tests.benchmarks.obvious.staying import Sight, Step, Visiting

REMEMBERED = timedelta(minutes=20)
Order = tuple[datetime, str]


@dataclass(kw_only=True)
class Known:
    """What Presence.state keeps of a customer."""

    at: dict[int, Visiting] = field(default_factory=dict)  # by store id
    last: Order | None = None
    settled_at: datetime | None = None


class Following:
    """One customer, locked, at one instant."""

    def __init__(self, presence: Presence, *, now: datetime, params: Mapping[str, Any]) -> None:
        self._presence, self._now = presence, now
        self._params = {**params, "dwell_s_by_aisle": {}}
        self._known = msgspec.json.decode(presence.state, type=Known) if presence.state else Known()
        self._movements: dict[int, str] = {}  # by event

    def follow(self, row: LocationEvent | None) -> tuple[list[Step], bool]:
        """Return the steps of a new event (None: of deadlines alone), in order, and whether it came too fast."""
        if row is None:
            steps = self._settle()
        elif self._is_late(row):
            steps = self._fold_anew(row)
        else:
            self._judge(row, self._last_fix(row))
            steps = (self._see(row, self._known) if row.verdict == "" else []) + self._settle()
            self._known.last = (row.occurred_at, str(row.event_id))
        self._remember()
        is_too_fast = row is not None and self._movements.get(row.pk) == "moving_too_fast"
        return sorted(steps, key=lambda step: step.at), is_too_fast

    def _is_late(self, row: LocationEvent) -> bool:
        order, known = (row.occurred_at, str(row.event_id)), self._known
        return (known.last is not None and order <= known.last) or (
            known.settled_at is not None and row.occurred_at < known.settled_at
        )

    def _last_fix(self, row: LocationEvent) -> LocationEvent | None:
        if row.lat is None:
            return None
        earlier = LocationEvent.objects.filter(
            customer_id=self._presence.customer_id, lat__isnull=False, verdict=""
        )
        return (
            earlier.filter(occurred_at__lte=row.occurred_at).exclude(pk=row.pk).order_by("occurred_at").last()
        )

    def _judge(self, row: LocationEvent, before: LocationEvent | None) -> None:
        """Note what the way to a position says, and write it down where the event cannot be believed."""
        if row.lat is None:
            return
        found = places.movement(before, row, max_speed_mps=self._params["max_speed_mps"])
        verdict = found if found == "implausible_location" else ""
        if verdict != row.verdict:
            row.verdict = verdict
            row.save(update_fields=["verdict"])
        self._movements[row.pk] = found

    def _see(self, row: LocationEvent, known: Known) -> list[Step]:
        """Show an event to each store that it says something of."""
        if row.aisle is not None and row.aisle.dwell_s is not None:
            self._params["dwell_s_by_aisle"][row.aisle.pk] = row.aisle.dwell_s
        chances: dict[int, float] = {}
        named = row.store_id
        if row.lat is not None:
            position = Position(lat=row.lat, lon=row.lon or 0.0, accuracy_m=row.accuracy_m or 0.0)
            open_stores = {store_id for store_id, one in known.at.items() if one.here}
            chances = places.chances(
                position,
                also=open_stores | ({named} if named else set()),
                max_accuracy_m=self._params["max_accuracy_m"],
            )
        sights = {
            store_id: Sight(at=row.occurred_at, event_id=str(row.event_id), kind="fix", p_inside=p)
            for store_id, p in chances.items()
        }
        if named is not None:
            sights[named] = Sight(
                at=row.occurred_at,
                event_id=str(row.event_id),
                kind=row.type,
                aisle=row.aisle_id,
                p_inside=chances.get(named) if row.aisle_id is None else None,
                rssi_dbm=row.rssi_dbm,
            )
        steps = []
        for store_id, sight in sights.items():
            visiting = known.at.setdefault(store_id, Visiting(store=store_id))
            steps += visiting.see(sight, self._params)
        return steps

    def _settle(self) -> list[Step]:
        steps = []
        for visiting in self._known.at.values():
            steps += visiting.settle(self._now, self._params)
        return steps

    def _fold_anew(self, new: LocationEvent) -> list[Step]:
        """Return the steps that the day's events, with the new one in its place, take and did not take without it."""
        since = self._now - timedelta(seconds=self._params["max_event_age_s"])
        day = LocationEvent.objects.filter(customer_id=self._presence.customer_id, occurred_at__gte=since)
        rows = list(
            day.filter(verdict__in=["", "implausible_location"])
            .select_related("store", "aisle")
            .order_by("occurred_at", "event_id")
        )
        then = self._known.settled_at or rows[0].occurred_at
        _, before = self._folded([row for row in rows if row.pk != new.pk], until=then)
        known, after = self._folded(rows, until=max(self._now, then))
        new.refresh_from_db(fields=["verdict"])
        self._known.at = known.at
        self._known.last = (rows[-1].occurred_at, str(rows[-1].event_id))
        ends_before, ends_after = _ends(before), _ends(after)
        return [
            step
            for step in after
            if not any(
                _are_one(step, old, ends=ends_after[_visit_of(step)], old_ends=ends_before[_visit_of(old)])
                for old in before
            )
        ]

    def _folded(self, rows: Sequence[LocationEvent], *, until: datetime) -> tuple[Known, list[Step]]:
        known, steps, last_fix = Known(), [], None
        for row in rows:
            self._judge(row, last_fix)
            if row.verdict == "":
                steps += self._see(row, known)
                last_fix = row if row.lat is not None else last_fix
        for visiting in known.at.values():
            steps += visiting.settle(until, self._params)
        return known, steps

    def _remember(self) -> None:
        known = self._known
        settled = [one.settled_at for one in known.at.values() if one.settled_at]
        known.settled_at = max([*settled, *filter(None, [known.settled_at])], default=None)
        last_at = known.last[0] if known.last else self._now
        known.at = {
            store_id: one
            for store_id, one in known.at.items()
            if one.here or one.signals or (one.left and last_at - one.left.seen_at < REMEMBERED)
        }
        dues = [due[0] for one in known.at.values() if (due := one.next_deadline(self._params))]
        self._presence.state = msgspec.json.encode(known).decode()
        self._presence.last_event_at = last_at
        self._presence.due_at = min(dues, default=None)
        self._presence.save()


def _are_one(step: Step, old: Step, *, ends: datetime | None, old_ends: datetime | None) -> bool:
    """Return whether an earlier fold took this step: one of its kind at its place, in a visit that overlaps its own."""
    if (step.kind, step.store, step.stay.aisle) != (old.kind, old.store, old.stay.aisle):
        return False
    begins, old_begins = step.stay.entered_at, old.stay.entered_at
    overlap = (old_ends is None or begins < old_ends) and (ends is None or old_begins < ends)
    return begins == old_begins or overlap


def _visit_of(step: Step) -> tuple[int, int | None, datetime]:
    return step.store, step.stay.aisle, step.stay.entered_at


def _ends(steps: Sequence[Step]) -> dict[tuple[int, int | None, datetime], datetime | None]:
    """Return when each visit ended, as its last step left it."""
    return {_visit_of(step): step.stay.exited_at for step in steps}
