"""One event, one transaction: stored, placed, folded into visits, decided. The obvious way through the house."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from customers.models import Customer, Device
from offers.flow import Event
from offers.models import Aisle, LocationEvent, Presence, Store, Visit
from tests.benchmarks.obvious import places
from tests.benchmarks.obvious.following import Following
from tests.benchmarks.obvious.issuing import Trigger, rule
from tests.benchmarks.obvious.reasons import Judge, offers_at
from tests.benchmarks.obvious.staying import Step

DEVICE_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Result:
    status: str  # accepted, duplicate, rejected
    error: str | None = None


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
        self._customer, self._now, self._params = customer, now, params
        self._following = Following(presence, now=now, params=params)
        self._late = timedelta(seconds=params["max_push_lateness_s"])

    def act(self, row: LocationEvent | None) -> None:
        """Act on a new event, or on deadlines alone."""
        if row is not None and row.verdict:
            self._decide([Trigger(event=row, refusal=row.verdict)])
            return
        steps, is_too_fast = self._following.follow(row)
        triggers = self._triggers(row, steps, is_too_fast=is_too_fast)
        if triggers:
            self._decide(triggers)

    def _triggers(
        self, row: LocationEvent | None, steps: Sequence[Step], *, is_too_fast: bool
    ) -> list[Trigger]:
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
            elif row is not None and step.event_id == str(row.event_id) and is_too_fast:
                refusal = "moving_too_fast"
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
