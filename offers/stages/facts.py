"""What the decision may know of each customer: one query for a batch of any size."""

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from customers.rules.affinity import brand_key
from offers.cursors import bigints, hot_cursor
from offers.flow import CustomerFacts
from offers.queries.ignored import ignored_by

SENT_DAYS = 8  # a calendar week in any zone, and the day that the zones differ by

# `sent`: of either arm, by the time. `ignored`: messages that arrived and ran out unopened, after the last one that was
# opened or used.
_FACTS = f"""
    SELECT c.id AS customer_id, c.ref, c.language, c.time_zone, c.birth_year, c.granted, c.channels, c.segments, c.topics,
           c.muted_brands, c.muted_categories, c.has_own_quiet_hours, c.quiet_from, c.quiet_until,
           c.max_pushes_per_day, c.max_pushes_per_week, c.paused_until,
           EXISTS (SELECT FROM customers_device d
                    WHERE d.customer_id = c.id AND d.active
                      AND COALESCE(d.fcm_id, d.apns_id, d.webpush_id) IS NOT NULL) AS has_device,
           c.email <> '' AND c.email_dead_at IS NULL AS has_email,
           c.phone ~ '^\\+[1-9][0-9]{{6,14}}$' AND c.phone_dead_at IS NULL AS has_phone,
           COALESCE((SELECT is_stopped FROM offers_sendingswitch WHERE id = 1), false) AS is_sending_stopped,
           COALESCE(p.listed_lines, 0) AS listed_lines, COALESCE(p.discounted_lines, 0) AS discounted_lines,
           COALESCE(r.shown, 0) AS shown, COALESCE(r.answered, 0) AS answered,
           COALESCE(sent.at, '{{}}') AS sent_at, COALESCE(sent.stores, '{{}}') AS sent_stores, ignored.in_a_row
      FROM customers_customer c
      LEFT JOIN customers_profile p ON p.customer_id = c.id
      LEFT JOIN offers_customerresponses r ON r.customer_id = c.id
     CROSS JOIN LATERAL (
          SELECT array_agg(e.exposed_at ORDER BY e.exposed_at, e.id) AS at,
                 array_agg(e.store_id ORDER BY e.exposed_at, e.id) AS stores
            FROM offers_exposure e
           WHERE e.customer_id = c.id AND e.exposed_at > %(since)s AND e.voided_at IS NULL) sent
     CROSS JOIN LATERAL (
          SELECT count(*)::int AS in_a_row{ignored_by("c.id")}) ignored
     WHERE c.id = ANY(%(customers)s) AND c.erased_at IS NULL
"""  # noqa: S608 (constants of this house's own)


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
    with hot_cursor() as cursor:
        cursor.execute(_FACTS, values)
        columns = [column.name for column in cursor.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return {row["customer_id"]: _facts(row, params=params) for row in rows}


def _facts(row: Mapping[str, Any], *, params: Mapping[str, Any]) -> CustomerFacts:
    return CustomerFacts(
        customer_id=row["customer_id"],
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
        sent_at=tuple(row["sent_at"]),
        sent_stores=tuple(row["sent_stores"]),
        ignored_in_a_row=row["in_a_row"],
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
