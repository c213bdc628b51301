"""What one message is worth: what it adds, less what it gives away, displaces and asks of attention; docs/algorithms/score.md."""

from dataclasses import dataclass


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
