"""How shoppers truly respond: the season's nature, which no policy sees.

Sources: the shape is that of offers.rules.scoring. A message outside of the fence has a sixth of the effect of one inside
(Fang, Gu, Luo & Xu, Information Systems Research 2015). That messages nobody asked for, and many of them, make people leave
is the finding of Wohllebe et al. (2021); its size here is an assumption.
"""

import numpy as np

from offers.evaluation.season.values import Floats, Shoppers, Told, Truth
from offers.rules.response import BEING_TOLD, LOYAL_BUYS, STRANGER_BUYS

PASSES_ANYWAY = 0.35  # of the visitors pass an aisle that means nothing to them
PASSES_WHEN_TOLD = 0.8
OUTSIDE_EFFECT = 1 / 6
COMES_FOR_IT = 0.01  # of those told at home who would not have come
LEAVES = 0.002  # of those told about what they buy
LEAVES_WHEN_IRRELEVANT = 5.0  # times as many of those told about what they never buy
LEAVES_PER_MESSAGE = 0.5  # and so many times more for each message of the last seven days


def true_chances(affinity: Floats, *, truth: Truth, noise: Floats) -> Floats:
    """Return the true chances to buy without a message; noise: a factor each, 1 on average."""
    alone = STRANGER_BUYS + (LOYAL_BUYS - STRANGER_BUYS) * affinity
    return np.clip(alone * truth.buys_anyway * noise, 0.0, 0.95)


def true_told(shoppers: int, *, truth: Truth, rng: np.random.Generator) -> Floats:
    """Return what a message adds to each shopper's log-odds: some hear everything, some nothing."""
    return np.clip(rng.normal(BEING_TOLD, 0.5, shoppers), 0.0, None) * truth.being_told


def pass_chance(affinity: float, *, is_told: bool) -> float:
    """Return the chance that a visitor passes the aisle."""
    alone = min(1.0, PASSES_ANYWAY + 2 * affinity)
    return max(alone, PASSES_WHEN_TOLD) if is_told else alone


def buy_chance(shoppers: Shoppers, *, shopper: int, line: int, told: Told | None) -> float:
    """Return the true chance to buy at the shelf; told: the message about this line, if there was one."""
    alone = float(shoppers.buys_alone[shopper, line])
    if told is None:
        return alone
    hears = float(shoppers.being_told[shopper]) * (1.0 - float(shoppers.affinity[shopper, line]))
    hears *= OUTSIDE_EFFECT if told.at_home else 1.0
    lift = float(shoppers.elasticity[shopper, line]) * told.depth_share + hears
    odds = alone / (1.0 - alone) * float(np.exp(lift))
    return odds / (1.0 + odds)


def leave_chance(*, affinity: float, messages_in_7_days: int) -> float:
    """Return the chance that a message makes its reader opt out."""
    chance = LEAVES * (LEAVES_WHEN_IRRELEVANT if affinity <= 0 else 1.0)
    return min(1.0, chance * (1.0 + LEAVES_PER_MESSAGE * messages_in_7_days))
