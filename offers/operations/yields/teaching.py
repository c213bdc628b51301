"""What sales have taught of each deal, put beside its facts before it is judged."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from offers.operations.yields.facts import DealFacts
from offers.operations.yields.sold import Sold, past_deals, sold_so_far
from offers.rules.yields.learning import Seen, learned_rate, shared_elasticity

UNTAUGHT = Sold()


def taught(facts: Sequence[DealFacts], *, now: datetime) -> list[DealFacts]:
    """Return the facts with the figures that each deal is reckoned with, in the same order.

    Sales are counted when a price may change or the deal ends: in between nothing would come of it. Costs at most two
    statements, whatever the number of deals.
    """
    due = [one for one in facts if one.held_until <= now or one.ends_at <= now]
    begun = [one.offer_id for one in due if one.shown]
    categories = {one.category for one in due if one.category}
    sold = sold_so_far(begun, now=now) if begun else {}
    past = past_deals(categories, now=now) if categories else {}
    shared: dict[tuple[str, float], float] = {}
    learned = {
        one.offer_id: _learned(one, sold.get(one.offer_id, UNTAUGHT), past=past, shared=shared) for one in due
    }
    return [learned.get(one.offer_id, one) for one in facts]


def _learned(
    facts: DealFacts,
    sold: Sold,
    *,
    past: Mapping[str, Sequence[Sequence[Seen]]],
    shared: dict[tuple[str, float], float],
) -> DealFacts:
    """Return the facts with what sales taught. shared: elasticities found already, by category and marketer's figure."""
    usual = facts.deal["expected_units_per_hour"]
    key = facts.category, facts.deal["elasticity"]
    if key not in shared:
        shared[key] = shared_elasticity(key[1], past=past.get(facts.category, ()))
    rate = learned_rate(
        usual_per_hour=usual,
        told=sold.told,
        shown=sold.shown,
        redeemed=facts.redeemed,
        elasticity=shared[key],
    )
    return replace(
        facts,
        seen=sold.told,
        units_per_hour=None if math.isclose(rate, usual) else rate,
        elasticity=None if shared[key] == key[1] else shared[key],
    )
