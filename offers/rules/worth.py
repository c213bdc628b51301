"""Whether an offer that is weighed by its margin is worth a message to one customer; docs/algorithms/score.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offers.flow import Candidate, OfferTerms
from offers.rules.eligibility import Reason
from offers.rules.scoring import CAUTIOUS_ELASTICITY, Unit, cold_start_response, delta

PLACES = 4  # of the numbers that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What the score says of one candidate."""

    reason: Reason | None  # NOT_WORTH_SENDING, or None
    delta_minor: float = 0.0
    numbers: Mapping[str, float] = field(default_factory=dict)  # kept with the decision


REWARD = Worth(reason=None)  # of an offer that is given whatever it earns


def weigh(
    candidate: Candidate, terms: OfferTerms, *, affinity_share: float, params: Mapping[str, Any]
) -> Worth:
    """Return what the offer is worth to this customer; a reward is given in any case.

    affinity_share: 0 where the history may not be read. params: settings.RAYON. A deal whose units are gone is left to
    the check of what is left, which has the better reason.
    """
    if terms.objective != "margin":
        return REWARD
    if terms.unit_price_minor is None:
        return Worth(reason=Reason.NOT_WORTH_SENDING)
    depth = depth_share(terms)
    response = cold_start_response(
        affinity_share=affinity_share,
        depth_share=depth,
        elasticity=CAUTIOUS_ELASTICITY if terms.elasticity is None else terms.elasticity,
    )
    bid = terms.unit_worth_minor if terms.bid_price_minor is None else terms.bid_price_minor
    found = delta(
        response=response,
        unit=Unit(
            price_minor=terms.unit_price_minor,
            depth_share=depth,
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
        "q1": response.told,
        "q0": response.alone,
        "unit_price_minor": terms.unit_price_minor,
        "depth_bp": 10_000 * depth,
        "bid_price_minor": bid,
    }
    if terms.send_now is not None:
        numbers["send_now"] = terms.send_now
    is_worth_it = found.total > 0 and _may_be_told(candidate, terms)
    return Worth(
        reason=None if is_worth_it else Reason.NOT_WORTH_SENDING,
        delta_minor=found.total,
        numbers={name: round(value, PLACES) for name, value in numbers.items()},
    )


def depth_share(terms: OfferTerms) -> float:
    """Return how much of the unit's price the benefit takes off, 0..1."""
    price = terms.unit_price_minor or 0
    if terms.benefit_kind == "percent":
        return terms.benefit_value / 10_000
    off = terms.benefit_value if terms.benefit_kind == "amount" else price - terms.benefit_value
    return min(1.0, max(0.0, off / price)) if price else 0.0


def _may_be_told(candidate: Candidate, terms: OfferTerms) -> bool:
    """Whether a deal tells people now: it has a discount, has not stopped, and its wave is not used up."""
    if not terms.is_deal:
        return True
    if candidate.units_left is not None and candidate.units_left <= 0:
        return True
    return terms.benefit_value > 0 and not terms.is_deal_stopped and terms.send_now != 0
