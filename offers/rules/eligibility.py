"""Whether one customer may get one offer now: each check answers with a named no, or None to go on.

What is not known counts as no.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from customers.rules.frequency import Caps, cap_reason, effective_caps
from customers.rules.quiet_hours import is_quiet
from customers.rules.zones import UnknownTimeZone, zone_named
from offers.rules.plausibility import Clock, Movement

ADULT_YEARS = 15  # below, French law asks for the parents


class Reason(StrEnum):
    """Why a decision came out as it did; the values are the wire contract's."""

    ISSUED = "issued"
    NO_OFFER = "no_offer"
    NOT_RELEVANT = "not_relevant"
    NO_CONSENT = "no_consent"
    QUIET_HOURS = "quiet_hours"
    FREQUENCY_CAP = "frequency_cap"
    PAUSED = "paused"
    MUTED = "muted"
    HOLDOUT = "holdout"
    SOLD_OUT = "sold_out"
    NOT_WORTH_SENDING = "not_worth_sending"
    IMPLAUSIBLE_LOCATION = "implausible_location"
    STALE = "stale"
    MOVING_TOO_FAST = "moving_too_fast"
    ALREADY_ISSUED = "already_issued"
    LEGAL_GUARD = "legal_guard"
    STORE_CLOSED = "store_closed"
    UNKNOWN_TIME_ZONE = "unknown_time_zone"
    NO_DEVICE = "no_device"
    BUDGET_EXHAUSTED = "budget_exhausted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Whom an offer is for."""

    min_affinity_share: float | None = None  # 0..1; None: any above 0; 0: everybody
    bought_within_days: int | None = None  # of the target itself
    never_bought: bool = False
    segments: frozenset[str] = frozenset()  # any of these; empty: all customers
    topics: frozenset[str] = frozenset()
    needs: bool = False  # a customer whose live need it answers is in, whatever they bought

    @property
    def reads_history(self) -> bool:
        """Return whether what a customer bought decides: then profiling needs their consent."""
        return self.min_affinity_share != 0 or self.never_bought or self.bought_within_days is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a customer stands to an offer's target."""

    affinity_share: float  # 0..1, of the target, its subtree, or for products their brand: the largest
    last_bought_at: datetime | None  # the target itself; None: never
    segments: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    answers_need: bool = False


class Ranked(Protocol):
    """What choose() compares."""

    @property
    def priority(self) -> int: ...
    @property
    def delta(self) -> float: ...
    @property
    def offer_ref(self) -> str: ...


R = TypeVar("R", bound=Ranked)


def for_clock(clock: Clock) -> Reason | None:
    """Return the answer to an event's time: whatever cannot be acted on in time is stale."""
    return None if clock is Clock.OK else Reason.STALE


def for_movement(movement: Movement) -> Reason | None:
    """Return the answer to a fix that no walking customer could have sent."""
    if movement is Movement.IMPLAUSIBLE:
        return Reason.IMPLAUSIBLE_LOCATION
    return Reason.MOVING_TOO_FAST if movement is Movement.MOVING_TOO_FAST else None


def consent(*, granted: Collection[str], purposes: Collection[str]) -> Reason | None:
    """Return NO_CONSENT unless every purpose is granted: "geolocation" for events, "push", "profiling"."""
    return None if all(purpose in granted for purpose in purposes) else Reason.NO_CONSENT


def paused(*, paused_until: datetime | None, now: datetime) -> Reason | None:
    """Return PAUSED until, and not at, the instant that the customer chose."""
    return Reason.PAUSED if paused_until is not None and now < paused_until else None


def muted(
    *,
    muted_brands: Collection[str],
    muted_categories: Collection[str],
    brands: Collection[str],
    categories: Collection[str],
) -> Reason | None:
    """Return MUTED if any of the target's brand keys or category refs (ancestors included) is muted."""
    is_muted = any(brand in muted_brands for brand in brands) or any(
        category in muted_categories for category in categories
    )
    return Reason.MUTED if is_muted else None


def store_closed(is_open: bool | None) -> Reason | None:
    """Return STORE_CLOSED for a store known to be closed; one without known hours counts as open."""
    return Reason.STORE_CLOSED if is_open is False else None


def device(has_device: bool) -> Reason | None:
    """Return NO_DEVICE without any address to send to."""
    return None if has_device else Reason.NO_DEVICE


