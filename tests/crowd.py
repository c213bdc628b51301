"""Many promises at once, each to a customer of its own with one phone: made by the server, in a statement a table.

Row i of each table depends on i alone. `platform` is fcm or apns; a crowd is of one platform, and further ones follow it.
"""

from collections.abc import Callable
from typing import Any

# The platform's own table of addresses is filled in: a table cannot be a parameter.
_ADDRESSES = {
    "fcm": """
        INSERT INTO push_notifications_gcmdevice (id, name, active, registration_id, cloud_message_type, date_created)
        SELECT i, '', true, 'crowd' || i || ':' || repeat(md5(i::text), 4), 'FCM', %(now)s
          FROM generate_series(1 + %(skip)s, %(count)s) i
    """,
    "apns": """
        INSERT INTO push_notifications_apnsdevice (id, name, active, registration_id, date_created)
        SELECT i, '', true, encode(sha256(i::text::bytea), 'hex'), %(now)s FROM generate_series(1 + %(skip)s, %(count)s) i
    """,
}
_PLACES = (
    """
    INSERT INTO offers_store (id, ref, name, location, radius_m, time_zone, opening_hours, address, updated_at)
    VALUES (1, 'S1', 'Rue de Rennes', ST_SetSRID(ST_MakePoint(2.33, 48.85), 4326)::geography, 60, 'Europe/Paris', '',
            '', %(now)s)
    """,
    """
    INSERT INTO offers_offer (id, ref, state, revision, title, body, image_url, benefit_kind, benefit_value, currency,
        target_gtins, target_brand, all_stores, trigger_places, trigger_on, never_bought, segments, topics,
        answers_needs, valid_from, valid_until, minutes_after_issue, objective, holdout_share, priority, updated_at)
    VALUES (1, 'yoghurt-20', 'live', 1, '{"fr": "20 %% sur Danone"}', '{"fr": "Au rayon frais"}', '', 'percent', 2000,
            'EUR', '{}', 'Danone', true, 'store', 'enter', false, '{}', '{}', false, %(now)s - interval '1 day',
            %(now)s + interval '7 days', 60, 'reward', 0, 0, %(now)s)
    """,
    "INSERT INTO offers_capacity (offer_id, units, claimed, spent_minor) VALUES (1, NULL, 0, 0)",
)
_CUSTOMERS = """
    INSERT INTO customers_customer (id, ref, name, email, phone, birth_year, loyalty_card, language, time_zone, segments,
        topics, keywords, muted_brands, muted_categories, has_own_quiet_hours, channels, granted, created_at, updated_at)
    SELECT i, 'u' || i, '', '', '', 1980, '', 'fr', 'Europe/Paris', '{}', '{}', '{}', '{}', '{}', true, '{push}',
           '{push,geolocation,profiling}', %(now)s, %(now)s
      FROM generate_series(1 + %(skip)s, %(count)s) i
"""
_DEVICES = """
    INSERT INTO customers_device (id, customer_id, device_id, platform, fcm_id, apns_id, active, app_version, os_version,
        registered_at, last_seen_at)
    SELECT i, i, 'phone', %(platform)s::text, CASE WHEN %(platform)s::text = 'fcm' THEN i END,
           CASE WHEN %(platform)s::text = 'apns' THEN i END, true, '', '', %(now)s, %(now)s
      FROM generate_series(1 + %(skip)s, %(count)s) i
"""
_VISITS = """
    INSERT INTO offers_visit (customer_id, store_id, entered_at, last_seen_at)
    SELECT i, 1, %(now)s - interval '5 minutes', %(now)s FROM generate_series(1 + %(skip)s, %(count)s) i
"""
# What issuing one coupon writes.
_PROMISES = (
    """
    INSERT INTO offers_coupon (id, customer_id, offer_id, revision, code, state, terms, reason, store_id, issued_at,
        valid_from, valid_until, revoked_reason)
    SELECT i, i, 1, 1, upper(left(md5('code' || i), 16)), 'issued',
           '{"title": "20 %% sur Danone", "body": "Au rayon frais", "image_url": null, "benefit": {}, "target": {}}',
           'Vous aimez Danone.', 1, %(now)s, %(now)s, %(now)s + interval '1 hour', ''
      FROM generate_series(1 + %(skip)s, %(count)s) i
    """,
    """
    INSERT INTO offers_couponcode (code, customer_id, coupon_id)
    SELECT code, customer_id, id FROM offers_coupon WHERE id > %(skip)s AND id <= %(count)s
    """,
    """
    INSERT INTO offers_decision (id, customer_id, store_id, transition, outcome, reason, offer_id, coupon_id, candidates,
        decided_at)
    SELECT i, i, 1, 'enter', 'issued', 'issued', 1, i, '[]', %(now)s FROM generate_series(1 + %(skip)s, %(count)s) i
    """,
    """
    INSERT INTO offers_exposure (customer_id, offer_id, revision, arm, decision_id, coupon_id, store_id,
        store_visit_entered_at, exposed_at)
    SELECT i, 1, 1, 'treated', i, i, 1, %(now)s, %(now)s FROM generate_series(1 + %(skip)s, %(count)s) i
    """,
    """
    INSERT INTO offers_outboxmessage (message_id, customer_id, coupon_id, channel, device_id, lane, state, reason,
        attempts, created_at, due_at, expires_at)
    SELECT gen_random_uuid(), i, i, 'push', i, %(platform)s::text, 'queued', '', 0, %(now)s, %(now)s,
           %(now)s + interval '1 hour'
      FROM generate_series(1 + %(skip)s, %(count)s) i
    """,
)


def make_crowd(
    execute: Callable[[str, dict[str, Any]], Any],
    *,
    count: int,
    now: Any,
    platform: str = "fcm",
    skip: int = 0,
) -> None:
    """Make customers skip + 1 to count, each with a phone, in a store whose offer all of them may get."""
    values = {"count": count, "now": now, "platform": platform, "skip": skip}
    for statement in (*(() if skip else _PLACES), _CUSTOMERS, _ADDRESSES[platform], _DEVICES, _VISITS):
        execute(statement, values)


def promise_to_crowd(
    execute: Callable[[str, dict[str, Any]], Any],
    *,
    count: int,
    now: Any,
    platform: str = "fcm",
    skip: int = 0,
) -> None:
    """Promise a message, due now, to each of the customers skip + 1 to count."""
    values = {"count": count, "now": now, "platform": platform, "skip": skip}
    for statement in _PROMISES:
        execute(statement, values)
