"""What is forgotten when its time is over, in transactions so short that nobody waits for them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from customers.operations import retention as customers
from customers.operations.retention import BATCH, in_batches
from offers import locks
from offers.operations import event_days

DAYS_PER_YEAR = 365.2425

# An exposure says where its customer was, and when: it goes with the decision that it came of.
_DECISIONS = """
    WITH old AS (
        SELECT id FROM offers_decision WHERE decided_at <= %s ORDER BY decided_at LIMIT %s
    ), exposures AS (
        DELETE FROM offers_exposure e USING old WHERE e.decision_id = old.id
    )
    DELETE FROM offers_decision d USING old WHERE d.id = old.id
"""

_VISITS = """
    WITH page AS (
        SELECT id, last_seen_at FROM offers_visit WHERE id > %s ORDER BY id LIMIT %s
    ), gone AS (
        DELETE FROM offers_visit v USING page p WHERE v.id = p.id AND p.last_seen_at <= %s
        RETURNING v.id
    )
    SELECT (SELECT max(id) FROM page), (SELECT count(*) FROM gone)
"""


def purge(*, now: datetime, params: Mapping[str, Any], batch: int = BATCH) -> dict[str, int]:
    """Forget all that is over now; return how many rows of each kind were.

    params: settings.RAYON, whose periods are counted back from `now`. Must not run inside a transaction, which would
    keep the locks of every batch to its end. Running twice, or two at once, does no harm.
    """
    events_until = now - timedelta(days=params["event_retention_days"])
    answers_until = now - timedelta(hours=params["idempotency_retention_hours"])
    return {
        "coupons_expired": expire_coupons(now=now, batch=batch),
        "events": event_days.drop_events(until=events_until, batch=batch),
        "positions": null_positions(now=now, params=params, batch=batch),
        "decisions": in_batches(_DECISIONS, [events_until], batch=batch),
        "visits": _forget_visits(cutoff=events_until, batch=batch),
        "answers": customers.forget_answers(cutoff=answers_until, batch=batch),
        "purchases": customers.forget_purchases(
            cutoff=_years_before(now, params["purchase_retention_years"]), batch=batch
        ),
        "consents": customers.forget_consents(cutoff=_years_before(now, params["consent_retention_years"])),
    }


def null_positions(*, now: datetime, params: Mapping[str, Any], batch: int = BATCH) -> int:
    """Take the position out of events received more than the set hours ago; return of how many."""
    before = now - timedelta(hours=params["position_retention_hours"])
    return event_days.forget_positions(before=before, batch=batch)


def expire_coupons(*, now: datetime, batch: int = BATCH) -> int:
    """Mark issued coupons whose time is over as expired and give their units back; return how many.

    Units are coupons that can still be honoured, so each is given back once, by the statement that ends its coupon.
    """
    expired = 0
    while True:
        with transaction.atomic():
            found = locks.expire_coupons(now=now, limit=batch)
        expired += found
        if found < batch:
            return expired


def _forget_visits(*, cutoff: datetime, batch: int) -> int:
    """Delete visits last seen up to the cutoff. Ids rise with time, so the first page without one is the last."""
    deleted, last = 0, 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_VISITS, [last, batch, cutoff])
            reached, gone = cursor.fetchone()
        if not gone:
            return deleted
        deleted, last = deleted + gone, reached


def _years_before(now: datetime, years: int) -> datetime:
    return now - timedelta(days=DAYS_PER_YEAR * years)
