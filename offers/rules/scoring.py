"""What one message is worth: what it adds, less what it gives away, displaces and asks of attention; docs/algorithms/score.md."""

import math
from dataclasses import dataclass

# A first guess until the hold-out has told: between a stranger to the target and somebody who buys nothing else.
STRANGER_BUYS = 0.02  # chance at the normal price, without a message
LOYAL_BUYS = 0.28
BEING_TOLD = 1.15  # what a message adds to a stranger's log-odds by itself; nothing to who would know anyway
CAUTIOUS_ELASTICITY = 1.5  # of an offer that names none


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    told: float  # q1: chance to buy with the message, 0..1
    alone: float  # q0: chance to buy at the normal price without it


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit of what an offer is for; amounts in minor units."""

    price_minor: float  # p0: without the offer
    depth_share: float  # d: 0..1 off it
    worth_minor: float  # c: what it costs, or where it is there already, what it is worth unsold
    bid_minor: float = 0.0  # π: what giving it away displaces beyond that


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The terms of Δ, in minor units, as they are kept with a decision."""

    gain: float  # q1 · (p0 · (1 − d) − c)
    would_have_bought: float  # q0 · (p0 − c)
    displaced: float  # (q1 − q0) · π
    attention: float  # a

    @property
    def total(self) -> float:
        return self.gain - self.would_have_bought - self.displaced - self.attention


def delta(*, response: Response, unit: Unit, attention_minor: float) -> Delta:
    """Return Δ = q1·(p0(1−d) − c) − q0·(p0 − c) − (q1 − q0)·π − a, by its terms. A message is worth sending above 0.

    >>> unit = Unit(price_minor=400, depth_share=0.3, worth_minor=0)
    >>> round(delta(response=Response(told=0.12, alone=0.02), unit=unit, attention_minor=5).total, 2)
    20.6
    """
    return Delta(
        gain=response.told * (unit.price_minor * (1 - unit.depth_share) - unit.worth_minor),
        would_have_bought=response.alone * (unit.price_minor - unit.worth_minor),
        displaced=(response.told - response.alone) * unit.bid_minor,
        attention=attention_minor,
    )


def cold_start_response(*, affinity_share: float, depth_share: float, elasticity: float) -> Response:
    """Return a cautious guess of both chances for a customer of whom nothing but their history is known.

    Who spends more on the target (0..1) is likelier to buy it anyway; the message adds to everybody's log-odds what the
    elasticity says of the depth, and to a stranger's also that they hear of it. A loyal customer's chance without the
    message is high, so that a discount must earn more than it gives away.

    >>> found = cold_start_response(affinity_share=0, depth_share=0.3, elasticity=2.5)
    >>> round(found.told, 2), round(found.alone, 2)
    (0.12, 0.02)
    """
    alone = STRANGER_BUYS + (LOYAL_BUYS - STRANGER_BUYS) * affinity_share
    odds = alone / (1 - alone)
    odds *= math.exp(min(elasticity * depth_share, 50.0) + BEING_TOLD * (1 - affinity_share))
    return Response(told=odds / (1 + odds), alone=alone)
