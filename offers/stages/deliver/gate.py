"""What keeps a lane from its provider, shared by all workers: the dead-token guard, the breaker, the rate.

Each is one statement on the lane's row, which is made when it is first needed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from offers.cursors import hot_cursor
from offers.gateways.port import Outcome
from offers.stages.deliver.parcels import Answer

OUTBOX_CHANNEL = "rayon_outbox"  # what the delivery workers listen to
WINDOW = 200  # answers about addresses that the guard remembers
FEWEST = 40  # answers before it judges
WORST_SHARE = 0.20  # more dead ones among them stop the lane
PROBE = "probe"  # the cause while one message tries the provider

# `kept` is what is remembered then: "1" for a dead address, "0" for a good one.
_BAD = """(length({kept}) >= %(fewest)s::int
            AND length(replace({kept}, '0', '')) > %(worst)s::float8 * length({kept}))"""
_FIRST = "right(%(bits)s::text, %(window)s::int)"
_LATER = "right(l.recent || %(bits)s::text, %(window)s::int)"
_JUDGE = f"""
    INSERT INTO offers_lane AS l (name, recent, stopped_at)
    VALUES (%(lane)s, {_FIRST}, CASE WHEN {_BAD.format(kept=_FIRST)} THEN %(now)s::timestamptz END)
    ON CONFLICT (name) DO UPDATE
       SET recent = {_LATER},
           stopped_at = COALESCE(l.stopped_at, CASE WHEN {_BAD.format(kept=_LATER)} THEN %(now)s::timestamptz END)
    RETURNING stopped_at IS NOT NULL, COALESCE(stopped_at = %(now)s::timestamptz, false)
"""  # noqa: S608 - made of the constants above

# Of workers that trip together the first opens the breaker: the wait grows with openings, not with workers.
_OPEN = """
    INSERT INTO offers_lane AS l (name, open_until, openings, cause)
    VALUES (%(lane)s, %(now)s::timestamptz + (%(waits)s::interval[])[1], 1, %(cause)s)
    ON CONFLICT (name) DO UPDATE
       SET open_until = %(now)s::timestamptz
                        + (%(waits)s::interval[])[LEAST(l.openings + 1, cardinality(%(waits)s::interval[]))],
           openings = LEAST(l.openings + 1, 1000), cause = %(cause)s
     WHERE l.open_until IS NULL OR l.open_until <= %(now)s::timestamptz OR l.cause = 'probe'
    RETURNING open_until
"""
_PROBE = """
    UPDATE offers_lane SET open_until = %s, cause = 'probe' WHERE name = %s AND open_until <= %s RETURNING name
"""
_CLOSE = """
    UPDATE offers_lane SET open_until = NULL, openings = 0, cause = ''
     WHERE name = %s AND open_until IS NOT NULL RETURNING name
"""

_MAKE = "INSERT INTO offers_lane (name) VALUES (%s) ON CONFLICT (name) DO NOTHING"
_TAKE = """
    WITH filled AS (
        SELECT name, LEAST(%(full)s::float8,
                           COALESCE(tokens + %(rate)s::float8 * EXTRACT(epoch FROM %(now)s::timestamptz - refilled_at),
                                    %(full)s::float8)) AS tokens
          FROM offers_lane WHERE name = %(lane)s FOR NO KEY UPDATE
    )
    UPDATE offers_lane l
       SET tokens = f.tokens - LEAST(floor(GREATEST(f.tokens, 0)), %(wanted)s::int),
           refilled_at = %(now)s::timestamptz
      FROM filled f
     WHERE l.name = f.name
    RETURNING LEAST(floor(GREATEST(f.tokens, 0)), %(wanted)s::int)::int
"""
_GIVE_BACK = "UPDATE offers_lane SET tokens = tokens + %s::int WHERE name = %s"


def judge(answers: Sequence[Answer], *, lane: str, now: datetime) -> tuple[bool, bool]:
    """Remember what a provider said of addresses; return (whether the lane is stopped, whether by this call).

    More than 20 % dead of the last 200 answers, of at least 40, stop the lane: then none of these answers may cost a
    device, for it is we who are wrong (another project's tokens, another environment), not all those phones.
    """
    bits = "".join(_bit(answer.receipt.outcome) for answer in answers)[-WINDOW:]
    if not bits:
        return False, False
    values: dict[str, Any] = {
        "lane": lane,
        "bits": bits,
        "now": now,
        "window": WINDOW,
        "fewest": FEWEST,
        "worst": WORST_SHARE,
    }
    with hot_cursor() as cursor:
        cursor.execute(_JUDGE, values)
        is_stopped, is_new = cursor.fetchone()
    return is_stopped, is_new


def _bit(outcome: Outcome) -> str:
    if outcome is Outcome.DEAD_TOKEN:
        return "1"
    return "0" if outcome is Outcome.ACCEPTED else ""


def open_breaker(*, lane: str, waits: Sequence[timedelta], cause: str, now: datetime) -> datetime | None:
    """Keep all workers from the lane for a while; return until when, or None if another worker did so just now.

    waits: by how often it was opened in a row before; the last for all after.
    """
    with hot_cursor() as cursor:
        cursor.execute(_OPEN, {"lane": lane, "waits": list(waits), "cause": cause[:64], "now": now})
        row = cursor.fetchone()
    return row[0] if row else None


def take_probe(*, lane: str, now: datetime, until: datetime) -> bool:
    """Whether this worker may try the provider with one message; until then no other one may."""
    with hot_cursor() as cursor:
        cursor.execute(_PROBE, [until, lane, now])
        return cursor.fetchone() is not None


def close_breaker(*, lane: str) -> bool:
    """Let messages through again; return whether they were kept. Wakes all workers."""
    with hot_cursor() as cursor:
        cursor.execute(_CLOSE, [lane])
        was_open = cursor.fetchone() is not None
    if was_open:
        notify_workers()
    return was_open


def notify_workers() -> None:
    """Let all workers look at the lanes anew."""
    with hot_cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [OUTBOX_CHANNEL])


def take_tokens(*, lane: str, wanted: int, rate_per_s: float, now: datetime) -> int:
    """Take up to `wanted` messages' worth from the lane's bucket, which holds one second's; return how many."""
    values: dict[str, Any] = {
        "lane": lane,
        "wanted": wanted,
        "rate": rate_per_s,
        "full": max(rate_per_s, 1.0),
        "now": now,
    }
    with hot_cursor() as cursor:
        cursor.execute(_TAKE, values)
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_MAKE, [lane])
            cursor.execute(_TAKE, values)
            row = cursor.fetchone()
    return int(row[0])


def give_tokens_back(*, lane: str, unused: int) -> None:
    """Put back what no message needed."""
    if unused:
        with hot_cursor() as cursor:
            cursor.execute(_GIVE_BACK, [unused, lane])
