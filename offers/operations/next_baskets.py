"""Everybody's next basket, told from the purchases of those who allow it; docs/algorithms/next-basket.md.

A panel of customers teaches the model; then all customers are ranked block by block. Memory depends on the panel and on the number of
products, not on the number of customers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction

from customers.locks import lock_customers
from customers.operations.retention import in_batches
from offers.rules.next_basket.histories import Histories, Ints
from offers.rules.next_basket.panel import panel_of
from offers.rules.next_basket.ranking import Ranked, Ranker, examples_of, learned, rank

PANEL = 20_000  # customers who teach
PRODUCTS = 20_000  # the most bought ones: others are never told
KEPT = 20  # products of each customer
BLOCK = 200  # customers ranked at a time
DAYS = 365  # of purchases that count
BASKETS = 50  # of each customer, the newest
PAGE = 10_000  # customers looked at in one statement
READ = 1_000  # customers whose purchases are read at a time
MIN_BUYERS = 3  # of the panel: a product of fewer is not told to anybody
SEED = 1  # the same purchases give the same ranking

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

_REMOVE = """
    DELETE FROM offers_nextbasket
     WHERE id IN (SELECT id FROM offers_nextbasket WHERE computed_at < %s ORDER BY computed_at LIMIT %s)
"""

# A day's receipts are one basket. (customer, product, baskets after it), and products outside the list as -1.
_BASKETS = """
    WITH days AS (
        SELECT p.id, p.customer_id,
               dense_rank() OVER (PARTITION BY p.customer_id
                                  ORDER BY (p.purchased_at AT TIME ZONE 'UTC')::date DESC) - 1 AS age
          FROM customers_purchase p
         WHERE p.customer_id = ANY(%(customers)s) AND p.purchased_at > %(since)s AND p.purchased_at <= %(now)s
           AND EXISTS (SELECT FROM customers_purchaseline l WHERE l.purchase_id = p.id AND l.quantity > 0)
    )
    SELECT DISTINCT d.customer_id, l.gtin, d.age
      FROM days d JOIN customers_purchaseline l ON l.purchase_id = d.id AND l.quantity > 0
     WHERE d.age < %(baskets)s
     ORDER BY d.customer_id
"""

_WRITE = """
    INSERT INTO offers_nextbasket (customer_id, gtins, chances, own, alike, together, popular, computed_at)
    SELECT customer_id, array_agg(gtin ORDER BY place), array_agg(chance ORDER BY place),
           array_agg(own ORDER BY place), array_agg(alike ORDER BY place),
           array_agg(together ORDER BY place), array_agg(popular ORDER BY place), %(now)s
      FROM unnest(%(customers)s::bigint[], %(gtins)s::text[], %(chances)s::float8[], %(own)s::float8[],
                  %(alike)s::float8[], %(together)s::float8[], %(popular)s::float8[])
           WITH ORDINALITY AS told(customer_id, gtin, chance, own, alike, together, popular, place)
     GROUP BY customer_id
    ON CONFLICT (customer_id) DO UPDATE SET
        gtins = EXCLUDED.gtins, chances = EXCLUDED.chances, own = EXCLUDED.own, alike = EXCLUDED.alike,
        together = EXCLUDED.together, popular = EXCLUDED.popular, computed_at = EXCLUDED.computed_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    customers: int  # with a next basket now
    removed: int  # whose next basket is no longer told: no purchases, no consent
    panel: int  # customers who taught
    products: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    since: datetime
    now: datetime


def refresh_next_baskets(*, now: datetime, panel: int = PANEL) -> Refreshed:
    """Write everybody's next basket anew, each block in a transaction of its own.

    Only who allows profiling is read and told. Where nothing can be learned (too few customers with two baskets), nobody
    has a next basket. Two at once do no harm. Must not run inside a transaction.
    """
    period = _Period(since=now - timedelta(days=DAYS), now=now)
    everybody = _allowed(period)
    chosen = np.sort(np.random.default_rng(SEED).permutation(everybody)[:panel])
    gtins, histories = _panel_histories(chosen, period=period)
    ranker = _learned(histories)
    told = 0
    if ranker is not None:
        for ids, block in _blocks(everybody, gtins=gtins, period=period):
            ranked = rank(ranker, block, own=_own_rows(ids, chosen=chosen), count=KEPT)
            told += _write(ranked, ids=ids, gtins=gtins, now=now)
    removed = in_batches(_REMOVE, [now])
    return Refreshed(customers=told, removed=removed, panel=len(chosen), products=len(gtins))


