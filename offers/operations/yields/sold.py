"""What sold in each deal so far, and what past deals of its category sold: two statements, whatever their number."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from offers.rules.yields.learning import Seen

PAST = timedelta(days=180)
MOST_PAST = 100  # deals of a category: the latest

# An hour of the clock counts where each store of the deal has a receipt in it, whatever was bought: the shop is open and
# its tills tell. The last one ends with the last receipt of the store that is furthest behind. A line of a product that
# the catalogue lacks counts by its own brand's name.
_SOLD = """
    WITH path AS MATERIALIZED (
        SELECT d.offer_id, (e.step->>'depth_bp')::int AS depth_bp, (e.step->>'at')::timestamptz AS since,
               COALESCE(LEAD((e.step->>'at')::timestamptz) OVER (PARTITION BY d.offer_id ORDER BY e.number), %(now)s) AS until
          FROM offers_dealstate d CROSS JOIN LATERAL jsonb_array_elements(d.shown) WITH ORDINALITY AS e(step, number)
         WHERE d.offer_id = ANY(%(offers)s)
    ), begun AS MATERIALIZED (
        SELECT p.offer_id, o.all_stores, min(p.since) AS since
          FROM path p JOIN offers_offer o ON o.id = p.offer_id GROUP BY p.offer_id, o.all_stores
    ), place AS MATERIALIZED (
        SELECT b.offer_id, b.since, s.ref FROM begun b
          JOIN offers_offerstore x ON x.offer_id = b.offer_id JOIN offers_store s ON s.id = x.store_id
         WHERE NOT b.all_stores AND s.removed_at IS NULL
        UNION ALL
        SELECT b.offer_id, b.since, s.ref FROM begun b CROSS JOIN offers_store s
         WHERE b.all_stores AND s.removed_at IS NULL
    ), places AS MATERIALIZED (
        SELECT offer_id, count(*) AS number FROM place GROUP BY offer_id
    ), receipt AS MATERIALIZED (
        SELECT p.id, p.store_ref, p.purchased_at
          FROM (SELECT ref, min(since) AS since FROM place GROUP BY ref) AS s
          JOIN customers_purchase p ON p.store_ref = s.ref
           AND p.purchased_at >= date_trunc('hour', s.since) AND p.purchased_at <= %(now)s
    ), told AS (
        SELECT store_ref, date_trunc('hour', purchased_at) AS hour, max(purchased_at) AS latest
          FROM receipt GROUP BY store_ref, date_trunc('hour', purchased_at)
    ), ends AS (
        SELECT p.offer_id, min(t.latest) AS until
          FROM place p JOIN (SELECT store_ref, max(latest) AS latest FROM told GROUP BY store_ref) AS t ON t.store_ref = p.ref
         GROUP BY p.offer_id
    ), open_hour AS MATERIALIZED (
        SELECT p.offer_id, t.hour, LEAST(t.hour + interval '1 hour', e.until) AS until
          FROM place p JOIN told t ON t.store_ref = p.ref
          JOIN ends e ON e.offer_id = p.offer_id JOIN places ON places.offer_id = p.offer_id
         GROUP BY p.offer_id, t.hour, e.until, places.number
        HAVING count(*) = places.number
    ), stretch AS MATERIALIZED (
        SELECT p.offer_id, p.depth_bp, GREATEST(p.since, h.hour) AS since, LEAST(p.until, h.until) AS until
          FROM path p JOIN open_hour h ON h.offer_id = p.offer_id AND h.hour < p.until AND h.until > p.since
         WHERE p.depth_bp IS NOT NULL
    ), line AS MATERIALIZED (
        SELECT r.store_ref, r.purchased_at, l.quantity, l.gtin, l.category_ref, COALESCE(b.key, named.key) AS brand
          FROM receipt r JOIN customers_purchaseline l ON l.purchase_id = r.id
          LEFT JOIN offers_product product ON product.gtin = l.gtin
          LEFT JOIN offers_brand b ON b.id = product.brand_id
          LEFT JOIN offers_brand named ON named.name = l.brand
    ), key AS MATERIALIZED (
        SELECT k.offer_id, k.kind, k.key FROM offers_offeraffinitykey k
         WHERE k.is_exact AND k.offer_id = ANY(%(offers)s)
    ), bought AS (
        SELECT k.offer_id, l.* FROM line l JOIN key k ON k.kind = 'product' AND k.key = l.gtin
        UNION ALL
        SELECT k.offer_id, l.* FROM line l JOIN key k ON k.kind = 'category' AND k.key = l.category_ref
        UNION ALL
        SELECT k.offer_id, l.* FROM line l JOIN key k ON k.kind = 'brand' AND k.key = l.brand
    ), sold AS (
        SELECT s.offer_id, s.depth_bp, sum(b.quantity) AS units
          FROM bought b JOIN place p ON p.offer_id = b.offer_id AND p.ref = b.store_ref
          JOIN stretch s ON s.offer_id = b.offer_id AND b.purchased_at > s.since AND b.purchased_at <= s.until
         GROUP BY s.offer_id, s.depth_bp
    ), hours AS (
        SELECT offer_id, depth_bp, sum(EXTRACT(epoch FROM until - since)) / 3600 AS told
          FROM stretch GROUP BY offer_id, depth_bp
    )
    SELECT p.offer_id, p.depth_bp, (sum(EXTRACT(epoch FROM p.until - p.since)) / 3600)::float8 AS shown,
           COALESCE(max(h.told), 0)::float8 AS told, COALESCE(max(s.units), 0)::float8 AS units
      FROM path p
      LEFT JOIN hours h ON h.offer_id = p.offer_id AND h.depth_bp = p.depth_bp
      LEFT JOIN sold s ON s.offer_id = p.offer_id AND s.depth_bp = p.depth_bp
     WHERE p.depth_bp IS NOT NULL
     GROUP BY p.offer_id, p.depth_bp
     ORDER BY p.offer_id, p.depth_bp
