"""The walk itself: events and deadlines in the order of a simulated clock, through the pipeline, and back."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Max, Min
from msgspec.structs import replace

from customers.api.problems import DATABASE_IS_AWAY
from offers import locks, pipeline
from offers.flow import Event, EventResult, Trigger
from offers.models import Decision, Presence
from offers.pipeline import Rehearsal, Weighed
from offers.rules.legal import forbidden_offers
from offers.rules.trace import Check, trace
from offers.simulation import stage_set
from offers.simulation.capacity import VirtualClaims
from offers.simulation.stage_set import Walker
from offers.simulation.values import (
    Notes,
    Simulated,
    SimulatedDecision,
    SimulatedEvent,
    SimulationTooLong,
    Step,
    Walk,
    WeighedOffer,
)

MAX_S = 5.0  # of real time: so long a walker's own events wait at most
AFTERWARDS = timedelta(minutes=30)  # longer than any silence that ends a visit
MAX_DEADLINES = 2_000  # a walk of 500 events has far fewer
MAX_SPAN = timedelta(
    days=7
)  # an event further ahead does not move the clock: it is judged as one of the future
REJECTED = EventResult(event_id="", status="rejected", error="invalid")

log = logging.getLogger(__name__)


def simulate(walk: Walk, *, params: Mapping[str, Any]) -> Simulated:
    """Return what would be decided along the walk, with every check of every candidate; the database stays as it is.

    All runs in one transaction that is taken back: only sequences move on, and nothing is notified. Meanwhile the
    walkers' own rows are locked, and where drafts are given the targets' lock is held, for MAX_S at most; capacity
    is asked and never locked. params: settings.RAYON.
    Raises UnknownSimulated, DraftRefused, SimulationTooLong.
    """
    with taken_back():
        return rehearse(walk, params=params)


@contextmanager
def taken_back() -> Iterator[None]:
    """Run the block in a transaction, and take back whatever it did."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def rehearse(walk: Walk, *, params: Mapping[str, Any]) -> Simulated:
    """Do what `simulate` does in the caller's transaction, and leave what came of it there."""
    stage_set.limit_waiting()
    walkers = stage_set.find_walkers(walk.customers)
    stage_set.clear_scene(walkers, now=walk.now)
    stage_set.make_live(walk.offers, now=walk.now, only_stores=walk.only_stores)
    return _Walking(walk=walk, walkers=walkers, params=params).run()


@dataclass
class _Seen:
    """What the pipeline weighed at one moment."""

    at: datetime
    sent_id: str | None
    weighed: Weighed


