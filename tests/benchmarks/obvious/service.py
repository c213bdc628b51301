"""One event, one transaction: stored, placed, folded into visits, decided. The obvious way through the house."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction

from customers.models import Customer, Device
from offers.flow import Event, Position
from offers.models import Aisle, LocationEvent, Presence, Store, Visit
from tests.benchmarks.obvious import places
from tests.benchmarks.obvious.issuing import Trigger, rule
from tests.benchmarks.obvious.reasons import Judge, offers_at
from tests.benchmarks.obvious.staying import Sight, Step, Visiting

REMEMBERED = timedelta(minutes=20)
DEVICE_SEEN_EVERY = timedelta(minutes=1)
Order = tuple[datetime, str]


@dataclass(frozen=True, kw_only=True)
class Result:
    status: str  # accepted, duplicate, rejected
    error: str | None = None


@dataclass(kw_only=True)
class Known:
    """What Presence.state keeps of a customer."""

    at: dict[int, Visiting] = field(default_factory=dict)  # by store id
    last: Order | None = None
    settled_at: datetime | None = None


def decide(event: Event, *, now: datetime, params: Mapping[str, Any]) -> Result:
    """Take in one event and act on it. params: settings.RAYON."""
    with transaction.atomic():
        customer = Customer.objects.filter(pk=event.customer_id, erased_at=None).first()
        if customer is None:
            return Result(status="rejected", error="invalid")
        presence, _ = Presence.objects.select_for_update().get_or_create(customer=customer)
        before = LocationEvent.objects.filter(customer=customer, event_id=event.event_id).first()
        if before is not None:
            if bytes(before.digest) != event.digest:
                return Result(status="rejected", error="event_id_reused")
            return Result(status="duplicate")
        try:
            place = places.named_place(event)
        except places.Unknown as error:
            return Result(status="rejected", error=str(error))
        row = _store(event, place, customer=customer, now=now, params=params)
        Device.objects.filter(
            customer=customer, device_id=event.device_id, last_seen_at__lt=now - DEVICE_SEEN_EVERY
        ).update(last_seen_at=now)
        house = _House(customer, presence, now=now, params=params)
        house.act(row)
    return Result(status="accepted")


def fire_deadlines(*, now: datetime, params: Mapping[str, Any]) -> None:
    """Act on the deadlines that have passed, each customer in a transaction."""
    for customer_id in Presence.objects.filter(due_at__lte=now).values_list("customer_id", flat=True):
        with transaction.atomic():
            presence = Presence.objects.select_for_update().get(customer_id=customer_id)
            _House(presence.customer, presence, now=now, params=params).act(None)


def _store(
    event: Event,
    place: places.Named | None,
    *,
    customer: Customer,
    now: datetime,
    params: Mapping[str, Any],
) -> LocationEvent:
    verdict = ""
    if "geolocation" not in customer.granted:
        verdict = "no_consent"
    elif places.is_stale(event.occurred_at, now=now, max_age_s=params["max_event_age_s"]):
        verdict = "stale"
    hidden = verdict == "no_consent"
    position = None if hidden else event.position
    store, aisle = (None, None) if hidden or place is None else place
    return LocationEvent.objects.create(
        customer=customer,
        event_id=event.event_id,
        digest=event.digest,
        device_id=event.device_id,
        type=event.type,
        store=store,
        aisle=aisle,
        rssi_dbm=event.beacon.rssi_dbm if event.beacon and not hidden else None,
        lat=position.lat if position else None,
        lon=position.lon if position else None,
        accuracy_m=position.accuracy_m if position else None,
        is_mock=position.is_mock if position else False,
        occurred_at=event.occurred_at,
        received_at=now,
        verdict=verdict,
    )


class _House:
    """One customer, locked, at one instant."""

    def __init__(
        self, customer: Customer, presence: Presence, *, now: datetime, params: Mapping[str, Any]
    ) -> None:
        self._customer, self._presence, self._now = customer, presence, now
        self._params = {**params, "dwell_s_by_aisle": {}}
        self._known = msgspec.convert(presence.state, type=Known, strict=False, str_keys=True)
        self._late = timedelta(seconds=params["max_push_lateness_s"])

    def act(self, row: LocationEvent | None) -> None:
        """Act on a new event, or on deadlines alone."""
        if row is not None and row.verdict:
            self._decide([Trigger(event=row, refusal=row.verdict)])
            return
        too_fast = ""
        if row is None:
            steps = self._settle()
        elif self._is_late(row):
            steps = self._fold_anew(row)
            too_fast = row.verdict
        else:
            too_fast = self._judge(row, self._last_fix(row))
            steps = (self._see(row, self._known) if row.verdict == "" else []) + self._settle()
            self._known.last = (row.occurred_at, str(row.event_id))
        steps.sort(key=lambda step: step.at)
        triggers = self._triggers(row, steps, too_fast=too_fast)
        self._remember()
        if triggers:
            self._decide(triggers)

    # visits

    def _is_late(self, row: LocationEvent) -> bool:
        order, known = (row.occurred_at, str(row.event_id)), self._known
        return (known.last is not None and order <= known.last) or (
            known.settled_at is not None and row.occurred_at < known.settled_at
        )

    def _last_fix(self, row: LocationEvent) -> LocationEvent | None:
        if row.lat is None:
            return None
        earlier = LocationEvent.objects.filter(customer=self._customer, lat__isnull=False, verdict="")
        return (
            earlier.filter(occurred_at__lte=row.occurred_at).exclude(pk=row.pk).order_by("occurred_at").last()
        )

    def _judge(self, row: LocationEvent, before: LocationEvent | None) -> str:
        """Return what the way to a position says, and write it down where the event cannot be believed."""
        if row.lat is None:
            return ""
        found = places.movement(before, row, max_speed_mps=self._params["max_speed_mps"])
        verdict = found if found == "implausible_location" else ""
        if verdict != row.verdict:
            row.verdict = verdict
            row.save(update_fields=["verdict"])
        return found

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
        day = LocationEvent.objects.filter(customer=self._customer, occurred_at__gte=since)
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
        self._presence.state = msgspec.to_builtins(known, str_keys=True)
        self._presence.last_event_at = last_at
        self._presence.due_at = min(dues, default=None)
        self._presence.save()

    # decisions

    def _triggers(self, row: LocationEvent | None, steps: Sequence[Step], *, too_fast: str) -> list[Trigger]:
        found = []
        is_late = row is not None and self._now - row.occurred_at > self._late
        if row is not None and row.verdict == "implausible_location":
            found.append(Trigger(event=row, refusal="implausible_location"))
        elif is_late:
            found.append(Trigger(event=row, refusal="stale"))
        for step in steps:
            is_stale = self._now - step.at > self._late
            if is_late and is_stale:
                continue  # told of by the event's own decision
            refusal = ""
            if is_stale:
                refusal = "stale"
            elif row is not None and step.event_id == str(row.event_id) and too_fast == "moving_too_fast":
                refusal = too_fast
            found.append(
                Trigger(
                    event=None if is_late else row,
                    transition=step.kind,
                    store=Store.objects.get(pk=step.store),
                    aisle=Aisle.objects.get(pk=step.stay.aisle) if step.stay.aisle else None,
                    visit=self._write_visit(step),
                    store_entered_at=step.store_entered_at,
                    refusal=refusal,
                )
            )
        return found

    def _write_visit(self, step: Step) -> Visit:
        stay = step.stay
        visit, _ = Visit.objects.update_or_create(
            customer=self._customer,
            store_id=step.store,
            aisle_id=stay.aisle,
            entered_at=stay.entered_at,
            defaults={
                "last_seen_at": stay.seen_at,
                "dwelled_at": stay.dwelled_at,
                "exited_at": stay.exited_at,
            },
        )
        return visit

    def _decide(self, triggers: Sequence[Trigger]) -> None:
        judge = Judge(self._customer, now=self._now, params=self._params)
        answers = []
        for trigger in triggers:
            offers = []
            if not trigger.refusal and trigger.store and trigger.transition in ("enter", "dwell"):
                offers = offers_at(
                    trigger.store,
                    trigger.aisle,
                    transition=trigger.transition,
                    now=self._now,
                    away_m=places.away_m(trigger.store, trigger.event),
                )
            entered_at = trigger.store_entered_at or self._now
            answers.append(
                [judge.answer(offer, store=trigger.store, store_entered_at=entered_at) for offer in offers]
            )
        rule(triggers, answers, customer=self._customer, now=self._now, params=self._params)


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
