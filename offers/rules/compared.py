"""What the checks compare, made of the values that travel: one making for the decision and for its trace."""

from collections.abc import Mapping
from typing import Any

from customers.rules.frequency import Caps
from offers.flow import Candidate, CustomerFacts, OfferTerms, Trigger
from offers.rules.eligibility import Audience, Standing

ONE = 1  # how often an offer that names no limit is held at the same time


def audience_of(terms: OfferTerms) -> Audience:
    """Return whom the offer is for."""
    return Audience(
        min_affinity_share=terms.min_affinity_share,
        bought_within_days=terms.bought_within_days,
        never_bought=terms.never_bought,
        segments=terms.segments,
        topics=terms.topics,
    )


def standing_of(candidate: Candidate, facts: CustomerFacts) -> Standing:
    """Return how the customer stands to the offer; without consent to profiling, as if nothing had been bought."""
    may_read = "profiling" in facts.granted
    return Standing(
        affinity_share=candidate.affinity_share if may_read else 0.0,
        last_bought_at=candidate.last_bought_at if may_read else None,
        segments=facts.segments,
        topics=facts.topics,
    )


def limit_of(terms: OfferTerms) -> int:
    """Return how many coupons of the offer a customer may hold, or have held in its days."""
    return ONE if terms.per_customer is None else terms.per_customer


def caps_of(facts: CustomerFacts, *, params: Mapping[str, Any]) -> Caps:
    """Return the customer's caps before any throttle. params: settings.RAYON."""
    return Caps(
        max_per_day=facts.max_pushes_per_day,
        max_per_week=facts.max_pushes_per_week,
        min_gap_s=params["min_gap_s"],
    )


def was_sent_this_visit(trigger: Trigger, facts: CustomerFacts) -> bool:
    """Return whether a message went out at this store since its visit began.

    By time, not by the visit's recorded start: a late event may move that back, and the message still counts.
    """
    entered_at = trigger.store_visit_entered_at
    if trigger.place is None or entered_at is None:
        return False
    sent = zip(facts.sent_at, facts.sent_stores, strict=True)
    return any(store_id == trigger.place.store_id and at >= entered_at for at, store_id in sent)