def time_zone_known(time_zone: str) -> Reason | None:
    """Return UNKNOWN_TIME_ZONE for a name that is none, or empty."""
    try:
        zone_named(time_zone)
    except UnknownTimeZone:
        return Reason.UNKNOWN_TIME_ZONE
    return None


def quiet_hours(*, now: datetime, time_zone: str, quiet: tuple[time, time] | None) -> Reason | None:
    """Return QUIET_HOURS in the customer's quiet hours, UNKNOWN_TIME_ZONE if those cannot be told."""
    try:
        return Reason.QUIET_HOURS if is_quiet(at=now, time_zone=time_zone, quiet=quiet) else None
    except UnknownTimeZone:
        return Reason.UNKNOWN_TIME_ZONE


def frequency_cap(
    *,
    sent_at: Sequence[datetime],
    sent_this_visit: bool,
    now: datetime,
    time_zone: str,
    caps: Caps,
    ignored_in_a_row: int,
) -> Reason | None:
    """Return FREQUENCY_CAP after a message in this store visit, or with a day, week or gap used up.

    sent_at: messages over all channels and offers, either arm, of at least the running week.
    """
    if sent_this_visit:
        return Reason.FREQUENCY_CAP
    effective = effective_caps(caps=caps, ignored=ignored_in_a_row)
    try:
        full = cap_reason(
            sent_at,
            now=now,
            time_zone=time_zone,
            max_per_day=effective.max_per_day,
            max_per_week=effective.max_per_week,
            min_gap_s=effective.min_gap_s,
        )
    except UnknownTimeZone:
        return Reason.UNKNOWN_TIME_ZONE
    return Reason.FREQUENCY_CAP if full is not None else None


def customer_limit(*, issued_before: int, per_customer: int | None) -> Reason | None:
    """Return ALREADY_ISSUED when the customer had all of this offer that they may; None: no limit."""
    return Reason.ALREADY_ISSUED if per_customer is not None and issued_before >= per_customer else None


def age(*, birth_year: int | None, now: datetime) -> Reason | None:
    """Return LEGAL_GUARD for a customer who may be under 15; an unknown birth year counts as adult.

    Only the year is known, so the birthday counts as not yet had.
    """
    if birth_year is None:
        return None
    return Reason.LEGAL_GUARD if now.year - birth_year - 1 < ADULT_YEARS else None


def legal(forbidding_rule: str) -> Reason | None:
    """Return LEGAL_GUARD for an offer that a rule of law forbids today (offers.rules.legal); empty: none does."""
    return Reason.LEGAL_GUARD if forbidding_rule else None


def capacity(*, units_left: int | None, budget_left_minor: int | None) -> Reason | None:
    """Return SOLD_OUT or BUDGET_EXHAUSTED for what is seen to be gone; None is no limit. The claim decides."""
    if units_left is not None and units_left <= 0:
        return Reason.SOLD_OUT
    if budget_left_minor is not None and budget_left_minor <= 0:
        return Reason.BUDGET_EXHAUSTED
    return None


def relevance(*, audience: Audience, standing: Standing, now: datetime) -> Reason | None:
    """Return NOT_RELEVANT unless the customer is one whom the offer is for.

    Segments and topics bind always. An answered need stands in for history. With no least share named, any
    affinity above 0 is enough, and an offer for those who never bought asks for none.
    """
    if audience.segments and audience.segments.isdisjoint(standing.segments):
        return Reason.NOT_RELEVANT
    if audience.topics and audience.topics.isdisjoint(standing.topics):
        return Reason.NOT_RELEVANT
    if audience.needs and standing.answers_need:
        return None
    return None if _history_fits(audience, standing, now) else Reason.NOT_RELEVANT


def _history_fits(audience: Audience, standing: Standing, now: datetime) -> bool:
    bought_at = standing.last_bought_at
    if audience.never_bought and bought_at is not None:
        return False
    if audience.bought_within_days is not None and (
        bought_at is None or now - bought_at > timedelta(days=audience.bought_within_days)
    ):
        return False
    least = audience.min_affinity_share
    if least is None:
        return audience.never_bought or standing.affinity_share > 0.0
    return standing.affinity_share >= least


def ranked(candidates: Sequence[R]) -> list[R]:
    """Return candidates best first: the higher priority, then the higher delta, then the offer's ref."""
    return sorted(candidates, key=lambda one: (-one.priority, -one.delta, one.offer_ref))


def choose(candidates: Sequence[R]) -> R | None:
    """Return the best candidate; None if there are none."""
    return ranked(candidates)[0] if candidates else None
