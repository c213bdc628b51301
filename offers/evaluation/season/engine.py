"""This engine in the season: the rules that decide in the service, with a memory in place of the database.

Reviews are offers.operations.yields.judging.judge, decisions offers.stages.decide.choose. The shop feeds its stock every
ten minutes; the engine never sees a true response.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace as changed

from offers.evaluation.season.policies import NoPush
from offers.evaluation.season.values import Line, Told
from offers.evaluation.season.walking import Shelf
from offers.flow import Candidate, CustomerFacts, OfferTerms, Place, Trigger
from offers.operations.yields.facts import DealFacts
from offers.operations.yields.judging import Judged, judge
from offers.stages.decide import choose

FIRST_DAY = datetime(
    2026, 3, 2, 15, 0, tzinfo=UTC
)  # a Monday, 16:00 in Paris; the season is over before summer time
FEED_MIN = 10  # how often the shop tells its stock, and deals are reviewed
LIFE_MIN = 20  # of a coupon: time enough to walk to the shelf
MENU_BP = [1000, 2000, 3000, 4000, 5000]
HOLDOUT_SHARE = 0.1


@dataclass
class _Deal:
    """The deal on one line of one store on one day."""

    store: int
    line: int
    closes_at: datetime
    facts: DealFacts
    judged: Judged | None = None
    issued: list[datetime] = field(default_factory=list)  # of coupons that are out

    def coupons_out(self, now: datetime) -> list[datetime]:
        return [at for at in self.issued if now - at < timedelta(minutes=LIFE_MIN)]


@dataclass
class Engine(NoPush):
    """Tells somebody at the door when the rules say that it is worth it."""

    params: Mapping[str, Any] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._deals: dict[tuple[int, int], _Deal] = {}
        self._facts: dict[int, CustomerFacts] = {}
        self._held: defaultdict[int, dict[int, datetime]] = defaultdict(dict)  # coupons by shopper and line
        self._opened_at = FIRST_DAY
        self._reviewed_min = -FEED_MIN

    def opens(self, *, day: int, shelf: Shelf) -> dict[int, Told]:
        self._opened_at = FIRST_DAY + timedelta(days=day)
        self._reviewed_min = -FEED_MIN
        self._held.clear()
        self._deals = {
            (store, line): self._open_deal(store, line, units=units)
            for store, lines in enumerate(shelf)
            for line, units in enumerate(lines)
            if units > 0
        }
        return {}

    def enters(self, *, shopper: int, minute: int, shelf: Shelf) -> Told | None:
        """Return the message that the rules choose among all deals of the store; None with the reason counted."""
        store = int(self.world.shoppers.store[shopper])
        now = self._opened_at + timedelta(minutes=minute)
        self._review(shelf, minute=minute, now=now)
        deals = [deal for deal in self._deals.values() if deal.store == store]
        if shopper in self.gone or not deals:
            return None
        facts = self._facts.get(shopper) or _facts(shopper)
        terms = {deal.line: self._terms(deal) for deal in deals}
        candidates = [self._candidate(deal, shopper=shopper) for deal in deals]
        trigger = _trigger(shopper, store=store, now=now)
        [choice] = choose([trigger], candidates, terms, {shopper: facts}, now=now, params=self.params)
        self.reasons[choice.reason] += 1
        if choice.reason in ("issued", "holdout"):
            # a hold-out's exposure counts against the caps, too
            sent_at, stores = (*facts.sent_at, now)[-8:], (*facts.sent_stores, store)[-8:]
            self._facts[shopper] = changed(facts, sent_at=sent_at, sent_stores=stores)
        if choice.reason != "issued":
            return None
        line = choice.winners[0].candidate.offer_id
        self._issue(self._deals[store, line], shopper=shopper, now=now)
        return Told(line=line, depth_share=terms[line].benefit_value / 10_000)

    def bought(self, *, shopper: int, line: int, minute: int) -> None:
        deal = self._deals[int(self.world.shoppers.store[shopper]), line]
        deal.issued.remove(self._held[shopper][line])
        deal.facts = replace(deal.facts, redeemed=deal.facts.redeemed + 1)

    def _candidate(self, deal: _Deal, *, shopper: int) -> Candidate:
        affinity = float(self.world.shoppers.affinity[shopper, deal.line])
        return Candidate(
            trigger=0,
            offer_id=deal.line,
            affinity_share=affinity,
            exact_share=affinity,
            last_bought_at=None,
            issued_before=int(deal.line in self._held[shopper]),
            units_left=deal.facts.units - deal.facts.claimed,
        )

    def _issue(self, deal: _Deal, *, shopper: int, now: datetime) -> None:
        self._held[shopper][deal.line] = now
        deal.issued.append(now)
        claimed, left = deal.facts.claimed + 1, deal.facts.wave_left - 1
        deal.facts = replace(deal.facts, claimed=claimed, wave_left=left)

    def _open_deal(self, store: int, line: int, *, units: int) -> _Deal:
        goods, now = self.world.lines[line], self._opened_at
        closes_at = now + timedelta(minutes=self.world.town.window_min)
        expected = float(self.world.expected_an_hour[store, line])
        facts = DealFacts(
            offer_id=line,
            deal=_deal_terms(goods, units=units, expected=expected, deadline=closes_at),
            is_live=True,
            valid_until=closes_at,
            minutes_after_issue=LIFE_MIN,
            trigger_places="store",
            trigger_on="enter",
            units=units,
            claimed=0,
            wave_left=0,
            depth_bp=0,
            held_until=now,
            wave_number=0,
            wave_opened_at=None,
            stop_reason="",
            redeemed=0,
            expired=0,
            ages_min=(),
            lives_min=(),
        )
        return _Deal(store=store, line=line, closes_at=closes_at, facts=facts)

    def _review(self, shelf: Shelf, *, minute: int, now: datetime) -> None:
        """Take in the shop's stock and review the deals that are due, at most every ten minutes."""
        if minute - self._reviewed_min < FEED_MIN:
            return
        self._reviewed_min = minute
        due = [deal for deal in self._deals.values() if _is_due(deal, now=now)]
        for deal in due:
            _feed(deal, on_shelf=shelf[deal.store][deal.line], now=now)
        for deal, judged in zip(
            due, judge([deal.facts for deal in due], now=now, params=self.params), strict=True
        ):
            deal.judged = judged
            deal.facts = replace(
                deal.facts,
                depth_bp=judged.depth_bp,
                held_until=judged.held_until,
                wave_number=judged.wave.number,
                wave_opened_at=judged.wave.opened_at,
                wave_left=judged.wave.left,
            )

    def _terms(self, deal: _Deal) -> OfferTerms:
        judged, facts, goods = deal.judged, deal.facts, self.world.lines[deal.line]
        assert judged is not None
        free = facts.units - facts.claimed
        return changed(
            _TERMS,
            offer_id=deal.line,
            ref=f"{goods.name} {deal.store}",
            benefit_value=judged.depth_bp,
            valid_from=self._opened_at,
            valid_until=deal.closes_at,
            unit_price_minor=goods.price_minor,
            is_deal_stopped=judged.stop is not None,
            elasticity=goods.elasticity,
            bid_price_minor=round(judged.plan.bid_price_minor(free)) if free > 0 else None,
            send_now=facts.wave_left,
        )