def _allowed(period: _Period) -> Ints:
    """Return who is read and told: the ids, rising."""
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


def _learned(histories: Histories) -> Ranker | None:
    try:
        network = learned(examples_of(histories, seed=SEED), seed=SEED)
    except ValueError:
        return None
    return Ranker(panel=panel_of(histories), network=network)


def _own_rows(ids: Ints, *, chosen: Ints) -> Ints:
    """Return each customer's row in the panel; −1 for those outside."""
    if not len(chosen):
        return np.full(len(ids), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(chosen, ids), len(chosen) - 1)
    return np.where(chosen[place] == ids, place, -1)


def _panel_histories(chosen: Ints, *, period: _Period) -> tuple[list[str], Histories]:
    """Return the products that are told, and the panel's histories of them."""
    parts = [
        (start, _read(chosen[start : start + READ], period=period)) for start in range(0, len(chosen), READ)
    ]
    buyers: dict[str, int] = {}
    for _, rows in parts:
        for _, gtin in {(customer, gtin) for customer, gtin, _ in rows}:
            buyers[gtin] = buyers.get(gtin, 0) + 1
    common = sorted(
        (gtin for gtin in buyers if buyers[gtin] >= MIN_BUYERS), key=lambda one: (-buyers[one], one)
    )
    gtins = sorted(common[:PRODUCTS])
    return gtins, _histories(chosen, [row for _, rows in parts for row in rows], gtins=gtins)


def _blocks(everybody: Ints, *, gtins: Sequence[str], period: _Period) -> Iterator[tuple[Ints, Histories]]:
    for start in range(0, len(everybody), READ):
        ids = everybody[start : start + READ]
        histories = _histories(ids, _read(ids, period=period), gtins=gtins)
        for first in range(0, len(ids), BLOCK):
            until = min(first + BLOCK, len(ids))
            yield ids[first:until], histories.block(first, until)


def _read(ids: Ints, *, period: _Period) -> list[tuple[int, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _BASKETS,
            {"customers": ids.tolist(), "since": period.since, "now": period.now, "baskets": BASKETS},
        )
        return list(cursor.fetchall())


def _histories(ids: Ints, rows: Sequence[tuple[int, str, int]], *, gtins: Sequence[str]) -> Histories:
    """Return the customers' histories in the order of their ids; a basket of other products alone is still a basket."""
    numbers = {gtin: number for number, gtin in enumerate(gtins)}
    table = np.array(
        [(customer, numbers.get(gtin, -1), age) for customer, gtin, age in rows], dtype=np.int64
    ).reshape(-1, 3)
    customer = np.searchsorted(ids, table[:, 0])
    baskets = np.zeros(len(ids), dtype=np.int64)
    np.maximum.at(baskets, customer, table[:, 2] + 1)
    known = table[:, 1] >= 0
    return Histories(
        customers=len(ids),
        products=len(gtins),
        customer=customer[known],
        product=table[known, 1],
        age=table[known, 2],
        baskets=baskets,
    )


@transaction.atomic
def _write(ranked: Ranked, *, ids: Ints, gtins: Sequence[str], now: datetime) -> int:
    """Write one block; return how many customers have a next basket of it. Locks the customers: an erasure waits, or won."""
    living = lock_customers(customer_ids=np.unique(ids[ranked.customer]).tolist())
    owners = ids[ranked.customer]
    kept = np.isin(owners, np.fromiter(living, dtype=np.int64, count=len(living)))
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "customers": owners[kept].tolist(),
                "gtins": [gtins[product] for product in ranked.product[kept]],
                "chances": ranked.chance[kept].round(6).tolist(),
                "now": now,
                **{part: values[kept].round(4).tolist() for part, values in ranked.parts.items()},
            },
        )
        return cursor.rowcount
