"""The statements of the candidates stage: arrays in, rows out."""

# Offers per spot: (spot, offer, within_m, opening hours, time zone, latitude, longitude). A spot is a store or an aisle and a transition.
OFFERS_AT = """
    WITH spots AS (
        SELECT t.*, CASE WHEN t.aisle_id IS NULL THEN 'store' ELSE 'aisle' END AS places
          FROM unnest(%(spots)s::int[], %(stores)s::bigint[], %(aisles)s::bigint[], %(transitions)s::text[])
            AS t(spot, store_id, aisle_id, transition)
    ), everywhere AS MATERIALIZED (
        SELECT id, trigger_places, trigger_on, within_m FROM offers_offer
         WHERE all_stores AND state = 'live' AND removed_at IS NULL
           AND valid_from <= %(now)s AND valid_until > %(now)s
    ), here AS (
        SELECT s.spot, s.store_id, s.aisle_id, o.id AS offer_id, o.within_m
          FROM spots s JOIN everywhere o ON (o.trigger_places, o.trigger_on) = (s.places, s.transition)
        UNION ALL
        -- OFFSET 0 keeps the planner to one look-up by store for each spot: it cannot guess how few offers a store has
        SELECT s.spot, s.store_id, s.aisle_id, o.id, o.within_m
          FROM spots s
         CROSS JOIN LATERAL (
             SELECT o.id, o.within_m FROM offers_offerstore os JOIN offers_offer o ON o.id = os.offer_id
              WHERE os.store_id = s.store_id AND o.trigger_places = s.places AND o.trigger_on = s.transition
                AND NOT o.all_stores AND o.state = 'live' AND o.removed_at IS NULL
                AND o.valid_from <= %(now)s AND o.valid_until > %(now)s
             OFFSET 0) o
    )
    SELECT h.spot, h.offer_id, h.within_m, store.opening_hours, store.time_zone,
           ST_Y(store.location::geometry), ST_X(store.location::geometry)
      FROM here h JOIN offers_store store ON store.id = h.store_id AND store.removed_at IS NULL
     WHERE h.aisle_id IS NULL
        OR NOT EXISTS (SELECT FROM offers_aisle_categories a WHERE a.aisle_id = h.aisle_id)
        OR NOT EXISTS (SELECT FROM offers_offer_aisle_categories o WHERE o.offer_id = h.offer_id)
        OR EXISTS (SELECT FROM offers_offer_aisle_categories o
                     JOIN offers_aisle_categories a ON a.category_id = o.category_id AND a.aisle_id = h.aisle_id
                    WHERE o.offer_id = h.offer_id)
     ORDER BY h.spot, h.offer_id
"""

# (trigger, offer) whose event has a position outside the offer's distance from the store's fence or point.
TOO_FAR = """
    SELECT t.trigger, t.offer_id
      FROM unnest(%(triggers)s::int[], %(offers)s::bigint[], %(limits)s::int[], %(lats)s::float8[], %(lons)s::float8[],
                  %(stores)s::bigint[])
        AS t(trigger, offer_id, within_m, lat, lon, store_id)
      JOIN offers_store s ON s.id = t.store_id
     WHERE NOT ST_DWithin(COALESCE(s.area, s.location),
                          ST_SetSRID(ST_MakePoint(t.lon, t.lat), 4326)::geography, t.within_m)
"""

# (customer, offer, exact weight, brand weight, whole weight, last bought, coupons that count against the limit, first
# bought, receipts).
# `owned` and `given` read each customer once, by index, however many offers they meet. A hold-out's exposure counts
# like the coupon it stands for, so that both arms meet the same limit.
HISTORIES = """
    WITH pairs AS MATERIALIZED (
        SELECT * FROM unnest(%(customers)s::bigint[], %(offers)s::bigint[]) AS p(customer_id, offer_id)
    ), keys AS MATERIALIZED (
        SELECT offer_id, kind, key, is_exact FROM offers_offeraffinitykey WHERE offer_id = ANY(%(each_offer)s)
    ), owned AS MATERIALIZED (
        SELECT a.customer_id, a.kind, a.key, GREATEST(a.weight, 0) AS weight,
               CASE WHEN a.purchases > 0 THEN a.last_bought_at END AS last_bought_at, a.first_bought_at, a.purchases
          FROM customers_affinity a
         WHERE a.customer_id = ANY(%(each_customer)s) AND (a.kind, a.key) IN (SELECT kind, key FROM keys)
    ), bought AS (
        SELECT p.customer_id, p.offer_id,
               SUM(a.weight) FILTER (WHERE k.is_exact) AS exact,
               SUM(a.weight) FILTER (WHERE NOT k.is_exact) AS wide,
               MAX(a.last_bought_at) FILTER (WHERE k.is_exact) AS last_bought_at,
               MIN(a.first_bought_at) FILTER (WHERE k.is_exact) AS first_bought_at,
               SUM(a.purchases) FILTER (WHERE k.is_exact) AS purchases
          FROM pairs p
          JOIN keys k ON k.offer_id = p.offer_id
          JOIN owned a ON (a.customer_id, a.kind, a.key) = (p.customer_id, k.kind, k.key)
         GROUP BY p.customer_id, p.offer_id
    ), given AS (
        SELECT c.customer_id, c.offer_id, c.issued_at AS since, c.valid_until AS until,
               c.state IN ('issued', 'reserved') AS is_open
          FROM offers_coupon c
         WHERE c.customer_id = ANY(%(each_customer)s) AND c.offer_id = ANY(%(each_offer)s) AND c.state <> 'revoked'
        UNION ALL
        SELECT e.customer_id, e.offer_id, e.exposed_at,
               LEAST(e.exposed_at + make_interval(mins => o.minutes_after_issue), o.valid_until), true
          FROM offers_exposure e JOIN offers_offer o ON o.id = e.offer_id
         WHERE e.customer_id = ANY(%(each_customer)s) AND e.offer_id = ANY(%(each_offer)s)
           AND e.arm = 'holdout' AND e.voided_at IS NULL
    ), held AS (
        SELECT g.customer_id, g.offer_id, count(*)::int AS times
          FROM given g JOIN offers_offer o ON o.id = g.offer_id
         WHERE CASE WHEN o.per_customer_per_days IS NOT NULL
                    THEN g.since > %(now)s - make_interval(days => o.per_customer_per_days)
                    WHEN o.per_customer IS NOT NULL THEN true
                    ELSE g.is_open AND g.until > %(now)s END
         GROUP BY g.customer_id, g.offer_id
    )
    SELECT p.customer_id, p.offer_id, COALESCE(b.exact, 0), COALESCE(b.wide, 0), COALESCE(profile.weight, 0),
           b.last_bought_at, COALESCE(held.times, 0), b.first_bought_at, COALESCE(b.purchases, 0)::int
      FROM pairs p
      LEFT JOIN bought b ON (b.customer_id, b.offer_id) = (p.customer_id, p.offer_id)
      LEFT JOIN held ON (held.customer_id, held.offer_id) = (p.customer_id, p.offer_id)
      LEFT JOIN customers_profile profile
             ON profile.customer_id = p.customer_id AND profile.customer_id = ANY(%(each_customer)s)
"""

