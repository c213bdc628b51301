"""Which of the eligible offers goes first where the house leaves a share of that to chance; docs/algorithms/exploration.md."""

from collections.abc import Sequence

from offers.flow import CustomerFacts, Trigger
from offers.rules.exploration import belief, choose, draw_for, propensities
from offers.stages.decide.judging import Judged


def explored(
    eligible: Sequence[Judged], *, trigger: Trigger, facts: CustomerFacts, share: float
) -> tuple[list[Judged], dict[int, float]]:
    """Return the eligible candidates, best first, in the order to be tried, and the chance that each had to go first.

    Chance is left to offers of the highest priority alone; where those are one, or share is 0, nothing is, and no chances are
    returned. Rewards are drawn by what is believed of their rates, never less than `share` evenly; where a margin is
    at stake the best goes first but for `share`. The same customer, trigger and offers give the same order anywhere.
    """
    group = [one for one in eligible if one.terms.priority == eligible[0].terms.priority]
    if share <= 0 or len(group) < 2:
        return list(eligible), {}
    if any(one.terms.objective == "margin" for one in group):
        even = share / len(group)
        chances: Sequence[float] = [1.0 - share + even, *[even] * (len(group) - 1)]
    else:
        beliefs = [belief(hits=one.terms.answered, tries=one.terms.shown) for one in group]
        chances = propensities(beliefs, floor=share)
    draw = draw_for(facts.ref, trigger.occurred_at.isoformat(), *(one.terms.ref for one in group))
    first = group[choose(chances, draw=draw)]
    order = [first, *(one for one in eligible if one is not first)]
    return order, {one.candidate.offer_id: chance for one, chance in zip(group, chances, strict=True)}
