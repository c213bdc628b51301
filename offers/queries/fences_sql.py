"""The statements of a phone's fence plan."""

# (kind, aisle id or null, store id, lat, lon, radius_m, dwell_s, area, edge_m, about_m): of each kind the nearest
# %(most)s. edge_m is the geodesic to the fence's edge, below 0 inside; about_m is the index's own distance, on a sphere,
# by which the rows were cut. A polygon's sides are straight in degrees, while geography takes the great circle between two
# corners: `bulge` bounds how far apart the two run, and is taken off.
_HERE = "ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)::geography"
_BULGE = """
    (ST_Perimeter(area) / 2) ^ 2 / (8 * 6356752)
      * tan(radians(LEAST(85, GREATEST(abs(ST_YMin(area::geometry)), abs(ST_YMax(area::geometry))))))
"""
_EDGE = f"""
    CASE WHEN ST_Covers(area, {_HERE}) THEN
      -GREATEST(0, ST_Distance(ST_Boundary(area::geometry)::geography, {_HERE}) - {_BULGE})
    ELSE GREATEST(0, ST_Distance(area, {_HERE}) - {_BULGE}) END
"""


NEAREST = f"""
    WITH circles AS MATERIALIZED (
        SELECT s.id, s.location, s.radius_m, s.location <-> {_HERE} AS about_m
          FROM offers_store s
         WHERE s.radius_m IS NOT NULL AND s.removed_at IS NULL
         ORDER BY s.location <-> {_HERE} LIMIT %(most)s
    ), polygons AS MATERIALIZED (
        SELECT s.id, s.area, s.area <-> {_HERE} AS about_m
          FROM offers_store s
         WHERE s.area IS NOT NULL AND s.removed_at IS NULL
         ORDER BY s.area <-> {_HERE} LIMIT %(most)s
    ), areas AS MATERIALIZED (
        SELECT a.id, a.store_id, a.dwell_s, a.area, a.area <-> {_HERE} AS about_m
          FROM offers_aisle a JOIN offers_store s ON s.id = a.store_id AND s.removed_at IS NULL
         WHERE a.area IS NOT NULL AND a.removed_at IS NULL
         ORDER BY a.area <-> {_HERE} LIMIT %(most)s
    )
    SELECT 'circle', NULL::bigint, id, ST_Y(location::geometry), ST_X(location::geometry), radius_m, NULL::int,
           NULL::bytea, ST_Distance(location, {_HERE}) - radius_m, about_m
      FROM circles
    UNION ALL
    SELECT 'polygon', NULL, id, NULL, NULL, NULL, NULL, ST_AsBinary(area), {_EDGE}, about_m FROM polygons
    UNION ALL
    SELECT 'aisle', id, store_id, NULL, NULL, NULL, dwell_s, ST_AsBinary(area), {_EDGE}, about_m FROM areas
"""  # noqa: S608  # put together from the lines of this file alone

# The largest radius there is.
WIDEST = "SELECT COALESCE(max(radius_m), 0) FROM offers_store"

# Who asks: what of a customer decides for longer than a moment.
CUSTOMER = """
    SELECT c.granted, c.channels, c.time_zone, c.birth_year, c.segments, c.topics, c.muted_brands, c.muted_categories,
           COALESCE(p.weight, 0)
      FROM customers_customer c LEFT JOIN customers_profile p ON p.customer_id = c.id
     WHERE c.id = %(customer)s AND c.erased_at IS NULL
"""

