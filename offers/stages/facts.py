"""What the decision may know of each customer: three queries for a batch of any size."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from customers.rules.affinity import brand_key
from offers.cursors import bigints, hot_cursor
from offers.flow import CustomerFacts

SENT_DAYS = 8  # a calendar week in any zone, and the day that the zones differ by

_CUSTOMERS = """
    SELECT c.id, c.ref, c.language, c.time_zone, c.birth_year, c.granted, c.channels, c.segments, c.topics,
           c.muted_brands, c.muted_categories, c.has_own_quiet_hours, c.quiet_from, c.quiet_until,
           c.max_pushes_per_day, c.max_pushes_per_week, c.paused_until,
           EXISTS (SELECT FROM customers_device d
                    WHERE d.customer_id = c.id AND d.active
                      AND COALESCE(d.fcm_id, d.apns_id, d.webpush_id) IS NOT NULL) AS has_device,
           c.email <> '' AND c.email_dead_at IS NULL AS has_email,
           c.phone ~ '^\\+[1-9][0-9]{6,14}$' AND c.phone_dead_at IS NULL AS has_phone,
           COALESCE((SELECT is_stopped FROM offers_sendingswitch WHERE id = 1), false) AS is_sending_stopped,
           COALESCE(p.listed_lines, 0) AS listed_lines, COALESCE(p.discounted_lines, 0) AS discounted_lines,
           COALESCE(r.shown, 0) AS shown, COALESCE(r.answered, 0) AS answered
      FROM customers_customer c
      LEFT JOIN customers_profile p ON p.customer_id = c.id
      LEFT JOIN offers_customerresponses r ON r.customer_id = c.id
     WHERE c.id = ANY(%(customers)s) AND c.erased_at IS NULL
"""

_SENT = """
    SELECT customer_id, exposed_at, store_id FROM offers_exposure
     WHERE customer_id = ANY(%(customers)s) AND exposed_at > %(since)s AND voided_at IS NULL
     ORDER BY customer_id, exposed_at, id
"""

# Messages that arrived and ran out unopened, after the last one that was opened or used.
_IGNORED = """
    SELECT c.customer_id, count(*)::int
      FROM offers_coupon c JOIN offers_outboxmessage m ON m.coupon_id = c.id AND m.state = 'sent'
     WHERE c.customer_id = ANY(%(customers)s) AND c.valid_until <= %(now)s
       AND c.opened_at IS NULL AND c.state IN ('issued', 'expired')
       AND NOT EXISTS (SELECT FROM offers_coupon later
                        WHERE later.customer_id = c.customer_id AND later.issued_at >= c.issued_at
                          AND (later.opened_at IS NOT NULL OR later.state = 'redeemed'))
     GROUP BY c.customer_id
"""


def gather_facts(
    customer_ids: Collection[int], *, now: datetime, params: Mapping[str, Any]
) -> dict[int, CustomerFacts]:
    """Return the facts by customer id; a customer who is unknown or erased is absent.

    params: the house's defaults (settings.RAYON) for those who set none of their own.
    """
    values: dict[str, Any] = {
        "customers": bigints(sorted(set(customer_ids))),
        "now": now,
        "since": now - timedelta(days=SENT_DAYS),
    }
    sent: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    with hot_cursor() as cursor:
        cursor.execute(_SENT, values)
        for customer_id, exposed_at, store_id in cursor.fetchall():
            sent[customer_id].append((exposed_at, store_id))
        cursor.execute(_IGNORED, values)
        ignored = dict(cursor.fetchall())
        cursor.execute(_CUSTOMERS, values)
        columns = [column.name for column in cursor.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return {
        row["id"]: _facts(row, sent=sent[row["id"]], ignored=ignored.get(row["id"], 0), params=params)
        for row in rows
    }


def _facts(
    row: Mapping[str, Any], *, sent: list[tuple[datetime, int]], ignored: int, params: Mapping[str, Any]
) -> CustomerFacts:
    return CustomerFacts(
        customer_id=row["id"],
        ref=row["ref"],
        language=row["language"],
        time_zone=row["time_zone"],
        birth_year=row["birth_year"],
        granted=frozenset(row["granted"]),
        channels=tuple(row["channels"]),
        segments=frozenset(row["segments"]),
        topics=frozenset(row["topics"]),
        muted_brands=frozenset(filter(None, map(brand_key, row["muted_brands"]))),
        muted_categories=frozenset(row["muted_categories"]),
        quiet=_quiet(row, params=params),
        max_pushes_per_day=_own_or(row["max_pushes_per_day"], params["max_pushes_per_day"]),
        max_pushes_per_week=_own_or(row["max_pushes_per_week"], params["max_pushes_per_week"]),
        paused_until=row["paused_until"],
        has_device=row["has_device"],
        has_email=row["has_email"] and "email" in params["channels"],
        has_phone=row["has_phone"] and "sms" in params["channels"],
        sent_at=tuple(at for at, _ in sent),
        sent_stores=tuple(store_id for _, store_id in sent),
        ignored_in_a_row=ignored,
        is_sending_stopped=row["is_sending_stopped"],
        listed_lines=row["listed_lines"],
        discounted_lines=row["discounted_lines"],
        shown=row["shown"],
        answered=row["answered"],
    )


def _own_or(own: int | None, house: int) -> int:
    return house if own is None else own


def _quiet(row: Mapping[str, Any], *, params: Mapping[str, Any]) -> tuple[time, time] | None:
    """Return the customer's own quiet hours, None where they want none, else the house's."""
    if not row["has_own_quiet_hours"]:
        return params["quiet_from"], params["quiet_until"]
    return None if row["quiet_from"] is None else (row["quiet_from"], row["quiet_until"])
