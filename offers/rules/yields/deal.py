"""A last-minute deal as the yield rules see it: what is left, until when, at which prices."""

import math
from dataclasses import dataclass

WHOLE_BP = 10_000
MOST_EXPONENT = 50.0  # e^50 customers an hour are as good as endless, and still a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """Demand at price p is `expected_units_per_hour · exp(−elasticity · (p / regular_price_minor − 1))`."""

    units: int  # left to sell, 0 or more
    hours_left: float  # to the deadline, 0 or more
    regular_price_minor: int  # above 0
    floor_price_minor: int = 0  # no price is below it
    unit_cost_minor: int = 0  # paid already, whatever happens
    unsold_value_minor: int = 0  # of a unit left at the deadline; below 0: getting rid of it costs
    expected_units_per_hour: float  # at the regular price
    elasticity: float  # 0 or more
    menu_bp: tuple[int, ...]  # depths that may be given; no discount is always possible, too

    @property
    def depths_bp(self) -> tuple[int, ...]:
        """Return the depths that respect the floor, rising, from 0."""
        floor = self.floor_price_minor * WHOLE_BP
        allowed = {bp for bp in self.menu_bp if self.regular_price_minor * (WHOLE_BP - bp) >= floor}
        return (0, *sorted(allowed - {0}))

    def price_minor(self, depth_bp: int) -> float:
        """Return the price at a depth; not rounded, as a till rounds each line in its own way."""
        return self.regular_price_minor * (WHOLE_BP - depth_bp) / WHOLE_BP

    def demand_per_hour(self, depth_bp: int) -> float:
        """Return how many would buy in an hour at a depth.

        >>> deal = Deal(units=12, hours_left=4, regular_price_minor=400, expected_units_per_hour=2, elasticity=2.5,
        ...             menu_bp=(4000,))
        >>> deal.demand_per_hour(4000)  # 2 · e
        5.43656365691809
        """
        exponent = min(self.elasticity * depth_bp / WHOLE_BP, MOST_EXPONENT)
        return self.expected_units_per_hour * math.exp(exponent)
