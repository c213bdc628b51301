"""What a review writes: one statement for the deals, one for their capacities."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection

from offers.operations.yields.judging import Judged, said_at
from offers.rules.yields.stopping import StopReason

MOST_MINOR = 2**31 - 1
MOST_SHOWN = 200  # prices that a deal remembers having had

_WRITE = """
    UPDATE offers_dealstate d
       SET is_open = t.is_open, due_at = t.due_at, reviewed_at = %s, claimed_seen = t.claimed_seen,
           depth_bp = t.depth_bp, held_until = t.held_until, bid_price_minor = t.bid_price_minor,
           bids_minor = t.bids_minor, bid_lot = t.bid_lot, send_now = t.send_now, wave_number = t.wave_number,
           wave_opened_at = t.wave_opened_at, worth_sending = t.worth_sending, protected_units = t.protected_units,
           expected_sold = t.expected_sold, expected_left = t.expected_left, left_low = t.left_low,
           left_high = t.left_high, expected_margin_minor = t.expected_margin_minor,
           margin_doing_nothing_minor = t.margin_doing_nothing_minor, ladder = t.ladder,
           shown = t.shown, seen = t.seen, category = t.category, units_per_hour = t.units_per_hour, elasticity = t.elasticity,
           is_stopped = t.stop_reason <> '', stop_reason = t.stop_reason
      FROM jsonb_to_recordset(%s::jsonb) AS t(
               offer_id bigint, is_open boolean, due_at timestamptz, claimed_seen int, depth_bp int,
               held_until timestamptz, bid_price_minor int, bids_minor int[], bid_lot int, send_now int, wave_number int,
               wave_opened_at timestamptz, worth_sending int, protected_units int, expected_sold float8,
               expected_left float8, left_low int, left_high int, expected_margin_minor bigint,
               margin_doing_nothing_minor bigint, ladder jsonb, shown jsonb, seen jsonb, category text,
               units_per_hour float8, elasticity float8, stop_reason text)
     WHERE d.offer_id = t.offer_id
"""

_WAVES = """
    WITH given AS (
        SELECT * FROM unnest(%s::bigint[], %s::int[], %s::int[]) AS g(offer_id, wave, claimed)
    ), locked AS (
        SELECT c.offer_id, GREATEST(g.wave - GREATEST(c.claimed - g.claimed, 0), 0) AS wave_left
          FROM offers_capacity c JOIN given g USING (offer_id)
         ORDER BY c.offer_id
           FOR NO KEY UPDATE OF c
    )
    UPDATE offers_capacity c SET wave_left = l.wave_left
      FROM locked l
     WHERE c.offer_id = l.offer_id AND c.wave_left IS DISTINCT FROM l.wave_left
"""


def write(judged: Sequence[Judged], *, now: datetime) -> None:
    """Write what was judged. Must run inside a transaction that holds the deals; locks their capacities."""
    if not judged:
        return
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [now, json.dumps([_row(one, now=now) for one in judged])])
    set_waves({one.facts.offer_id: (one.wave.left, one.facts.claimed) for one in judged})


def set_waves(waves: Mapping[int, tuple[int, int]]) -> None:
    """Let (wave, claimed) more units of each deal be given now, less what was given since `claimed` was read.

    One statement: it locks the capacities in the order of the offers' ids. Must run inside a transaction, as its last lock.
    """
    if not waves:
        return
    offers = sorted(waves)
    with connection.cursor() as cursor:
        columns = [[waves[offer_id][place] for offer_id in offers] for place in (0, 1)]
        cursor.execute(_WAVES, [offers, *columns])


def shown_with(
    shown: Sequence[Mapping[str, Any]], depth_bp: int | None, *, now: datetime
) -> list[Mapping[str, Any]]:
    """Return DealState.shown with what holds from now on; the oldest go where there are too many.

    A deal that has shown nothing yet has no gap before it begins.
    """
    if depth_bp == (shown[-1]["depth_bp"] if shown else None):
        return list(shown)
    return [*shown, {"at": said_at(now), "depth_bp": depth_bp}][-MOST_SHOWN:]


def _row(one: Judged, *, now: datetime) -> dict[str, Any]:
    plan, facts = one.plan, one.facts
    low, high = plan.left_band
    bid = plan.bid_price_minor(
        max(1, facts.free_units)
    )  # with nothing left, of the first unit that comes back
    return {
        "offer_id": facts.offer_id,
        "is_open": facts.is_live and one.stop not in (StopReason.OVER, StopReason.BY_STAFF),
        "due_at": one.due_at.isoformat(),
        "claimed_seen": facts.claimed,
        "depth_bp": one.depth_bp,
        "held_until": one.held_until.isoformat(),
        "bid_price_minor": _minor(bid),
        "bids_minor": np.rint(np.clip(plan.bids_minor, -MOST_MINOR, MOST_MINOR)).astype(int).tolist(),
        "bid_lot": plan.lot,
        "send_now": one.wave.left,
        "wave_number": one.wave.number,
        "wave_opened_at": None if one.wave.opened_at is None else one.wave.opened_at.isoformat(),
        "worth_sending": one.worth_sending,
        "protected_units": one.protected_units,
        "expected_sold": round(plan.expected_sold, 2),
        "expected_left": round(plan.expected_left, 2),
        "left_low": low,
        "left_high": high,
        "expected_margin_minor": round(plan.expected_margin_minor),
        "margin_doing_nothing_minor": round(plan.margin_doing_nothing_minor),
        "ladder": [{"at": said_at(at), "depth_bp": depth} for at, depth in one.ladder],
        "shown": shown_with(facts.shown, one.shown_bp, now=now),
        "seen": [asdict(tally) for tally in facts.seen],
        "category": facts.category,
        "units_per_hour": facts.units_per_hour,
        "elasticity": facts.elasticity,
        "stop_reason": one.stop or "",
    }


def _minor(amount: float) -> int:
    return max(-MOST_MINOR, min(MOST_MINOR, round(amount)))
