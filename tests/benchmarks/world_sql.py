"""The rows of the world, made by the server itself from series: a million customers take minutes.

One customer in twenty, one store and one offer in ten are out of the ordinary, each in a way that its number picks,
so that every reason for silence occurs.
"""

CATALOGUE = (
    "INSERT INTO offers_category (id, ref, name) SELECT i, 'c' || i, 'Category ' || i"
    " FROM generate_series(1, %(categories)s) i",
    "INSERT INTO offers_brand (id, key, name) SELECT i, 'brand ' || i, 'Brand ' || i FROM generate_series(1, %(brands)s) i",
    """
    INSERT INTO offers_product (id, gtin, name, brand_id, category_id, price_minor, currency, image_url, updated_at)
    SELECT i, lpad(i::text, 13, '0'), 'Product ' || i, 1 + i %% %(brands)s, 1 + i %% %(categories)s, 250, 'EUR', '',
           now()
      FROM generate_series(1, %(products)s) i
    """,
)
PLACES = (
    """
    INSERT INTO offers_store (id, ref, name, location, radius_m, time_zone, opening_hours, address, updated_at)
    SELECT i + 1, 'S' || i, 'Store ' || i,
           ST_SetSRID(ST_MakePoint(%(west)s + %(step)s * (i %% %(columns)s),
                                   %(south)s + %(step)s * (i / %(columns)s)), 4326)::geography,
           CASE odd WHEN 0 THEN 150 ELSE 100 END,
           CASE odd WHEN 1 THEN 'Atlantis/Port' ELSE 'Europe/Paris' END,
           CASE odd WHEN 2 THEN 'Mo-Su 03:00-03:05' WHEN 3 THEN '' ELSE 'Mo-Su 00:00-24:00' END, '', now()
      FROM generate_series(0, %(stores)s - 1) i,
           LATERAL (SELECT CASE WHEN i %% %(odd_stores)s = 3 THEN (i / %(odd_stores)s) %% 4 END AS odd) AS o
    """,
    """
    INSERT INTO offers_aisle (id, store_id, ref, name, dwell_s, updated_at)
    SELECT 1 + (s - 1) * %(aisles)s + a, s, 'A' || a, 'Aisle ' || a, CASE WHEN (s + a) %% 9 = 0 THEN 8 END, now()
      FROM generate_series(1, %(stores)s) s, generate_series(0, %(aisles)s - 1) a
    """,
    """
    INSERT INTO offers_beacon (aisle_id, uuid, major, minor)
    SELECT 1 + s * %(aisles)s + a, (%(uuid)s || (s / %(per_uuid)s))::uuid, s %% %(per_uuid)s, a
      FROM generate_series(0, %(stores)s - 1) s, generate_series(0, %(aisles)s - 1) a
    """,
    """
    INSERT INTO offers_aisle_categories (aisle_id, category_id)
    SELECT a, 1 + (a + c * 7) %% %(categories)s FROM generate_series(1, %(stores)s * %(aisles)s) a, generate_series(0, 2) c
    """,
)
CUSTOMERS = (
    """
    INSERT INTO customers_customer (id, ref, name, email, phone, birth_year, loyalty_card, language,
        time_zone, segments, topics, keywords, muted_brands, muted_categories, has_own_quiet_hours, quiet_from,
        quiet_until, max_pushes_per_day, max_pushes_per_week, channels, paused_until, granted, created_at, updated_at)
    SELECT i, 'u' || i, '', '', '', CASE odd WHEN 0 THEN 2018 ELSE 1980 END, '', 'fr',
           CASE odd WHEN 1 THEN '' WHEN 2 THEN 'America/New_York' ELSE 'Europe/Paris' END,
           CASE odd WHEN 3 THEN '{gold}'::text[] ELSE '{}' END, CASE odd WHEN 4 THEN '{bio}'::text[] ELSE '{}' END,
           '{}', CASE odd WHEN 5 THEN ARRAY(SELECT 'BRAND ' || (1 + (i * 7 + a * 31) %% %(brands)s)
                                              FROM generate_series(0, %(affinities)s - 1) a) ELSE '{}' END,
           CASE odd WHEN 6 THEN '{c1,c2,c3,c4,c5,c6,c7,c8}'::text[] ELSE '{}' END,
           COALESCE(odd, 0) NOT IN (2, 7), CASE odd WHEN 8 THEN '12:00'::time END,
           CASE odd WHEN 8 THEN '15:00'::time END,
           CASE odd WHEN 7 THEN NULL WHEN 9 THEN 0 ELSE 3 END, CASE odd WHEN 7 THEN NULL ELSE 10 END,
           CASE odd WHEN 10 THEN '{email}'::text[] ELSE '{push}' END,
           CASE odd WHEN 11 THEN now() + interval '20 years' END,
           CASE odd WHEN 12 THEN '{push,profiling}'::text[] WHEN 13 THEN '{geolocation,profiling}'
                    WHEN 14 THEN '{push,geolocation}' ELSE '{push,geolocation,profiling}' END, now(), now()
      FROM generate_series(1, %(customers)s) i,
           LATERAL (SELECT CASE WHEN i %% %(odd_customers)s = 7 THEN (i / %(odd_customers)s) %% 16 END AS odd) AS o
    """,
    "INSERT INTO customers_customerref (ref, customer_id) SELECT 'u' || i, i FROM generate_series(1, %(customers)s) i",
    """
    INSERT INTO customers_bearertoken (digest, customer_id, device_id, created_at, expires_at)
    SELECT sha256(convert_to('bench-token-' || i, 'UTF8')), i, 'phone', now(), now() + interval '20 years'
      FROM generate_series(1, %(customers)s) i
    """,
    """
    INSERT INTO push_notifications_gcmdevice (id, name, active, registration_id, cloud_message_type, date_created)
    SELECT i, '', true, 'bench-' || i, 'FCM', now() FROM generate_series(1, %(customers)s) i
    """,
    """
    INSERT INTO customers_device (customer_id, device_id, platform, fcm_id, active, app_version, os_version,
        registered_at, last_seen_at)
    SELECT i, 'phone', 'fcm', i, i %% %(odd_customers)s <> 7 OR (i / %(odd_customers)s) %% 16 <> 15, '', '', now(), now()
      FROM generate_series(1, %(customers)s) i
    """,
    """
    INSERT INTO customers_profile (customer_id, weight, purchases, spend_minor, first_purchase_at, last_purchase_at)
    SELECT i, 1000, 20, 20000, now() - interval '90 days', now() - interval '3 days'
      FROM generate_series(1, %(customers)s) i
    """,
)
AFFINITIES = (
    """
    INSERT INTO customers_affinity (customer_id, kind, key, weight, purchases, last_bought_at)
    SELECT i, 'brand', 'brand ' || (1 + (i * 7 + a * 31) %% %(brands)s), 60 + a * 10, 3, now() - interval '5 days'
      FROM generate_series(1, %(customers)s) i, generate_series(0, %(affinities)s - 1) a
    """,
    """
    INSERT INTO customers_affinity (customer_id, kind, key, weight, purchases, last_bought_at)
    SELECT i, 'category', 'c' || (1 + (i * 3 + a * 5) %% %(categories)s), 60 + a * 10, 3, now() - interval '5 days'
      FROM generate_series(1, %(customers)s) i, generate_series(0, %(affinities)s - 1) a
    """,
)
# An offer's oddity is none for those of the chain, so that each store's mix stays ordinary.
OFFERS = (
    """
    INSERT INTO offers_offer (id, ref, state, revision, title, body, image_url, benefit_kind, benefit_value, currency,
        target_gtins, target_brand, target_category_id, all_stores, trigger_places, trigger_on, within_m,
        min_affinity_share, bought_within_days, never_bought, segments, topics, answers_needs, valid_from, valid_until,
        minutes_after_issue, per_customer, objective, holdout_share, priority, published_at, updated_at)
    SELECT i, 'o' || i, CASE odd WHEN 0 THEN 'paused' ELSE 'live' END, 1, '{"fr": "Une offre"}',
           '{"fr": "Tout près."}', '', 'percent', 2000, 'EUR', '{}',
           CASE odd WHEN 1 THEN '' ELSE 'Brand ' || (1 + i %% %(brands)s) END,
           CASE odd WHEN 1 THEN 1 + i %% %(categories)s END, i <= %(chain)s,
           CASE WHEN i %% 3 = 0 THEN 'store' ELSE 'aisle' END, CASE WHEN i %% 5 = 0 THEN 'dwell' ELSE 'enter' END,
           CASE WHEN i %% 12 = 0 THEN 40 END,
           CASE odd WHEN 2 THEN 0 WHEN 3 THEN 0.1 END, CASE odd WHEN 4 THEN 4 WHEN 5 THEN 30 END, odd IS NOT DISTINCT FROM 6,
           CASE odd WHEN 7 THEN '{gold}'::text[] ELSE '{}' END, CASE odd WHEN 8 THEN '{bio}'::text[] ELSE '{}' END,
           false, now() - interval '1 day', now() + interval '20 years', 60,
           CASE odd WHEN 9 THEN NULL ELSE 5 END, CASE odd WHEN 10 THEN 'margin' ELSE 'reward' END, 0.1, i %% 7,
           now(), now()
      FROM generate_series(1, %(offers)s) i,
           LATERAL (SELECT CASE WHEN i > %(chain)s AND i %% %(odd_offers)s IN (3, 8)
                                THEN (i / %(odd_offers)s) %% 12 END AS odd) AS o
    """,
    """
    INSERT INTO offers_offerstore (offer_id, store_id)
    SELECT DISTINCT i, 1 + (i::bigint * 2654435761 + k * 40503) %% %(stores)s
      FROM generate_series(%(chain)s + 1, %(offers)s) i, generate_series(0, 2) k
    """,
    """
    INSERT INTO offers_offeraffinitykey (offer_id, kind, key, is_exact)
    SELECT id, CASE target_brand WHEN '' THEN 'category' ELSE 'brand' END,
           CASE target_brand WHEN '' THEN 'c' || target_category_id ELSE lower(target_brand) END, true
      FROM offers_offer
    """,
    """
    INSERT INTO offers_offer_aisle_categories (offer_id, category_id)
    SELECT i, 1 + (i + c * 11) %% %(categories)s FROM generate_series(1, %(offers)s) i, generate_series(0, 3) c
    """,
    """
    INSERT INTO offers_capacity (offer_id, units, claimed, spent_minor)
    SELECT i, CASE WHEN i > %(chain)s AND i %% %(odd_offers)s = 8 AND (i / %(odd_offers)s) %% 12 = 11 THEN 2
                   ELSE 1000000 END, 0, 0
      FROM generate_series(1, %(offers)s) i
    """,
)
PARTS = (
    ("catalogue", CATALOGUE),
    ("stores", PLACES),
    ("customers", CUSTOMERS),
    ("purchases", AFFINITIES),
    ("offers", OFFERS),
)
