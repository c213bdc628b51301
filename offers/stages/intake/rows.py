"""The statements of intake, each for the whole batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from offers.cursors import array, hot_cursor
from offers.flow import Event, Place
from offers.locks import LockedPresence
from offers.rules.plausibility import Fix

DEVICE_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What intake must know of a customer."""

    granted: frozenset[str]  # purposes
    last_fix: Fix | None  # the last believed position, while it is kept


def standings_of(*, presences: Mapping[int, LockedPresence]) -> dict[int, Standing]:
    """Return each locked customer's consents and last position; read after the lock, so nothing in it is old."""
    ids = list(presences)
    fixes = [presence.fix_id for presence in presences.values()]
    with hot_cursor() as cursor:
        cursor.execute(
            """
            SELECT c.id, c.granted, e.occurred_at, e.lat, e.lon, e.accuracy_m
            FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(customer_id, fix_id)
            JOIN customers_customer c ON c.id = wanted.customer_id AND c.erased_at IS NULL
            LEFT JOIN offers_locationevent e
              ON e.id = wanted.fix_id AND e.customer_id = wanted.customer_id AND e.lat IS NOT NULL
            """,
            [array(ids), array(fixes)],
        )
        return {
            row[0]: Standing(
                granted=frozenset(row[1]),
                last_fix=Fix(at=row[2], lat=row[3], lon=row[4], accuracy_m=row[5]) if row[2] else None,
            )
            for row in cursor.fetchall()
        }


def known_events(events: Sequence[Event]) -> dict[tuple[int, UUID], bytes]:
    """Return the digests of those events whose id the customer has used before."""
    with hot_cursor() as cursor:
        cursor.execute(
            """
            SELECT e.customer_id, e.event_id, e.digest
            FROM unnest(%s::bigint[], %s::uuid[]) AS sent(customer_id, event_id)
            JOIN offers_locationevent e USING (customer_id, event_id)
            """,
            [array(event.customer_id for event in events), array(event.event_id for event in events)],
        )
        return {(row[0], row[1]): bytes(row[2]) for row in cursor.fetchall()}


def insert_events(
    rows: Sequence[tuple[Event, Place | None, str | None]], *, now: datetime
) -> dict[tuple[int, UUID], int]:
    """Write the new events with their places and verdicts; return each one's row id. One statement."""
    if not rows:
        return {}
    # One JSON document: an array per column would cost the driver more than the statement costs the database.
    document = msgspec.json.encode([_row(event, place, verdict) for event, place, verdict in rows]).decode()
    with hot_cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO offers_locationevent (customer_id, event_id, digest, device_id, type, store_id, aisle_id,
              rssi_dbm, lat, lon, accuracy_m, is_mock, occurred_at, verdict, received_at)
            SELECT customer_id, event_id, decode(digest, 'base64'), device_id, type, store_id, aisle_id,
              rssi_dbm, lat, lon, accuracy_m, is_mock, occurred_at, verdict, %s
            FROM jsonb_to_recordset(%s::jsonb) AS sent(customer_id bigint, event_id uuid, digest text,
              device_id text, type text, store_id bigint, aisle_id bigint, rssi_dbm smallint, lat float8,
              lon float8, accuracy_m float8, is_mock bool, occurred_at timestamptz, verdict text)
            RETURNING customer_id, event_id, id
            """,
            [now, document],
        )
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}


def _row(event: Event, place: Place | None, verdict: str | None) -> dict[str, object]:
    hidden = verdict == "no_consent"
    at = None if hidden else event.position
    return {
        "customer_id": event.customer_id,
        "event_id": event.event_id,
        "digest": event.digest,
        "device_id": event.device_id,
        "type": event.type,
        "store_id": place.store_id if place else None,
        "aisle_id": place.aisle_id if place else None,
        "rssi_dbm": event.beacon.rssi_dbm if event.beacon and not hidden else None,
        "lat": at.lat if at else None,
        "lon": at.lon if at else None,
        "accuracy_m": at.accuracy_m if at else None,
        "is_mock": at.is_mock if at else False,
        "occurred_at": event.occurred_at,
        "verdict": verdict or "",
    }


def touch_devices(events: Sequence[Event], *, now: datetime) -> None:
    """Note that the sending devices were seen; at most one write a minute and device."""
    devices = sorted({(event.customer_id, event.device_id) for event in events})
    with hot_cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_device d SET last_seen_at = %s
            FROM unnest(%s::bigint[], %s::text[]) AS sent(customer_id, device_id)
            WHERE d.customer_id = sent.customer_id AND d.device_id = sent.device_id AND d.last_seen_at < %s
            """,
            [now, [each[0] for each in devices], [each[1] for each in devices], now - DEVICE_SEEN_EVERY],
        )
