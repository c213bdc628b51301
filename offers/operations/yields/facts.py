"""What a review reads of its deals: one statement, whatever their number."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.dateparse import parse_datetime

from offers.rules.yields.deal import Deal
from offers.rules.yields.learning import Seen

_FACTS = """
    SELECT o.id AS offer_id, o.deal::text AS deal, o.state = 'live' AND o.removed_at IS NULL AS is_live, o.valid_until,
           o.minutes_after_issue, o.trigger_places, o.trigger_on,
           o.valid_from <= %(now)s AS is_begun, c.units, c.claimed, COALESCE(c.wave_left, 0) AS wave_left,
           d.depth_bp, d.held_until, d.wave_number, d.wave_opened_at, d.stop_reason,
           d.shown::text AS shown, d.seen::text AS seen, d.units_per_hour, d.elasticity, COALESCE(t.ref, g.ref, '') AS category,
           k.redeemed, k.expired, k.ages_min, k.lives_min
      FROM offers_dealstate d
      JOIN offers_offer o ON o.id = d.offer_id
      JOIN offers_capacity c ON c.offer_id = o.id
      LEFT JOIN offers_category t ON t.id = o.target_category_id
      LEFT JOIN LATERAL (
           SELECT min(category.ref) AS ref
             FROM offers_product p JOIN offers_category category ON category.id = p.category_id
            WHERE p.gtin = ANY(o.target_gtins)
           HAVING count(DISTINCT category.id) = 1
           ) AS g ON true
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE k.state = 'redeemed') AS redeemed,
                  count(*) FILTER (WHERE k.state = 'expired' OR k.is_open AND k.valid_until <= %(now)s) AS expired,
                  array_agg(k.age_min) FILTER (WHERE k.is_open AND k.valid_until > %(now)s) AS ages_min,
                  array_agg(k.life_min) FILTER (WHERE k.is_open AND k.valid_until > %(now)s) AS lives_min
             FROM (SELECT state, valid_until, state IN ('issued', 'reserved') AS is_open,
                          EXTRACT(epoch FROM GREATEST(%(now)s - issued_at, interval '0'))::float8 / 60 AS age_min,
                          EXTRACT(epoch FROM valid_until - issued_at)::float8 / 60 AS life_min
                     FROM offers_coupon WHERE offer_id = o.id) AS k
           ) AS k
     WHERE d.offer_id = ANY(%(offers)s)
     ORDER BY o.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DealFacts:
    """A deal as a review finds it."""

    offer_id: int
    deal: Mapping[str, Any]  # Offer.deal
    is_live: bool
    valid_until: datetime
    minutes_after_issue: int
    trigger_places: str
    trigger_on: str
    units: int
    claimed: int
    wave_left: int
    depth_bp: int
    held_until: datetime
    wave_number: int
    wave_opened_at: datetime | None
    stop_reason: str
    redeemed: int  # coupons that were used
    expired: int  # that ran out unused
    ages_min: Sequence[float]  # of the coupons that are out
    lives_min: Sequence[float]
    is_begun: bool = True  # the offer's own period has
    category: str = ""  # ref, of the target; empty: several, or none
    shown: Sequence[Mapping[str, Any]] = ()  # DealState.shown
    seen: Sequence[Seen] = ()  # what the tills told of each depth so far
    units_per_hour: float | None = None  # learned; None: the marketer's stands
    elasticity: float | None = None  # as the rate

    @property
    def ends_at(self) -> datetime:
        return min(self.valid_until, instant(self.deal["deadline"]))

    @property
    def free_units(self) -> int:
        return max(0, self.units - self.claimed)

    @property
    def rule_deal(self) -> Mapping[str, Any]:
        """Return Offer.deal with what sales have taught in the place of what was guessed."""
        learned = {"expected_units_per_hour": self.units_per_hour, "elasticity": self.elasticity}
        return {**self.deal, **{name: value for name, value in learned.items() if value is not None}}


def gather(offer_ids: Sequence[int], *, now: datetime) -> list[DealFacts]:
    """Return the facts of these offers' deals, by rising id; one that has lost its capacity's limit is left out."""
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, {"offers": list(offer_ids), "now": now})
        columns = [column.name for column in cursor.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return [
        DealFacts(
            **{
                **row,
                "deal": json.loads(row["deal"]),
                "shown": json.loads(row["shown"]),
                "seen": [Seen(**one) for one in json.loads(row["seen"])],
                "ages_min": row["ages_min"] or (),
                "lives_min": row["lives_min"] or (),
            }
        )
        for row in rows
        if row["units"] is not None and row["deal"] is not None
    ]


def deal_of(terms: Mapping[str, Any], *, units: int, hours_left: float) -> Deal:
    """Return the rule's value of an Offer.deal with so many units left. hours_left below 0 counts as 0."""
    return Deal(
        units=units,
        hours_left=max(0.0, hours_left),
        regular_price_minor=terms["regular_price_minor"],
        floor_price_minor=terms["floor_price_minor"],
        unit_cost_minor=terms["unit_cost_minor"],
        unsold_value_minor=terms["unsold_value_minor"],
        expected_units_per_hour=terms["expected_units_per_hour"],
        elasticity=terms["elasticity"],
        menu_bp=tuple(terms["menu_bp"]),
    )


def instant(text: str) -> datetime:
    """Return an instant as Offer.deal keeps it. Raises ValueError."""
    found = parse_datetime(text)
    if found is None or found.tzinfo is None:
        raise ValueError(f"{text!r} is no instant with an offset")
    return found
