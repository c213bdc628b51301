"""What a simulation takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offers.flow import DecisionMade, Event
from offers.operations.outcomes import Refused
from offers.operations.promotions import OfferIn
from offers.rules.trace import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event of the path, in the order of arrival."""

    sent_id: str  # its id as it was sent
    event: Event | None  # None: it is not what the contract says. The customer and the device are filled in


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What is to be simulated."""

    customers: tuple[str, ...]  # refs; each walks the whole path, side by side
    path: tuple[Step, ...]
    now: datetime  # the clock when the first event arrives
    offers: tuple[
        OfferIn | str, ...
    ] = ()  # drafts, or the refs of offers that exist: all are live in the simulation
    only_stores: tuple[str, ...] = ()  # refs; empty: all


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedOffer:
    """One candidate of a decision, with everything that was asked about it."""

    kept: Mapping[str, Any]  # as the decision keeps it: offer, revision, reason, numbers
    is_winner: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDecision:
    customer: str  # ref
    at: datetime  # on the simulated clock
    sent_id: str | None  # the event's; None: a deadline fired
    language: str  # the customer's
    made: DecisionMade
    candidates: tuple[WeighedOffer, ...]  # best first


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedEvent:
    customer: str
    at: datetime
    sent_id: str
    status: str  # accepted, duplicate, rejected
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    events: tuple[SimulatedEvent, ...]  # in the order of the path, customer by customer
    decisions: tuple[SimulatedDecision, ...]  # in the order of the clock
    ended_at: datetime


class UnknownSimulated(Exception):
    """A customer or an offer that is to be simulated does not exist; `field` is its path in the request."""

    def __init__(self, *, field: str, code: str) -> None:
        super().__init__(code)
        self.field = field
        self.code = code


class DraftRefused(Exception):
    """An offer could not be made live for the simulation."""

    def __init__(self, *, index: int, refused: Refused) -> None:
        super().__init__(refused.code)
        self.index = index
        self.refused = refused


class SimulationTooLong(Exception):
    """The simulation took longer than it may hold a customer's row."""


@dataclass(slots=True)
class Notes:
    """What is seen while the walk goes on."""

    events: list[SimulatedEvent] = field(default_factory=list)
    decisions: list[SimulatedDecision] = field(default_factory=list)
