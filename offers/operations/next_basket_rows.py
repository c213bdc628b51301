"""The rows that the next-basket job reads and writes, thousands at a time: columns travel whole, in PostgreSQL's own form."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection, transaction

from customers.locks import lock_customers
from offers.cursors import bigints, floats, hot_cursor, ints, texts
from offers.rules.next_basket.histories import Ints
from offers.rules.next_basket.ranking import PARTS, Ranked

PAGE = 10_000  # customers looked at in one statement

# Page by page, so that no statement reads through all customers.
_ALLOWED = """
    WITH page AS (
        SELECT id, erased_at, granted FROM customers_customer WHERE id > %(last)s ORDER BY id LIMIT %(page)s
    )
    SELECT (SELECT max(id) FROM page),
           ARRAY(SELECT c.id FROM page c
                  WHERE c.erased_at IS NULL AND 'profiling' = ANY(c.granted)
                    AND EXISTS (SELECT FROM customers_purchase p
                                 WHERE p.customer_id = c.id AND p.purchased_at > %(since)s
                                   AND p.purchased_at <= %(now)s)
                  ORDER BY c.id)
"""

_LINES = """
    SELECT coalesce(array_agg(p.customer_id), '{}'),
           coalesce(array_agg((p.purchased_at AT TIME ZONE 'UTC')::date - date '2000-01-01'), '{}'),
           coalesce(array_agg(l.gtin), '{}')
      FROM customers_purchase p
      JOIN customers_purchaseline l ON l.purchase_id = p.id AND l.quantity > 0 AND NOT l.is_sensitive
     WHERE p.customer_id = ANY(%(customers)s::bigint[])
       AND p.purchased_at > %(since)s::timestamptz AND p.purchased_at <= %(now)s::timestamptz
"""

_WRITE = """
    INSERT INTO offers_nextbasket (customer_id, gtins, chances, own, alike, together, popular, computed_at)
    SELECT told.customer_id, (%(gtins)s::text[])[first:last], (%(chances)s::float8[])[first:last],
           (%(own)s::float8[])[first:last], (%(alike)s::float8[])[first:last],
           (%(together)s::float8[])[first:last], (%(popular)s::float8[])[first:last], %(now)s::timestamptz
      FROM unnest(%(customers)s::bigint[], %(firsts)s::int[], %(lasts)s::int[]) AS told(customer_id, first, last)
    ON CONFLICT (customer_id) DO UPDATE SET
        gtins = EXCLUDED.gtins, chances = EXCLUDED.chances, own = EXCLUDED.own, alike = EXCLUDED.alike,
        together = EXCLUDED.together, popular = EXCLUDED.popular, computed_at = EXCLUDED.computed_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    since: datetime
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What customers bought, a line each, in no order."""

    customer: Ints  # the place among the customers asked for
    day: Ints  # in UTC, from 2000-01-01
    gtin: list[str]


def read_allowed(period: Period) -> Ints:
    """Return who is read and told: those who allow profiling and bought in the period; the ids, rising."""
    found: list[Ints] = []
    last = 0
    while True:
        values: dict[str, Any] = {"last": last, "page": PAGE, "since": period.since, "now": period.now}
        with connection.cursor() as cursor:
            cursor.execute(_ALLOWED, values)
            reached, ids = cursor.fetchone()
        if reached is None:
            return np.concatenate([*found, np.zeros(0, dtype=np.int64)])
        found.append(np.array(ids, dtype=np.int64))
        last = reached


def read_lines(ids: Ints, *, period: Period) -> Lines:
    """Return what these customers (ids, rising) bought and kept in the period, without sensitive goods."""
    with hot_cursor() as cursor:
        cursor.execute(_LINES, {"customers": bigints(ids), "since": period.since, "now": period.now})
        customers, days, gtins = cursor.fetchone()
    return Lines(
        customer=np.searchsorted(ids, np.array(customers, dtype=np.int64)),
        day=np.array(days, dtype=np.int64),
        gtin=gtins,
    )


@transaction.atomic
def write_ranked(ranked: Ranked, *, ids: Ints, gtins: list[str], now: datetime) -> int:
    """Write one block; return how many customers have a next basket of it.

    Locks the customers: an erasure waits, or has won. The commit does not wait for the disk: what a crash takes, the next
    run makes again.
    """
    told, firsts = np.unique(ranked.customer, return_index=True)
    lasts = np.append(firsts[1:], len(ranked.customer))
    living = lock_customers(customer_ids=ids[told].tolist())
    kept = np.isin(ids[told], np.fromiter(living, dtype=np.int64, count=len(living)))
    with hot_cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(
            _WRITE,
            {
                "customers": bigints(ids[told[kept]]),
                "firsts": ints(firsts[kept] + 1),
                "lasts": ints(lasts[kept]),
                "gtins": texts([gtins[product] for product in ranked.product.tolist()]),
                "chances": floats(ranked.chance.round(6)),
                "now": now,
                **{part: floats(ranked.parts[part].round(4)) for part in PARTS},
            },
        )
        return cursor.rowcount
