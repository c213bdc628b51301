"""Whether an offer that is weighed by its margin is worth a message to one customer; docs/algorithms/score.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offers.flow import Candidate, CustomerFacts, OfferTerms
from offers.rules.eligibility import Reason
from offers.rules.response import Signals, response
from offers.rules.scoring import Response, Unit, delta
from offers.rules.signals import Learned, signals_of, waiting

PLACES = 4  # of the numbers that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What the score says of one candidate."""

    reason: Reason | None  # NOT_WORTH_SENDING, or None
    delta_minor: float = 0.0
    numbers: Mapping[str, float] = field(default_factory=dict)  # kept with the decision
    signals: Signals | None = None  # that it was weighed by; None: it was not


REWARD = Worth(reason=None)  # of an offer that is given whatever it earns


def weigh(
    candidate: Candidate,
    terms: OfferTerms,
    facts: CustomerFacts,
    *,
    learned: Learned,
    now: datetime,
    params: Mapping[str, Any],
) -> Worth:
    """Return what the offer is worth to this customer; a reward is given in any case.

    params: settings.RAYON. A deal whose units are gone is left to the check of
    what is left, which has the better reason.
    """
    if terms.objective != "margin":
        return REWARD
    waits = waiting(candidate, terms, facts, now=now)
    signals = signals_of(candidate, terms, facts, waits=waits, learned=learned, now=now)
    if terms.unit_price_minor is None:
        return Worth(reason=Reason.NOT_WORTH_SENDING, signals=signals)
    told, alone = response(signals, learned.model)
    bid = terms.unit_worth_minor if terms.bid_price_minor is None else terms.bid_price_minor
    found = delta(
        response=Response(told=told, alone=alone),
        unit=Unit(
            price_minor=terms.unit_price_minor,
            depth_share=signals.depth,
            worth_minor=terms.unit_worth_minor,
            bid_minor=bid - terms.unit_worth_minor,
        ),
        attention_minor=params["attention_price_minor"],
    )
    numbers = {
        "delta_minor": found.total,
        "gain_minor": found.gain,
        "would_have_bought_minor": found.would_have_bought,
        "displaced_minor": found.displaced,
        "attention_minor": found.attention,
        "q1": told,
        "q0": alone,
        "unit_price_minor": terms.unit_price_minor,
        "depth_bp": 10_000 * signals.depth,
        "response_version": learned.model.version,
        "bid_price_minor": bid,
    }
    if terms.send_now is not None:
        numbers["send_now"] = terms.send_now
    if waits is not None:
        numbers |= {"since_days": waits.since_days, "mean_days": waits.mean_days}
    # who has just bought it has no use for more of it, and at the next time would have paid for it
    is_worth_it = (
        found.total > 0 and not (waits is not None and waits.is_too_soon) and _may_be_told(candidate, terms)
    )
    return Worth(
        reason=None if is_worth_it else Reason.NOT_WORTH_SENDING,
        delta_minor=found.total,
        signals=signals,
        numbers={name: round(value, PLACES) for name, value in numbers.items()},
    )


def _may_be_told(candidate: Candidate, terms: OfferTerms) -> bool:
    """Whether a deal tells people now: it has a discount, has not stopped, and its wave is not used up."""
    if not terms.is_deal:
        return True
    if candidate.units_left is not None and candidate.units_left <= 0:
        return True
    return terms.benefit_value > 0 and not terms.is_deal_stopped and terms.send_now != 0
