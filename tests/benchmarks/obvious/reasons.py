"""Which offers stand before a customer at a place, and the first reason against each; docs/algorithms/decisions.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q
from opening_hours import OpeningHours, State  # type: ignore[attr-defined]

from customers.models import Affinity, Customer, Device, Profile
from customers.rules.affinity import brand_key
from offers.models import Aisle, Coupon, Exposure, Offer, SendingSwitch, Store

# In the order of the document: a later one got further.
QUESTIONS = (
    *("consent", "channel", "time_zone", "age", "paused"),
    *("muted", "profiling", "relevance", "worth", "limit", "capacity"),
    *("store_zone", "store_open", "device", "quiet", "frequency"),
)
HAS_ADDRESS = Q(fcm__isnull=False) | Q(apns__isnull=False) | Q(webpush__isnull=False)
SENT_DAYS = 8
ADULT_YEARS = 15
IGNORED_IN_A_ROW = 3


def offers_at(
    store: Store, aisle: Aisle | None, *, transition: str, now: datetime, away_m: float | None
) -> list[Offer]:
    """Return the live offers that hold here; away_m: from the store's point to the event's position, if it has one."""
    live = Offer.objects.filter(
        state="live",
        removed_at=None,
        valid_from__lte=now,
        valid_until__gt=now,
        trigger_places="store" if aisle is None else "aisle",
        trigger_on=transition,
    )
    live = live.select_related("capacity", "target_category")
    live = live.prefetch_related("aisle_categories", "affinity_keys")
    found = [*live.filter(all_stores=True), *live.filter(all_stores=False, offer_stores__store=store)]
    if aisle is None:
        return [
            offer for offer in found if offer.within_m is None or away_m is None or away_m <= offer.within_m
        ]
    here = set(aisle.categories.values_list("pk", flat=True))
    fitting = []
    for offer in found:
        theirs = {category.pk for category in offer.aisle_categories.all()}
        if not here or not theirs or here & theirs:
            fitting.append(offer)
    return fitting


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of an offer: the first reason against it, or None, and how far it got."""

    offer: Offer
    reason: str | None
    progress: int

    @property
    def rank(self) -> tuple[int, int, str]:
        """Sorts the furthest first, then the higher priority, then the lower ref."""
        return -self.progress, -self.offer.priority, self.offer.ref