# Each live offer at these stores, with the customer's history with it, save those that ask for a history where there is
# none: (offer, stores (null: every store), is it for
# aisles, least share, bought_within_days, never_bought, segments, topics, exact weight, brand weight, last bought,
# units left, budget left, limit for ever, times given, brand keys, category refs).
OFFERS = """
    WITH RECURSIVE live AS NOT MATERIALIZED (
        SELECT id, all_stores, trigger_places, target_gtins, target_category_id, min_affinity_share, bought_within_days,
               never_bought, segments, topics, per_customer, per_customer_per_days
          FROM offers_offer
         WHERE state = 'live' AND removed_at IS NULL AND valid_from <= %(now)s AND valid_until > %(now)s
    ), listed AS MATERIALIZED (
        SELECT offer_id, array_agg(store_id) AS stores FROM offers_offerstore WHERE store_id = ANY(%(stores)s)
         GROUP BY offer_id
    ), there AS MATERIALIZED (
        SELECT live.*, NULL::bigint[] AS here_at FROM live WHERE all_stores
        UNION ALL
        SELECT live.*, listed.stores FROM listed JOIN live ON live.id = listed.offer_id WHERE NOT live.all_stores
    ), owned AS MATERIALIZED (
        SELECT kind, key, GREATEST(weight, 0) AS weight, CASE WHEN purchases > 0 THEN last_bought_at END AS last_bought_at
          FROM customers_affinity WHERE customer_id = %(customer)s
    ), bought AS MATERIALIZED (
        SELECT k.offer_id, SUM(a.weight) FILTER (WHERE k.is_exact) AS exact,
               SUM(a.weight) FILTER (WHERE NOT k.is_exact) AS wide,
               MAX(a.last_bought_at) FILTER (WHERE k.is_exact) AS last_bought_at
          FROM offers_offeraffinitykey k JOIN owned a ON (a.kind, a.key) = (k.kind, k.key)
         WHERE k.offer_id IN (SELECT id FROM there)
         GROUP BY k.offer_id
    ), here AS MATERIALIZED (
        SELECT * FROM there
         WHERE min_affinity_share = 0 OR never_bought OR id IN (SELECT offer_id FROM bought)
    ), given AS (
        SELECT offer_id FROM offers_coupon WHERE customer_id = %(customer)s AND state <> 'revoked'
        UNION ALL
        SELECT offer_id FROM offers_exposure
         WHERE customer_id = %(customer)s AND arm = 'holdout' AND voided_at IS NULL
    ), held AS (
        SELECT offer_id, count(*)::int AS times FROM given GROUP BY offer_id
    ), above(offer_id, category_id) AS (
        SELECT id, target_category_id FROM here WHERE target_category_id IS NOT NULL AND %(has_muted)s
        UNION
        SELECT h.id, p.category_id FROM here h JOIN offers_product p ON p.gtin = ANY(h.target_gtins)
         WHERE p.category_id IS NOT NULL AND %(has_muted)s
        UNION
        SELECT a.offer_id, c.parent_id FROM above a JOIN offers_category c ON c.id = a.category_id
         WHERE c.parent_id IS NOT NULL
    ), refs AS (
        SELECT a.offer_id, array_agg(c.ref) AS refs FROM above a JOIN offers_category c ON c.id = a.category_id
         GROUP BY a.offer_id
    ), brands AS (
        SELECT offer_id, array_agg(key) AS keys FROM offers_offeraffinitykey
         WHERE kind = 'brand' AND %(has_muted)s AND offer_id IN (SELECT id FROM here)
         GROUP BY offer_id
    )
    SELECT h.id, h.here_at, h.trigger_places = 'aisle', h.min_affinity_share, h.bought_within_days, h.never_bought,
           h.segments, h.topics, COALESCE(b.exact, 0), COALESCE(b.wide, 0), b.last_bought_at,
           capacity.units - capacity.claimed, capacity.budget_minor - capacity.spent_minor,
           CASE WHEN h.per_customer_per_days IS NULL THEN h.per_customer END, COALESCE(held.times, 0),
           COALESCE(brands.keys, '{}'), COALESCE(refs.refs, '{}')
      FROM here h
      LEFT JOIN bought b ON b.offer_id = h.id
      LEFT JOIN held ON held.offer_id = h.id
      LEFT JOIN offers_capacity capacity ON capacity.offer_id = h.id
      LEFT JOIN refs ON refs.offer_id = h.id
      LEFT JOIN brands ON brands.offer_id = h.id
"""

# The aisles of these stores where one of these offers may fire, as the candidates stage finds them, that a
# phone can notice: (aisle, store, ref,
# [uuid, major, minor] of each beacon). %(everywhere)s hold in every store; (%(at_stores)s, %(offers)s) in that one.
AISLES = """
    WITH everywhere AS MATERIALIZED (
        SELECT o.category_id FROM unnest(%(everywhere)s::bigint[]) AS e(offer_id)
          LEFT JOIN offers_offer_aisle_categories o USING (offer_id)
    ), anywhere AS MATERIALIZED (
        SELECT count(*) > 0 AS is_any, count(*) > count(category_id) AS is_any_aisle FROM everywhere
    ), here AS MATERIALIZED (
        SELECT a.id, a.store_id, a.ref, c.aisle_id IS NULL AS is_any_category
          FROM offers_aisle a
          LEFT JOIN LATERAL (SELECT b.aisle_id FROM offers_beacon b WHERE b.aisle_id = a.id LIMIT 1) b ON true
          LEFT JOIN LATERAL (SELECT c.aisle_id FROM offers_aisle_categories c WHERE c.aisle_id = a.id LIMIT 1) c ON true
         WHERE a.store_id = ANY(%(stores)s) AND a.removed_at IS NULL
           AND (a.area IS NOT NULL OR b.aisle_id IS NOT NULL)
    ), matched AS (
        SELECT h.id FROM here h CROSS JOIN anywhere w WHERE w.is_any_aisle OR (w.is_any AND h.is_any_category)
        UNION
        SELECT h.id FROM here h JOIN offers_aisle_categories c ON c.aisle_id = h.id
         WHERE c.category_id IN (SELECT category_id FROM everywhere)
        UNION
        SELECT h.id FROM unnest(%(at_stores)s::bigint[], %(offers)s::bigint[]) AS t(store_id, offer_id)
          JOIN here h USING (store_id)
         WHERE h.is_any_category
            OR NOT EXISTS (SELECT FROM offers_offer_aisle_categories o WHERE o.offer_id = t.offer_id)
            OR EXISTS (SELECT FROM offers_offer_aisle_categories o JOIN offers_aisle_categories c USING (category_id)
                        WHERE o.offer_id = t.offer_id AND c.aisle_id = h.id)
    )
    SELECT h.id, h.store_id, h.ref,
           ARRAY(SELECT jsonb_build_array(b.uuid, b.major, b.minor) FROM offers_beacon b WHERE b.aisle_id = h.id
                  ORDER BY b.uuid, b.major, b.minor)
      FROM here h JOIN matched USING (id)
     ORDER BY h.id
"""
