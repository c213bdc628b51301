"""What sales teach about demand: a rate for each deal, a price sensitivity for each category; docs/algorithms/yield.md."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv

from offers.rules.yields.demand import Floats

STEPS = 50  # of Newton's method, which needs five
PRIOR_HOURS = 4.0  # a marketer's "usual sales" weigh as much as four hours of watching
PRIOR_DEVIATION = 1.0  # of a marketer's elasticity, as long as the category's past deals say nothing
ENOUGH_DEALS = 5  # of a category, each at two depths or more, before they say anything
ENOUGH_SALES = 30.0  # units sold in these
MOVED_SHARE = 0.1  # of the usual sales: a smaller difference is not worth a sentence
MOST_EXPONENT = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Units an hour at the regular price, as a Gamma distribution: `sales` seen in `hours`, the prior's included."""

    sales: float  # α, above 0
    hours: float  # β, above 0

    @classmethod
    def expected(cls, *, per_hour: float, hours: float) -> "Rate":
        """Return what a marketer's guess says, as sure as if it had been watched for so many hours."""
        return cls(sales=per_hour * hours, hours=hours)

    @property
    def mean(self) -> float:
        return self.sales / self.hours

    def after(self, *, sales: float, hours: float) -> "Rate":
        """Return what is known after more sales: hours at another price count by how much it sells, e^(ε·depth).

        >>> Rate.expected(per_hour=2, hours=4).after(sales=12, hours=4).mean
        2.5
        """
        return Rate(sales=self.sales + sales, hours=self.hours + hours)

    def band(self, *, share: float = 0.8) -> tuple[float, float]:
        """Return the middle of the distribution that holds this share of it."""
        low, high = (1 - share) / 2, (1 + share) / 2
        return tuple(float(gammaincinv(self.sales, at)) / self.hours for at in (low, high))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one depth of one deal sold, as far as the tills told."""

    depth_bp: int
    hours: float
    sold: float  # units; below 0 where more came back than went


def exposure_h(seen: Sequence[Seen], *, elasticity: float) -> float:
    """Return the hours as if all had been at the regular price: an hour at a depth counts e^(ε · depth) times.

    >>> round(exposure_h([Seen(depth_bp=0, hours=1, sold=0), Seen(depth_bp=4000, hours=1, sold=0)], elasticity=2.5), 4)
    3.7183
    """
    return sum(one.hours * math.exp(min(elasticity * one.depth_bp / 10_000, MOST_EXPONENT)) for one in seen)


def learned_rate(
    *, usual_per_hour: float, told: Sequence[Seen], shown: Sequence[Seen], redeemed: int, elasticity: float
) -> float:
    """Return the units an hour at the regular price that a deal is reckoned with.

    told: what the tills told of; without it the marketer's figure stands. shown: the whole time of the deal so far.
    Coupons that were used are the least that was sold in it, so they raise the figure and never lower it.
    """
    prior = Rate.expected(per_hour=usual_per_hour, hours=PRIOR_HOURS)
    sold = max(0.0, sum(one.sold for one in told))
    by_tills = prior.after(sales=sold, hours=exposure_h(told, elasticity=elasticity))
    hours = exposure_h(shown, elasticity=elasticity)
    return max(by_tills.mean, prior.after(sales=redeemed, hours=hours).mean if hours else 0.0)


def pooled_elasticity(
    deals: Sequence[Sequence[Seen]], *, prior: float = 2.0, prior_deviation: float = PRIOR_DEVIATION
) -> tuple[float, float]:
    """Return the elasticity of a category and its standard deviation; the prior's where nothing was seen.

    Three or four prices of one product tell too little, so the deals of a category share one number. Each deal's sales are
    Poisson with its own rate, which falls out: given their sum, they spread over its depths as hours · e^(ε · depth). ε is
    normal before; the answer is the peak of what is then known, never below 0.
    """
    weight = 1 / prior_deviation**2
    tallies = [_tally(one) for one in deals]
    tallies = [one for one in tallies if one[1].size > 1]
    found, known = prior, weight
    for _ in range(STEPS):
        slope, known = -weight * (found - prior), weight
        for depths, hours, sold in tallies:
            shares = hours * np.exp(found * (depths - depths.max()))
            shares /= shares.sum()
            total, mean = sold.sum(), shares @ depths
            slope += float(sold @ depths - total * mean)
            known += float(total * (shares @ (depths - mean) ** 2))
        step = max(-1.0, min(1.0, slope / known))
        found += step
        if abs(step) < 1e-12:
            break
    return max(0.0, found), 1 / math.sqrt(known)


def shared_elasticity(usual: float, *, past: Sequence[Sequence[Seen]]) -> float:
    """Return what a deal is reckoned with: the marketer's elasticity until its category's past deals are enough.

    past: the depths of each. A marketer's figure above MOST_EXPONENT is left alone.
    """
    teaching = [deal for deal in past if sum(1 for one in deal if one.hours > 0) > 1]
    sold = sum(max(0.0, one.sold) for deal in teaching for one in deal)
    if len(teaching) < ENOUGH_DEALS or sold < ENOUGH_SALES or usual > MOST_EXPONENT:
        return usual
    return pooled_elasticity(teaching, prior=usual)[0]


def _tally(deal: Sequence[Seen]) -> tuple[Floats, Floats, Floats]:
    """Return depths as shares, hours, and units sold, where hours passed."""
    kept = [(one.depth_bp / 10_000, one.hours, max(0.0, one.sold)) for one in deal if one.hours > 0]
    depths, hours, sold = np.array(kept).reshape(-1, 3).T
    return depths, hours, sold


def learned_sentence(*, usual_per_hour: float, per_hour: float) -> Mapping[str, str] | None:
    """Return, by language, that a deal sells otherwise than its marketer expected; None: it does not, or hardly.

    >>> learned_sentence(usual_per_hour=2, per_hour=1.2)["en"]
    'Sells slower than usual: 1.2 instead of 2 an hour at the normal price.'
    """
    if abs(per_hour - usual_per_hour) <= MOVED_SHARE * usual_per_hour + 1e-9:
        return None
    now, before = _said(per_hour), _said(usual_per_hour)
    if now == before:
        return None
    slower = per_hour < usual_per_hour
    return {
        "fr": f"Se vend {'moins' if slower else 'plus'} vite que d’habitude : {now.replace('.', ',')} au lieu de "
        f"{before.replace('.', ',')} par heure au prix normal.",
        "en": f"Sells {'slower' if slower else 'faster'} than usual: {now} instead of {before} an hour at the normal price.",
    }


def _said(rate: float) -> str:
    """Return a rate with two digits that count; no more can be known of it."""
    return f"{rate:.2g}" if rate < 100 else f"{rate:.0f}"