@dataclass
class _Walking:
    walk: Walk
    walkers: Sequence[Walker]
    params: Mapping[str, Any]
    notes: Notes = field(default_factory=Notes)
    seen: list[_Seen] = field(default_factory=list)
    claims: VirtualClaims = field(default_factory=VirtualClaims)
    fresh_ids: dict[str, str] = field(
        default_factory=dict
    )  # by the id that was sent: one that nobody has used
    sent_id: str | None = None  # of the event that is on its way
    clock: datetime = field(init=False)
    stop_at: float = field(init=False)  # of the machine's clock

    def run(self) -> Simulated:
        self.clock = self.walk.now
        self.stop_at = time.monotonic() + MAX_S
        mine = Decision.objects.filter(customer_id__in=self._customer_ids())
        last_known = mine.aggregate(last=Max("id"))["last"] or 0
        started = next((step.event.occurred_at for step in self.walk.path if step.event), self.walk.now)
        for step in self.walk.path:
            self._take(step, started=started)
        self._fire(until=self.clock + AFTERWARDS)
        kept = list(mine.filter(id__gt=last_known).order_by("id").values_list("candidates", flat=True))
        return Simulated(
            events=tuple(self.notes.events), decisions=tuple(self._decisions(kept)), ended_at=self.clock
        )

    def _customer_ids(self) -> list[int]:
        return [walker.customer_id for walker in self.walkers]

    def _take(self, step: Step, *, started: datetime) -> None:
        """Let one event arrive, of each walker; the clock never runs backwards, so one that comes late is late."""
        at = _shifted(step, by=self.walk.now - started)
        if step.event is None or at is None:
            self._note(step, [REJECTED] * len(self.walkers))
            return
        if at - self.walk.now <= MAX_SPAN:
            self._fire(until=at)
            self.clock = max(self.clock, at)
        fresh_id = self.fresh_ids.setdefault(step.event.event_id, str(uuid4()))
        self.sent_id = step.sent_id
        events = [
            replace(
                step.event,
                customer_id=walker.customer_id,
                device_id=walker.device_id,
                event_id=fresh_id,
                occurred_at=at,
            )
            for walker in self.walkers
        ]
        self._note(step, self._run(events))
        self.sent_id = None

    def _run(self, events: Sequence[Event]) -> list[EventResult]:
        """Return the events' results; one that cannot be processed is rejected, as at the events' door."""
        self._keep_time()
        try:
            with transaction.atomic():
                return pipeline.run_inside(
                    events,
                    presences=locks.lock_presences(customer_ids=self._customer_ids()),
                    now=self.clock,
                    params=self.params,
                    rehearsal=self._rehearsal(),
                )
        except DATABASE_IS_AWAY:
            raise
        except Exception as error:
            log.error("a simulated event cannot be processed", extra={"error": type(error).__name__})
            return [REJECTED] * len(events)

    def _fire(self, *, until: datetime) -> None:
        """Act on the walkers' deadlines in their order, up to an instant."""
        presences = Presence.objects.filter(customer_id__in=self._customer_ids())
        for _ in range(MAX_DEADLINES):
            due = presences.aggregate(at=Min("due_at"))["at"]
            if due is None or due > until:
                return
            self._keep_time()
            self.clock = max(self.clock, due)
            pipeline.run_deadlines_inside(
                now=self.clock,
                limit=len(self.walkers),
                params=self.params,
                only=self._customer_ids(),
                rehearsal=self._rehearsal(),
            )
        raise SimulationTooLong

    def _keep_time(self) -> None:
        if time.monotonic() > self.stop_at:
            raise SimulationTooLong

    def _rehearsal(self) -> Rehearsal:
        def watch(weighed: Weighed) -> None:
            self.seen.append(_Seen(at=self.clock, sent_id=self.sent_id, weighed=weighed))

        return Rehearsal(claims=self.claims, watch=watch)

    def _note(self, step: Step, results: Sequence[EventResult]) -> None:
        for walker, result in zip(self.walkers, results, strict=True):
            self.notes.events.append(
                SimulatedEvent(
                    customer=walker.ref,
                    at=self.clock,
                    sent_id=step.sent_id,
                    status=result.status,
                    error=result.error,
                )
            )

    def _decisions(self, kept: Sequence[Any]) -> Iterator[SimulatedDecision]:
        """Yield the decisions; kept: what each of them wrote of its candidates, in the order in which they were made."""
        walkers = {walker.customer_id: walker for walker in self.walkers}
        rest = iter(kept)
        for seen in self.seen:
            for index, trigger in enumerate(seen.weighed.triggers):
                walker, candidates = walkers[trigger.customer_id], next(rest)
                if not self._may_see(trigger):
                    continue
                yield SimulatedDecision(
                    customer=walker.ref,
                    at=seen.at,
                    sent_id=seen.sent_id if trigger.event_row_id is not None else None,
                    language=walker.language,
                    made=seen.weighed.decisions[index],
                    candidates=tuple(self._candidates(candidates, index=index, trigger=trigger, seen=seen)),
                )

    def _may_see(self, trigger: Trigger) -> bool:
        only = self.walk.only_stores
        return not only or trigger.place is None or trigger.place.store_ref in only

    def _candidates(
        self, kept: Sequence[Mapping[str, Any]], *, index: int, trigger: Trigger, seen: _Seen
    ) -> Iterator[WeighedOffer]:
        weighed, made = seen.weighed, seen.weighed.decisions[index]
        laws = {offer_id: offer.legal for offer_id, offer in weighed.terms.items() if offer.legal}
        forbidden = forbidden_offers(laws, params=self.params, now=seen.at)
        by_ref = {
            weighed.terms[candidate.offer_id].ref: candidate
            for candidate in weighed.candidates
            if candidate.trigger == index
        }
        facts = weighed.facts.get(trigger.customer_id)
        for one in kept:
            candidate = by_ref[one["offer"]]
            checks: tuple[Check, ...] = ()
            if facts is not None:
                checks = trace(
                    candidate,
                    terms=weighed.terms[candidate.offer_id],
                    facts=facts,
                    trigger=trigger,
                    rule=forbidden.get(candidate.offer_id, ""),
                    now=seen.at,
                    params=self.params,
                    learned=weighed.learned,
                )
            is_winner = made.coupon is not None and made.coupon.offer == one["offer"]
            yield WeighedOffer(kept=one, is_winner=is_winner, checks=checks)


def _shifted(step: Step, *, by: timedelta) -> datetime | None:
    """Return when the event happens on the simulated clock; None for no event, or a time beyond all calendars."""
    try:
        return None if step.event is None else step.event.occurred_at + by
    except OverflowError:
        return None
