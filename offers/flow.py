"""Frozen values that travel through the pipeline, in the order of travel. No Django.

Event ─▶ StoredEvent ─▶ Trigger ─▶ Candidate ─▶ Verdict ─▶ DecisionMade ─▶ EventResult
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any, Literal

import msgspec

EventKind = Literal["enter", "exit", "dwell", "fix", "beacon"]
TransitionKind = Literal["enter", "dwell", "exit"]
Status = Literal["accepted", "duplicate", "rejected"]


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    lat: float  # degrees WGS 84
    lon: float  # degrees WGS 84
    accuracy_m: float  # 68 % radius
    is_mock: bool = False


class Sighting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    uuid: str  # canonical: lower case, with hyphens
    major: int
    minor: int
    rssi_dbm: int | None = None  # None: a scanned code


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One well-formed event as a door hands it in."""

    customer_id: int
    device_id: str
    event_id: str  # a UUID, canonical
    type: EventKind
    geofence: str | None = None  # an id of /v1/geofences
    beacon: Sighting | None = None
    position: Position | None = None
    occurred_at: datetime  # the phone's clock, UTC
    digest: bytes  # SHA-256 of the parsed body


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A store, or an aisle of it."""

    store_id: int
    store_ref: str
    aisle_id: int | None = None
    aisle_ref: str | None = None

    @property
    def kind(self) -> Literal["store", "aisle"]:
        return "store" if self.aisle_id is None else "aisle"


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event that is new and on disk; `verdict` names why it is not acted on (None: it is)."""

    row_id: int
    event: Event
    place: Place | None = None  # of its geofence or beacon
    verdict: str | None = None


