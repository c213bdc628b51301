"""The world that is measured: stores, aisles with beacons, customers with purchase profiles, live offers.

Made by the server itself from series and hashes, so that a million customers take minutes and every run has
the same world. Row i of a kind depends on i alone.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

BEACON_UUID = (
    "7b1c0f52-8d0e-4a68-9a53-2f5f1f3f9c0{}"  # one digit more for each 60,000 stores: a major has 16 bits
)
STORES_PER_UUID = 60_000
AISLES = 4
CATEGORIES, BRANDS, PRODUCTS = 40, 200, 2_000
AFFINITIES = 8  # brands and as many categories that a customer buys
CHAIN_OFFERS = 10  # offers that hold in every store
WEST, SOUTH, COLUMNS, STEP = -1.5, 43.5, 400, 0.012  # stores on a grid, about a kilometre apart


@dataclass(frozen=True, kw_only=True)
class Size:
    name: str
    stores: int
    customers: int
    offers: int


SMALL = Size(name="small", stores=1_000, customers=10_000, offers=2_000)
LARGE = Size(name="large", stores=100_000, customers=1_000_000, offers=200_000)


def token_of(customer: int) -> str:
    """Return the bearer token of the customer with this id (from 1)."""
    return f"bench-token-{customer}"


def place_of(store: int) -> tuple[float, float]:
    """Return (lat, lon) of the store with this number (from 0)."""
    return SOUTH + STEP * (store // COLUMNS), WEST + STEP * (store % COLUMNS)


def beacon_of(store: int, aisle: int) -> dict[str, Any]:
    uuid = BEACON_UUID.format(store // STORES_PER_UUID)
    return {"uuid": uuid, "major": store % STORES_PER_UUID, "minor": aisle}


def build(connection: psycopg.Connection[Any], *, size: Size) -> None:
    """Fill an empty, migrated database; autocommit, one statement a table."""
    values = {
        "stores": size.stores,
        "customers": size.customers,
        "offers": size.offers,
        "aisles": AISLES,
        "categories": CATEGORIES,
        "brands": BRANDS,
        "products": PRODUCTS,
        "affinities": AFFINITIES,
        "chain": CHAIN_OFFERS,
        "columns": COLUMNS,
        "south": SOUTH,
        "west": WEST,
        "step": STEP,
        "per_uuid": STORES_PER_UUID,
        "uuid": BEACON_UUID.format(""),
    }
    for statement in (*_CATALOGUE, *_PLACES, *_CUSTOMERS, *_OFFERS):
        connection.execute(statement, values)
    connection.execute("VACUUM ANALYZE")


_CATALOGUE = (
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
_PLACES = (
    """
    INSERT INTO offers_store (id, ref, name, location, radius_m, time_zone, opening_hours, address, updated_at)
    SELECT i + 1, 'S' || i, 'Store ' || i,
           ST_SetSRID(ST_MakePoint(%(west)s + %(step)s * (i %% %(columns)s),
                                   %(south)s + %(step)s * (i / %(columns)s)), 4326)::geography,
           100, 'Europe/Paris', 'Mo-Su 00:00-24:00', '', now()
      FROM generate_series(0, %(stores)s - 1) i
    """,
    """
    INSERT INTO offers_aisle (id, store_id, ref, name, updated_at)
    SELECT 1 + (s - 1) * %(aisles)s + a, s, 'A' || a, 'Aisle ' || a, now()
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
_CUSTOMERS = (
    """
    INSERT INTO customers_customer (id, ref, name, email, phone, birth_year, loyalty_card, language,
        time_zone, segments, topics, keywords, muted_brands, muted_categories, has_own_quiet_hours, max_pushes_per_day,
        max_pushes_per_week, channels, granted, created_at, updated_at)
    SELECT i, 'u' || i, '', '', '', 1980, '', 'fr', 'Europe/Paris', '{}', '{}', '{}', '{}', '{}', true, 3, 10, '{push}',
           '{push,geolocation,profiling}', now(), now()
      FROM generate_series(1, %(customers)s) i
    """,
    "INSERT INTO customers_customerref (ref, customer_id) SELECT 'u' || i, i FROM generate_series(1, %(customers)s) i",
    """
    INSERT INTO customers_bearertoken (digest, customer_id, device_id, created_at, expires_at)
    SELECT sha256(convert_to('bench-token-' || i, 'UTF8')), i, 'phone', now(), now() + interval '30 days'
      FROM generate_series(1, %(customers)s) i
    """,
    """
    INSERT INTO push_notifications_gcmdevice (id, name, active, registration_id, cloud_message_type, date_created)
    SELECT i, '', true, 'bench-' || i, 'FCM', now() FROM generate_series(1, %(customers)s) i
    """,
    """
    INSERT INTO customers_device (customer_id, device_id, platform, fcm_id, active, app_version, os_version,
        registered_at, last_seen_at)
    SELECT i, 'phone', 'fcm', i, true, '', '', now(), now() FROM generate_series(1, %(customers)s) i
    """,
    """
    INSERT INTO customers_profile (customer_id, weight, purchases, spend_minor, first_purchase_at, last_purchase_at)
    SELECT i, 1000, 20, 20000, now() - interval '90 days', now() - interval '3 days'
      FROM generate_series(1, %(customers)s) i
    """,
    """
    INSERT INTO customers_affinity (customer_id, kind, key, weight, purchases, last_bought_at)
    SELECT i, 'brand', 'brand ' || (1 + (i * 7 + a * 31) %% %(brands)s), 100, 3, now() - interval '5 days'
      FROM generate_series(1, %(customers)s) i, generate_series(0, %(affinities)s - 1) a
    """,
    """
    INSERT INTO customers_affinity (customer_id, kind, key, weight, purchases, last_bought_at)
    SELECT i, 'category', 'c' || (1 + (i * 3 + a * 5) %% %(categories)s), 100, 3, now() - interval '5 days'
      FROM generate_series(1, %(customers)s) i, generate_series(0, %(affinities)s - 1) a
    """,
)
_OFFERS = (
    """
    INSERT INTO offers_offer (id, ref, state, revision, title, body, image_url, benefit_kind, benefit_value, currency,
        target_gtins, target_brand, all_stores, trigger_places, trigger_on, never_bought, segments, topics,
        answers_needs, valid_from, valid_until, minutes_after_issue, per_customer, objective, holdout_share, priority,
        published_at, updated_at)
    SELECT i, 'o' || i, 'live', 1, '{"fr": "Une offre"}', '{"fr": "Tout près."}', '', 'percent', 2000, 'EUR', '{}',
           'Brand ' || (1 + i %% %(brands)s), i <= %(chain)s, CASE WHEN i %% 3 = 0 THEN 'store' ELSE 'aisle' END,
           CASE WHEN i %% 5 = 0 THEN 'dwell' ELSE 'enter' END, false, '{}', '{}', false, now() - interval '1 day',
           now() + interval '30 days', 60, 5, 'reward', 0.1, i %% 7, now(), now()
      FROM generate_series(1, %(offers)s) i
    """,
    """
    INSERT INTO offers_offerstore (offer_id, store_id)
    SELECT DISTINCT i, 1 + (i::bigint * 2654435761 + k * 40503) %% %(stores)s
      FROM generate_series(%(chain)s + 1, %(offers)s) i, generate_series(0, 2) k
    """,
    """
    INSERT INTO offers_offeraffinitykey (offer_id, kind, key, is_exact)
    SELECT i, 'brand', 'brand ' || (1 + i %% %(brands)s), true FROM generate_series(1, %(offers)s) i
    """,
    """
    INSERT INTO offers_offer_aisle_categories (offer_id, category_id)
    SELECT i, 1 + (i + c * 11) %% %(categories)s FROM generate_series(1, %(offers)s) i, generate_series(0, 3) c
    """,
    "INSERT INTO offers_capacity (offer_id, units, claimed, spent_minor) SELECT i, 1000000, 0, 0"
    " FROM generate_series(1, %(offers)s) i",
)