# OfferTerms by name, and what is left of each offer's capacity. An offer on a brand has no categories: muting water must not mute a brand's yoghurts.
TERMS = """
    WITH RECURSIVE chosen AS (
        SELECT * FROM offers_offer WHERE id = ANY(%(offers)s)
    ), above(offer_id, category_id) AS (
        SELECT id, target_category_id FROM chosen WHERE target_category_id IS NOT NULL
        UNION
        SELECT o.id, p.category_id FROM chosen o JOIN offers_product p ON p.gtin = ANY(o.target_gtins)
         WHERE p.category_id IS NOT NULL
        UNION
        SELECT a.offer_id, c.parent_id FROM above a JOIN offers_category c ON c.id = a.category_id
         WHERE c.parent_id IS NOT NULL
    ), refs AS (
        SELECT a.offer_id, array_agg(c.ref) AS refs FROM above a JOIN offers_category c ON c.id = a.category_id
         GROUP BY a.offer_id
    ), brands AS (
        SELECT k.offer_id, array_agg(k.key) AS keys, CASE WHEN count(*) = 1 THEN min(b.name) END AS name
          FROM offers_offeraffinitykey k LEFT JOIN offers_brand b ON b.key = k.key
         WHERE k.kind = 'brand' AND k.offer_id = ANY(%(offers)s)
         GROUP BY k.offer_id
    )
    SELECT o.id AS offer_id, o.ref, o.revision, o.title::text, o.body::text, o.image_url,
           CASE WHEN o.deal IS NULL THEN o.benefit_kind ELSE 'percent' END AS benefit_kind,
           CASE WHEN o.deal IS NULL THEN o.benefit_value ELSE COALESCE(deal.depth_bp, 0) END AS benefit_value,
           o.currency, o.target_gtins, c.ref AS target_category,
           NULLIF(o.target_brand, '') AS target_brand, o.min_affinity_share, o.bought_within_days, o.never_bought,
           o.segments, o.topics, o.valid_from, o.valid_until, o.minutes_after_issue, o.per_customer,
           o.per_customer_per_days, capacity.units, o.holdout_share, o.priority, o.objective,
           brands.keys AS brand_keys, refs.refs AS category_refs,
           COALESCE(c.name, NULLIF(o.target_brand, ''), brands.name, '') AS target_name,
           o.unit_price_minor, o.deal IS NOT NULL AS is_deal, COALESCE(deal.is_stopped, false) AS is_deal_stopped,
           COALESCE(CASE WHEN o.deal IS NULL THEN o.unit_cost_minor
                         ELSE (o.deal->>'unsold_value_minor')::int END, 0) AS unit_worth_minor,
           COALESCE(deal.elasticity, (o.deal->>'elasticity')::float8) AS elasticity,
           deal.bids_minor[LEAST((capacity.units - capacity.claimed + deal.bid_lot - 1) / deal.bid_lot,
                                 cardinality(deal.bids_minor))] AS bid_price_minor,
           capacity.wave_left AS send_now,
           capacity.units - capacity.claimed AS units_left,
           capacity.budget_minor - capacity.spent_minor AS budget_left_minor, legal.facts::text AS legal,
           usual.days AS usual_days, COALESCE(responses.shown, 0) AS shown, COALESCE(responses.answered, 0) AS answered
      FROM chosen o
      LEFT JOIN offers_category c ON c.id = o.target_category_id
      LEFT JOIN offers_capacity capacity ON capacity.offer_id = o.id
      LEFT JOIN offers_offerlegal legal ON legal.offer_id = o.id
      LEFT JOIN offers_dealstate deal ON deal.offer_id = o.id
      LEFT JOIN offers_offerresponses responses ON responses.offer_id = o.id
      LEFT JOIN LATERAL (
          SELECT sum(u.days) / sum(u.intervals) AS days
            FROM offers_offeraffinitykey k JOIN customers_usualrhythm u ON (u.kind, u.key) = (k.kind, k.key)
           WHERE k.offer_id = o.id AND k.is_exact) usual ON true
      LEFT JOIN refs ON refs.offer_id = o.id
      LEFT JOIN brands ON brands.offer_id = o.id
     ORDER BY o.id
"""