def _is_due(deal: _Deal, *, now: datetime) -> bool:
    return deal.judged is None or now >= deal.judged.due_at or deal.facts.claimed != deal.judged.facts.claimed


def _feed(deal: _Deal, *, on_shelf: int, now: datetime) -> None:
    """Bring a deal's numbers up to date: what is on the shelf, and which coupons are still out."""
    out = deal.coupons_out(now)
    lapsed = len(deal.issued) - len(out)
    deal.issued = out
    claimed = deal.facts.redeemed + len(out)
    deal.facts = replace(
        deal.facts,
        units=deal.facts.redeemed + on_shelf,
        claimed=min(claimed, deal.facts.redeemed + on_shelf),
        expired=deal.facts.expired + lapsed,
        ages_min=[(now - at).total_seconds() / 60 for at in out],
        lives_min=[float(LIFE_MIN)] * len(out),
    )


def _deal_terms(goods: Line, *, units: int, expected: float, deadline: datetime) -> dict[str, Any]:
    return {
        "units": units,
        "deadline": deadline.isoformat(),
        "regular_price_minor": goods.price_minor,
        "floor_price_minor": 0,
        "unit_cost_minor": goods.cost_minor,
        "unsold_value_minor": 0,
        "expected_units_per_hour": expected,
        "elasticity": goods.elasticity,
        "menu_bp": MENU_BP,
    }


def _trigger(shopper: int, *, store: int, now: datetime) -> Trigger:
    return Trigger(
        customer_id=shopper,
        device_id="phone",
        event_row_id=None,
        event_id=None,
        transition="enter",
        place=Place(store_id=store, store_ref=str(store)),
        visit_id=None,
        store_visit_entered_at=now,
        occurred_at=now,
    )


def _facts(shopper: int) -> CustomerFacts:
    """Return a shopper who allows everything and asks for the house's defaults."""
    return changed(_FACTS, customer_id=shopper, ref=f"shopper {shopper}")


_FACTS = CustomerFacts(
    customer_id=0,
    ref="",
    language="fr",
    time_zone="Europe/Paris",
    birth_year=None,
    granted=frozenset({"push", "geolocation", "profiling"}),
    channels=("push",),
    segments=frozenset(),
    topics=frozenset(),
    muted_brands=frozenset(),
    muted_categories=frozenset(),
    quiet=None,
    max_pushes_per_day=1,
    max_pushes_per_week=3,
    paused_until=None,
    has_device=True,
)
_TERMS = OfferTerms(
    offer_id=1,
    ref="",
    revision=1,
    title={},
    body={},
    image_url="",
    benefit_kind="percent",
    benefit_value=0,
    currency="EUR",
    target_gtins=("3033490004521",),
    target_category=None,
    target_brand=None,
    min_affinity_share=0.0,  # everybody: the score decides
    bought_within_days=None,
    never_bought=False,
    segments=frozenset(),
    topics=frozenset(),
    valid_from=FIRST_DAY,
    valid_until=FIRST_DAY + timedelta(days=1),
    minutes_after_issue=LIFE_MIN,
    per_customer=None,
    per_customer_per_days=None,
    units=1,
    holdout_share=HOLDOUT_SHARE,
    priority=0,
    objective="margin",
    is_deal=True,
)