class Judge:
    """Answers for one customer at one instant; what does not depend on the offer is read once."""

    def __init__(self, customer: Customer, *, now: datetime, params: Mapping[str, Any]) -> None:
        self._customer, self._now, self._params = customer, now, params

    def answer(self, offer: Offer, *, store: Store, store_entered_at: datetime) -> Answer:
        for progress, question in enumerate(QUESTIONS):
            reason = getattr(self, f"_{question}")(
                offer=offer, store=store, store_entered_at=store_entered_at
            )
            if reason:
                return Answer(offer=offer, reason=reason, progress=progress)
        return Answer(offer=offer, reason=None, progress=len(QUESTIONS))

    # who

    def _consent(self, **_: Any) -> str | None:
        return None if {"push", "geolocation"} <= set(self._customer.granted) else "no_consent"

    def _channel(self, **_: Any) -> str | None:
        return None if "push" in self._customer.channels else "no_consent"

    def _time_zone(self, **_: Any) -> str | None:
        return None if self._zone else "unknown_time_zone"

    def _age(self, **_: Any) -> str | None:
        born = self._customer.birth_year
        return "legal_guard" if born is not None and self._now.year - born - 1 < ADULT_YEARS else None

    def _paused(self, **_: Any) -> str | None:
        until = self._customer.paused_until
        return "paused" if self._is_stopped or (until is not None and self._now < until) else None

    # whether

    def _muted(self, *, offer: Offer, **_: Any) -> str | None:
        brands = {key.key for key in offer.affinity_keys.all() if key.kind == "brand"}
        muted_brands = {brand_key(name) for name in self._customer.muted_brands}
        categories = set()
        category = offer.target_category
        while category:
            categories.add(category.ref)
            category = category.parent
        is_muted = brands & muted_brands or categories & set(self._customer.muted_categories)
        return "muted" if is_muted else None

    def _profiling(self, *, offer: Offer, **_: Any) -> str | None:
        reads_history = (
            offer.min_affinity_share != 0 or offer.never_bought or offer.bought_within_days is not None
        )
        return "no_consent" if reads_history and "profiling" not in self._customer.granted else None

    def _relevance(self, *, offer: Offer, **_: Any) -> str | None:
        customer = self._customer
        if offer.segments and not set(offer.segments) & set(customer.segments):
            return "not_relevant"
        if offer.topics and not set(offer.topics) & set(customer.topics):
            return "not_relevant"
        share, bought_at = self._history(offer)
        if offer.never_bought and bought_at:
            return "not_relevant"
        if offer.bought_within_days is not None and (
            not bought_at or self._now - bought_at > timedelta(days=offer.bought_within_days)
        ):
            return "not_relevant"
        if offer.min_affinity_share is None:
            is_for_them = offer.never_bought or share > 0
        else:
            is_for_them = share >= offer.min_affinity_share
        return None if is_for_them else "not_relevant"

    def _history(self, offer: Offer) -> tuple[float, datetime | None]:
        """Return the offer's share of the customer's spend, and when they last bought the target itself."""
        if "profiling" not in self._customer.granted:
            return 0.0, None
        exact = wide = 0.0
        bought_at: datetime | None = None
        for key in offer.affinity_keys.all():
            affinity = self._affinities.get((key.kind, key.key))
            if affinity is None:
                continue
            if not key.is_exact:
                wide += max(0.0, affinity.weight)
                continue
            exact += max(0.0, affinity.weight)
            if affinity.purchases > 0 and (bought_at is None or affinity.last_bought_at > bought_at):
                bought_at = affinity.last_bought_at
        whole = self._weight
        return (min(1.0, max(exact, wide) / whole) if whole > 0 else 0.0), bought_at

    def _worth(self, *, offer: Offer, **_: Any) -> str | None:
        return "not_worth_sending" if offer.objective == "margin" else None

    def _limit(self, *, offer: Offer, **_: Any) -> str | None:
        coupons = Coupon.objects.filter(customer=self._customer, offer=offer).exclude(state="revoked")
        held_out = Exposure.objects.filter(
            customer=self._customer, offer=offer, arm="holdout", voided_at=None
        )
        if offer.per_customer_per_days is not None:
            since = self._now - timedelta(days=offer.per_customer_per_days)
            coupons, held_out = coupons.filter(issued_at__gt=since), held_out.filter(exposed_at__gt=since)
        elif offer.per_customer is None:
            life = timedelta(minutes=offer.minutes_after_issue)
            coupons = coupons.filter(state__in=["issued", "reserved"], valid_until__gt=self._now)
            held_out = held_out.filter(exposed_at__gt=self._now - life)
        most = 1 if offer.per_customer is None else offer.per_customer
        return "already_issued" if coupons.count() + held_out.count() >= most else None

    def _capacity(self, *, offer: Offer, **_: Any) -> str | None:
        capacity = getattr(offer, "capacity", None)
        if capacity is None:
            return None
        if capacity.units is not None and capacity.claimed >= capacity.units:
            return "sold_out"
        if capacity.budget_minor is not None and capacity.spent_minor >= capacity.budget_minor:
            return "budget_exhausted"
        return None

    # when

    def _store_zone(self, *, store: Store, **_: Any) -> str | None:
        return None if _zone(store.time_zone) else "unknown_time_zone"

    def _store_open(self, *, store: Store, **_: Any) -> str | None:
        zone = _zone(store.time_zone)
        if not store.opening_hours or zone is None:
            return None
        hours = OpeningHours(
            store.opening_hours, timezone=zone, country="FR", auto_country=False, auto_timezone=False
        )
        state, _ = hours.state(self._now.astimezone(zone))
        return "store_closed" if state == State.CLOSED else None

    def _device(self, **_: Any) -> str | None:
        return None if self._has_device else "no_device"

    def _quiet(self, **_: Any) -> str | None:
        customer = self._customer
        start, end = self._params["quiet_from"], self._params["quiet_until"]
        if customer.has_own_quiet_hours:
            if customer.quiet_from is None or customer.quiet_until is None:
                return None
            start, end = customer.quiet_from, customer.quiet_until
        wall = self._now.astimezone(self._zone).time()
        is_quiet = start <= wall < end if start < end else wall >= start or wall < end
        return "quiet_hours" if is_quiet else None

    def _frequency(self, *, store: Store, store_entered_at: datetime, **_: Any) -> str | None:
        if any(sent.store_id == store.pk and sent.exposed_at >= store_entered_at for sent in self._sent):
            return "frequency_cap"
        today = self._now.astimezone(self._zone).date()
        days = [sent.exposed_at.astimezone(self._zone).date() for sent in self._sent]
        this_week = [day for day in days if day.isocalendar()[:2] == today.isocalendar()[:2]]
        halvings = self._ignored_in_a_row // IGNORED_IN_A_ROW
        per_day = _own_or(self._customer.max_pushes_per_day, self._params["max_pushes_per_day"], halvings)
        per_week = _own_or(self._customer.max_pushes_per_week, self._params["max_pushes_per_week"], halvings)
        gap = timedelta(seconds=self._params["min_gap_s"])
        is_full = (
            days.count(today) >= per_day
            or len(this_week) >= per_week
            or any(self._now - sent.exposed_at < gap for sent in self._sent)
        )
        return "frequency_cap" if is_full else None

    # what is read once

    @cached_property
    def _is_stopped(self) -> bool:
        return SendingSwitch.objects.filter(is_stopped=True).exists()

    @cached_property
    def _has_device(self) -> bool:
        return Device.objects.filter(HAS_ADDRESS, customer=self._customer, active=True).exists()

    @cached_property
    def _zone(self) -> ZoneInfo | None:
        return _zone(self._customer.time_zone)

    @cached_property
    def _affinities(self) -> dict[tuple[str, str], Affinity]:
        return {(one.kind, one.key): one for one in Affinity.objects.filter(customer=self._customer)}

    @cached_property
    def _weight(self) -> float:
        return Profile.objects.filter(customer=self._customer).values_list("weight", flat=True).first() or 0.0

    @cached_property
    def _sent(self) -> list[Exposure]:
        since = self._now - timedelta(days=SENT_DAYS)
        return list(Exposure.objects.filter(customer=self._customer, exposed_at__gt=since, voided_at=None))

    @cached_property
    def _ignored_in_a_row(self) -> int:
        """Return how many messages arrived and ran out since one was opened or used."""
        ignored = 0
        coupons = Coupon.objects.filter(customer=self._customer).select_related("message")
        for coupon in coupons.order_by("-issued_at"):
            if coupon.opened_at is not None or coupon.state == "redeemed":
                break
            ran_out = coupon.valid_until <= self._now and coupon.state in ("issued", "expired")
            ignored += (
                ran_out and getattr(coupon, "message", None) is not None and coupon.message.state == "sent"
            )
        return ignored


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _own_or(own: int | None, house: int, halvings: int) -> int:
    """Return the customer's own cap or the house's, halved, but never below the one message that could be opened."""
    cap = house if own is None else own
    return max(min(cap, 1), cap >> halvings)
