"""A review without a database: facts in, what to do now and what to expect out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from offers.operations.yields.facts import DealFacts, deal_of
from offers.rules.yields.deal import Deal
from offers.rules.yields.littlewood import protected_poisson
from offers.rules.yields.overissue import Stock, critical_share, worth_sending
from offers.rules.yields.plan import HOLD_MINUTES, DealPlan, plan_deals
from offers.rules.yields.redeeming import median_response_min, outstanding
from offers.rules.yields.stopping import Standing, StopReason, stop_reason
from offers.rules.yields.waves import Wave, next_wave, wave_closed

# Of twenty messages one is redeemed, as long as nothing else is known.
PRIOR_REDEEMED, PRIOR_IGNORED = 1.0, 19.0
WALK_MIN = 3.0  # from the message to the shelf
LAST_MINUTES = timedelta(minutes=30)  # in which a deal is looked at each minute
SOON = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a review found of one deal."""

    facts: DealFacts
    plan: DealPlan
    depth_bp: int  # the plan's, or what is still held
    held_until: datetime
    ladder: tuple[tuple[datetime, int], ...]  # (from, depth), now first
    protected_units: int
    worth_sending: int
    wave: Wave
    stop: StopReason | None
    due_at: datetime

    @property
    def shown_bp(self) -> int | None:
        """Return what is taken off for who is told from now on; None: the deal is not under way, or nothing is left."""
        over = (StopReason.OVER, StopReason.BY_STAFF, StopReason.SOLD_OUT)
        if self.stop in over or not (self.facts.is_live and self.facts.is_begun):
            return None
        return self.depth_bp if self.stop is None else 0


def judge(facts: Sequence[DealFacts], *, now: datetime, params: Mapping[str, Any]) -> list[Judged]:
    """Return what to do with each deal at `now`, in the same order. params: settings.RAYON."""
    deals = [
        deal_of(one.rule_deal, units=one.free_units, hours_left=(one.ends_at - now).total_seconds() / 3600)
        for one in facts
    ]
    plans = plan_deals(deals, of_units=[one.units for one in facts])
    depths = [
        one.depth_bp if now < one.held_until else plan.depth_bp
        for one, plan in zip(facts, plans, strict=True)
    ]
    protected = _protected(deals, depths)
    worth = worth_sending(_stock(facts, deals, depths))
    return [
        _judged(one, deal, plan, depth, min(int(kept), one.free_units), int(most), now=now, params=params)
        for one, deal, plan, depth, kept, most in zip(
            facts, deals, plans, depths, protected, worth, strict=True
        )
    ]


def _judged(
    facts: DealFacts,
    deal: Deal,
    plan: DealPlan,
    depth: int,
    protected: int,
    worth: int,
    *,
    now: datetime,
    params: Mapping[str, Any],
) -> Judged:
    held_until = facts.held_until if now < facts.held_until else now + timedelta(hours=plan.held_h)
    redeemed, ignored = _response(facts)
    stop = _by_hand(facts) or stop_reason(
        Standing(
            minutes_left=60 * deal.hours_left,
            lead_min=WALK_MIN + _dwell_min(facts, params=params),
            depth_bp=depth,
            free_units=facts.free_units,
            protected_units=protected,
            worth_sending=worth,
            gain_minor=deal.price_minor(depth) - deal.unsold_value_minor,
            attention_minor=params["attention_price_minor"],
            redeemed=redeemed,
            ignored=ignored,
        )
    )
    wave = Wave(number=facts.wave_number, opened_at=facts.wave_opened_at, left=facts.wave_left)
    life_min = float(min(facts.minutes_after_issue, max(1.0, 60 * deal.hours_left)))
    if stop is None and depth > 0 and facts.is_live:
        free = facts.free_units - protected
        wave = next_wave(wave, worth=worth, free=free, life_min=life_min, now=now)
    else:
        wave = wave_closed(wave)
    return Judged(
        facts=facts,
        plan=plan,
        depth_bp=depth,
        held_until=held_until,
        ladder=_ladder(plan, depth, held_until=held_until, now=now),
        protected_units=protected,
        worth_sending=worth,
        wave=wave,
        stop=stop,
        due_at=_due_at(facts, wave, held_until=held_until, life_min=life_min, now=now),
    )


