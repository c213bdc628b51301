"""The statements of intake, each for the whole batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

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
    fixes = [presence.state.get("fix") for presence in presences.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.id, c.granted, e.occurred_at, e.lat, e.lon, e.accuracy_m
            FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(customer_id, fix_id)
            JOIN customers_customer c ON c.id = wanted.customer_id AND c.erased_at IS NULL
            LEFT JOIN offers_locationevent e
              ON e.id = wanted.fix_id AND e.customer_id = wanted.customer_id AND e.lat IS NOT NULL
            """,
            [ids, fixes],
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
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.customer_id, e.event_id, e.digest
            FROM unnest(%s::bigint[], %s::uuid[]) AS sent(customer_id, event_id)
            JOIN offers_locationevent e USING (customer_id, event_id)
            """,
            [[event.customer_id for event in events], [event.event_id for event in events]],
        )
        return {(row[0], row[1]): bytes(row[2]) for row in cursor.fetchall()}


def insert_events(
    rows: Sequence[tuple[Event, Place | None, str | None]], *, now: datetime
) -> dict[tuple[int, UUID], int]:
    """Write the new events with their places and verdicts; return each one's row id. One statement."""
    if not rows:
        return {}
    columns = zip(*(_row(event, place, verdict) for event, place, verdict in rows), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO offers_locationevent (customer_id, event_id, digest, device_id, type, store_id, aisle_id,
              rssi_dbm, lat, lon, accuracy_m, is_mock, occurred_at, verdict, received_at)
            SELECT sent.*, %s FROM unnest(%s::bigint[], %s::uuid[], %s::bytea[], %s::text[], %s::text[],
              %s::bigint[], %s::bigint[], %s::smallint[], %s::float8[], %s::float8[], %s::float8[], %s::bool[],
              %s::timestamptz[], %s::text[]) AS sent
            RETURNING customer_id, event_id, id
            """,
            [now, *map(list, columns)],
        )
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}


def _row(event: Event, place: Place | None, verdict: str | None) -> tuple[object, ...]:
    hidden = verdict == "no_consent"
    at = None if hidden else event.position
    return (
        event.customer_id,
        event.event_id,
        event.digest,
        event.device_id,
        event.type,
        place.store_id if place else None,
        place.aisle_id if place else None,
        event.beacon.rssi_dbm if event.beacon and not hidden else None,
        # The driver refuses a column of floats and whole numbers.
        float(at.lat) if at else None,
        float(at.lon) if at else None,
        float(at.accuracy_m) if at else None,
        at.is_mock if at else False,
        event.occurred_at,
        verdict or "",
    )


def touch_devices(events: Sequence[Event], *, now: datetime) -> None:
    """Note that the sending devices were seen; at most one write a minute and device."""
    devices = sorted({(event.customer_id, event.device_id) for event in events})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_device d SET last_seen_at = %s
            FROM unnest(%s::bigint[], %s::text[]) AS sent(customer_id, device_id)
            WHERE d.customer_id = sent.customer_id AND d.device_id = sent.device_id AND d.last_seen_at < %s
            """,
            [now, [each[0] for each in devices], [each[1] for each in devices], now - DEVICE_SEEN_EVERY],
        )
