"""What the decision knows of one customer and one offer, as the response model asks for it; docs/algorithms/response.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from customers.rules.price_sensitivity import discount_share
from customers.rules.rhythm import Rhythm, due, is_too_soon, mean_interval_days
from offers.flow import Candidate, CustomerFacts, OfferTerms
from offers.rules.response import CAUTIOUS_ELASTICITY, COLD, Model, Signals, shrunk_rate

DUE_DAYS = 2.0
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned over all customers, as far as a batch's decisions need it."""

    model: Model = COLD
    # chance that the next basket holds the target of an offer that is weighed, by (customer id, offer id); absent: unlikely
    basket_chances: Mapping[tuple[int, int], float] = field(default_factory=dict)


NOTHING_LEARNED = Learned()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long ago the target was bought, and how long it usually lasts."""

    since_days: float
    mean_days: float

    @property
    def is_too_soon(self) -> bool:
        return is_too_soon(since_days=self.since_days, mean_days=self.mean_days)

    @property
    def due_ratio(self) -> float:
        """The chance to buy again within two days, over the mean share of two days in the rhythm."""
        chance = due(since_days=self.since_days, within_days=DUE_DAYS, mean_days=self.mean_days)
        return chance / min(1.0, DUE_DAYS / self.mean_days)


def waiting(
    candidate: Candidate, terms: OfferTerms, facts: CustomerFacts, *, now: datetime
) -> Waiting | None:
    """Return where the customer stands in their rhythm with the offer's target; None: it is not known, or not to be read."""
    if "profiling" not in facts.granted:
        return None
    first, last = candidate.first_bought_at, candidate.last_bought_at
    if first is None or last is None:
        return None
    rhythm = Rhythm(purchases=candidate.times_bought, span_days=(last - first) / DAY)
    if terms.usual_days:
        mean = mean_interval_days(rhythm, usual_days=terms.usual_days)
    elif rhythm.intervals and rhythm.span_days > 0:
        mean = rhythm.span_days / rhythm.intervals
    else:
        return None
    return Waiting(since_days=max(0.0, (now - last) / DAY), mean_days=mean)


def signals_of(
    candidate: Candidate,
    terms: OfferTerms,
    facts: CustomerFacts,
    *,
    waits: Waiting | None,
    learned: Learned,
    now: datetime,
) -> Signals:
    """Return the signals; of who does not allow profiling, what the place, the offer and their messages say alone."""
    until = min(now + timedelta(minutes=terms.minutes_after_issue), terms.valid_until)
    may_read = "profiling" in facts.granted
    return Signals(
        personal_rate=shrunk_rate(hits=facts.answered, tries=facts.shown)
        if may_read
        else _NEUTRAL.personal_rate,
        offer_rate=shrunk_rate(hits=terms.answered, tries=terms.shown),
        affinity_share=candidate.affinity_share if may_read else 0.0,
        # of a reward nobody asked, and "unlikely" would be wrong
        basket_chance=learned.basket_chances.get((facts.customer_id, candidate.offer_id), 0.0)
        if may_read and terms.objective == "margin"
        else None,
        due_ratio=waits.due_ratio if waits else 1.0,
        discount_share=discount_share(discounted=facts.discounted_lines, listed=facts.listed_lines)
        if may_read
        else _NEUTRAL.discount_share,
        depth=depth_share(terms),
        elasticity=CAUTIOUS_ELASTICITY if terms.elasticity is None else terms.elasticity,
        distance_km=candidate.distance_km,
        hours_left=max(0.0, (until - now) / HOUR),
        ignored=float(facts.ignored_in_a_row),
    )


_NEUTRAL = Signals()


def depth_share(terms: OfferTerms) -> float:
    """Return how much of the unit's price the benefit takes off, 0..1; 0 where the price is not known and no percent given."""
    if terms.benefit_kind == "percent":
        return terms.benefit_value / 10_000
    price = terms.unit_price_minor or 0
    off = terms.benefit_value if terms.benefit_kind == "amount" else price - terms.benefit_value
    return min(1.0, max(0.0, off / price)) if price else 0.0