class Trigger(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A transition of one customer that asks for a decision, or (transition None) a named refusal of an event."""

    customer_id: int
    device_id: str | None  # the phone that sent the event; None: a deadline fired
    event_row_id: int | None
    event_id: str | None
    transition: TransitionKind | None
    place: Place | None
    visit_id: int | None
    store_visit_entered_at: datetime | None  # start of the store visit that it happened in
    occurred_at: datetime
    refusal: str | None = None  # decided before any offer was looked at: implausible_location, stale, …
    position: Position | None = None  # of the event


class CustomerFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the decision may know of one customer, gathered in a fixed number of queries per batch."""

    customer_id: int
    ref: str
    language: str
    time_zone: str  # IANA; empty: unknown
    birth_year: int | None
    granted: frozenset[str]  # purposes
    channels: tuple[str, ...]  # the first one that can be used is taken
    segments: frozenset[str]
    topics: frozenset[str]
    muted_brands: frozenset[str]  # brand keys
    muted_categories: frozenset[str]  # category refs
    quiet: tuple[time, time] | None  # (from, until), local; None: no quiet hours
    max_pushes_per_day: int
    max_pushes_per_week: int
    paused_until: datetime | None
    has_device: bool  # an active push address
    has_email: bool = False  # an address that is not known to be dead, and the house sends e-mail
    has_phone: bool = False  # the same of a number in E.164, and SMS
    sent_at: tuple[datetime, ...] = ()  # exposures of either arm in the last 8 days, not voided, oldest first
    sent_stores: tuple[int, ...] = ()  # the store of each of sent_at, in the same order
    ignored_in_a_row: int = 0
    is_sending_stopped: bool = False  # the one switch that stops all sending
    listed_lines: int = 0  # bought lines of which the usual price is known
    discounted_lines: int = 0  # of these
    shown: int = 0  # offers, whose week is over; as last counted
    answered: int = 0  # of these, by a purchase of the target

    @property
    def reachable(self) -> frozenset[str]:
        """The channels on which there is an address."""
        has = {"push": self.has_device, "email": self.has_email, "sms": self.has_phone}
        return frozenset(channel for channel, is_there in has.items() if is_there)


class OfferTerms(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An offer's revision as the decision needs it."""

    offer_id: int
    ref: str
    revision: int
    title: Mapping[str, str]
    body: Mapping[str, str]
    image_url: str
    benefit_kind: str
    benefit_value: int  # basis points for percent, else minor units
    currency: str
    target_gtins: tuple[str, ...]
    target_category: str | None
    target_brand: str | None
    min_affinity_share: float | None
    bought_within_days: int | None
    never_bought: bool
    segments: frozenset[str]
    topics: frozenset[str]
    valid_from: datetime
    valid_until: datetime
    minutes_after_issue: int
    per_customer: int | None
    per_customer_per_days: int | None
    units: int | None
    holdout_share: float
    priority: int
    brand_keys: frozenset[str] = frozenset()  # of the target: what a muted brand is matched with
    category_refs: frozenset[str] = frozenset()  # of the target, ancestors included
    target_name: str = ""  # the category or brand as people know it; empty: products of no one brand
    objective: str = "reward"
    # offers.rules.legal.facts_json; empty: never looked at
    legal: Mapping[str, Any] = msgspec.field(default_factory=dict)
    unit_price_minor: int | None = None  # without the offer; None: not known
    unit_worth_minor: int = 0  # what a unit costs; of a deal, what it is worth unsold, below 0 too
    is_deal: bool = False  # then the benefit is that of the present depth, and 0 basis points are none
    is_deal_stopped: bool = False
    elasticity: float | None = None  # of the deal
    bid_price_minor: int | None = (
        None  # least that the deal's next unit should be given for; None: none is left
    )
    send_now: int | None = None  # how many more may be told now, as seen before the claim; None: no waves
    usual_days: float | None = None  # between two purchases of the target, over everybody; None: not known
    shown: int = 0  # how often, its week over; as last counted
    answered: int = 0  # of these, by a purchase of the target

    @property
    def is_personal(self) -> bool:
        """Return whether what is known of a customer decides if they get it: then its price is a personal one."""
        everybody = self.min_affinity_share == 0 and not self.never_bought and self.bought_within_days is None
        return self.objective != "reward" or bool(self.segments or self.topics) or not everybody


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Offer × customer × trigger under consideration."""

    trigger: int  # index into the batch's triggers
    offer_id: int
    affinity_share: float  # 0..1, the larger of the target's and, for gtins, its brand's
    exact_share: float  # 0..1, of the target itself
    last_bought_at: datetime | None  # of the target itself
    first_bought_at: datetime | None = None  # of the target itself
    times_bought: int = 0  # receipts, of each of the target's products
    distance_km: float = 0.0  # of the event from the store; 0 at an aisle, and where it is not known
    issued_before: int = 0  # coupons of this offer this customer holds or held within the limit's days
    units_left: int | None = None  # as seen before the claim; None: no limit
    budget_left_minor: int | None = None  # None: no limit
    store_is_open: bool | None = True  # None: its time zone is unknown


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the rules say of one candidate: a reason of offers.rules.eligibility.Reason; `issued` means eligible."""

    candidate: Candidate
    reason: str
    numbers: Mapping[str, float] = msgspec.field(default_factory=dict)  # kept with the decision
    rule: str = ""  # of offers.rules.legal_values.Rule, where the reason is legal_guard


class Choice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The outcome of one trigger before capacity is claimed: winners in order of preference, and all verdicts."""

    trigger: int
    reason: str  # issued, holdout, or the reason for none
    winners: tuple[Verdict, ...]  # best first; the next is tried when capacity is gone
    verdicts: tuple[Verdict, ...]  # every candidate, best first


class CouponIssued(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    code: str
    state: str
    offer: str
    title: str
    body: str
    image_url: str | None
    benefit: Mapping[str, object]
    target: Mapping[str, object]
    store: str
    aisle: str | None
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime
    reason: str
    notice: str = ""  # that the price is personal; empty: it is not
    reference_prices: Sequence[Mapping[str, object]] = ()  # {"gtin", "price_minor", "currency"}


class DecisionMade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    transition: TransitionKind | None
    place: Place | None
    outcome: Literal["issued", "none"]
    reason: str
    coupon: CouponIssued | None = None


class EventResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    event_id: str  # as sent, also when it is no UUID
    status: Status
    error: str | None = None  # invalid, unknown_geofence, unknown_beacon, event_id_reused
    decisions: tuple[DecisionMade, ...] = ()