"""

_PAST = """
    SELECT given.category, past.seen::text
      FROM unnest(%(categories)s::text[]) AS given(category)
     CROSS JOIN LATERAL (
           SELECT d.seen FROM offers_dealstate d
            WHERE d.category = given.category AND NOT d.is_open AND d.seen <> '[]'::jsonb AND d.reviewed_at > %(since)s
            ORDER BY d.reviewed_at DESC LIMIT %(limit)s) AS past
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """The depths of one deal so far, each once."""

    shown: list[Seen] = field(default_factory=list)  # all hours; nothing is said of sales
    told: list[Seen] = field(default_factory=list)  # the hours that the tills told of


def sold_so_far(offer_ids: Collection[int], *, now: datetime) -> Mapping[int, Sold]:
    """Return what was sold of each deal's target in its stores since it began; a deal that showed no price is absent."""
    found: defaultdict[int, Sold] = defaultdict(Sold)
    with connection.cursor() as cursor:
        cursor.execute(_SOLD, {"offers": list(offer_ids), "now": now})
        for offer_id, depth_bp, shown, told, units in cursor.fetchall():
            found[offer_id].shown.append(Seen(depth_bp=depth_bp, hours=shown, sold=0.0))
            if told > 0:
                found[offer_id].told.append(Seen(depth_bp=depth_bp, hours=told, sold=units))
    return found


def past_deals(categories: Collection[str], *, now: datetime) -> Mapping[str, Sequence[Sequence[Seen]]]:
    """Return what the latest past deals of each category (ref) sold at their depths; without any a category is absent."""
    found: defaultdict[str, list[Sequence[Seen]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_PAST, {"categories": list(categories), "since": now - PAST, "limit": MOST_PAST})
        for category, seen in cursor.fetchall():
            found[category].append([Seen(**one) for one in json.loads(seen)])
    return found