def _by_hand(facts: DealFacts) -> StopReason | None:
    """Return the stop that only publishing anew ends."""
    return StopReason.BY_STAFF if facts.stop_reason == StopReason.BY_STAFF else None


def _dwell_min(facts: DealFacts, *, params: Mapping[str, Any]) -> float:
    if facts.trigger_on != "dwell":
        return 0.0
    return float(params[f"{facts.trigger_places}_dwell_s"]) / 60


def _response(facts: DealFacts) -> tuple[float, float]:
    """Return the Beta numbers of the chance that a message is redeemed."""
    return PRIOR_REDEEMED + facts.redeemed, PRIOR_IGNORED + facts.expired


def _protected(deals: Sequence[Deal], depths: Sequence[int]) -> Any:
    """Return the units to keep of each deal for customers who pay the normal price by themselves: Littlewood."""
    organic = [deal.demand_per_hour(0) * deal.hours_left for deal in deals]
    ratios = [
        (deal.price_minor(depth) - deal.unsold_value_minor)
        / max(1.0, deal.regular_price_minor - deal.unsold_value_minor)
        for deal, depth in zip(deals, depths, strict=True)
    ]
    return protected_poisson(means=np.array(organic), ratios=np.array(ratios))


def _stock(facts: Sequence[DealFacts], deals: Sequence[Deal], depths: Sequence[int]) -> Stock:
    """Return what bears on how many messages are worth sending. To refuse somebody costs what a unit normally does."""
    both = [_response(one) for one in facts]
    margins = [
        deal.price_minor(depth) - deal.unsold_value_minor for deal, depth in zip(deals, depths, strict=True)
    ]
    return Stock(
        # a unit that a coupon holds is on the shelf until that is redeemed, and comes back if it is not
        units=np.array([one.free_units + len(one.ages_min) for one in facts]),
        organic=np.array([deal.demand_per_hour(0) * deal.hours_left for deal in deals]),
        outstanding=np.array([_outstanding(one) for one in facts]),
        redeemed=np.array([redeemed for redeemed, _ in both]),
        ignored=np.array([ignored for _, ignored in both]),
        critical=np.array(
            [
                critical_share(margin=margin, refusal=float(deal.regular_price_minor))
                for margin, deal in zip(margins, deals, strict=True)
            ]
        ),
    )


def _outstanding(facts: DealFacts) -> float:
    """Return the redemptions expected of the coupons that are out."""
    if not facts.ages_min:
        return 0.0
    redeemed, ignored = _response(facts)
    response = np.full(len(facts.ages_min), redeemed / (redeemed + ignored))
    return float(
        outstanding(
            ages_min=np.array(facts.ages_min, dtype=float),
            lives_min=np.array(facts.lives_min, dtype=float),
            response=response,
        ).sum()
    )


def _ladder(
    plan: DealPlan, depth: int, *, held_until: datetime, now: datetime
) -> tuple[tuple[datetime, int], ...]:
    """Return the depths ahead from now on; what is held stands first, until it may change."""
    ladder = [(now, depth)]
    for step in plan.ladder:
        at = max(now + timedelta(hours=step.in_h), held_until) if step.in_h or depth != step.depth_bp else now
        if step.depth_bp != ladder[-1][1]:
            ladder.append((at, step.depth_bp))
    return tuple(ladder)


def _due_at(
    facts: DealFacts, wave: Wave, *, held_until: datetime, life_min: float, now: datetime
) -> datetime:
    """Return when the deal is worth another look: its price may change, its next wave may go, its end is near."""
    moments = [held_until, now + timedelta(minutes=HOLD_MINUTES), facts.ends_at]
    if wave.opened_at is not None:
        moments.append(wave.opened_at + timedelta(minutes=median_response_min(life_min=life_min)))
    if facts.ends_at - now < LAST_MINUTES:
        moments.append(now + SOON)
    return min(moment for moment in moments if moment > now)


def said_at(moment: datetime) -> str:
    """Return an instant as the API writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
