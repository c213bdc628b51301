"""The statements of intake, each for the whole batch."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from offers.cursors import bigints, blobs, booleans, floats, hot_cursor, instants, smallints, texts, uuids
from offers.flow import Event, Place
from offers.locks import LockedPresence
from offers.rules.event_ids import first_id
from offers.rules.plausibility import Fix
from offers.stages.intake.seen import SeenLately

DEVICE_SEEN_EVERY = timedelta(minutes=1)
REMEMBERED_FOR = timedelta(hours=48)  # an event's id
CLOCKS_DIFFER_BY = timedelta(hours=1)  # of server processes, at the very most

_touched: SeenLately[tuple[int, str]] = SeenLately(every=DEVICE_SEEN_EVERY)


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What intake must know of a customer."""

    granted: frozenset[str]  # purposes
    last_fix: Fix | None  # the last believed position, while it is kept


def standings_of(*, presences: Mapping[int, LockedPresence]) -> dict[int, Standing]:
    """Return each locked customer's consents and last position; read after the lock, so nothing in it is old."""
    fixes = [presence.fix for presence in presences.values()]
    with hot_cursor() as cursor:
        cursor.execute(
            """
            SELECT c.id, c.granted, e.occurred_at, e.lat, e.lon, e.accuracy_m
            FROM unnest(%s, %s, %s) AS wanted(customer_id, fix_id, event_id)
            JOIN customers_customer c ON c.id = wanted.customer_id AND c.erased_at IS NULL
            LEFT JOIN LATERAL (
              SELECT e.occurred_at, e.lat, e.lon, e.accuracy_m FROM offers_locationevent e
              WHERE (e.customer_id, e.event_id) = (wanted.customer_id, wanted.event_id) AND e.id = wanted.fix_id
                AND e.lat IS NOT NULL
              LIMIT 1) e ON true
            """,
            [
                bigints(presences),
                bigints([fix and fix[0] for fix in fixes]),
                uuids([fix and fix[1] for fix in fixes]),
            ],
        )
        return {
            row[0]: Standing(
                granted=frozenset(row[1]),
                last_fix=Fix(at=row[2], lat=row[3], lon=row[4], accuracy_m=row[5]) if row[2] else None,
            )
            for row in cursor.fetchall()
        }


def known_events(events: Sequence[Event], *, now: datetime) -> dict[tuple[int, str], bytes]:
    """Return the digests of those events whose id the customer has used in the last 48 hours."""
    with hot_cursor() as cursor:
        cursor.execute(
            """
            SELECT sent.customer_id, sent.event_id::text, e.digest
            FROM unnest(%s, %s) AS sent(customer_id, event_id)
            CROSS JOIN LATERAL (
              -- LIMIT keeps the planner to one look-up for each event, however little it knows of today's table
              SELECT e.digest FROM offers_locationevent e
              WHERE (e.customer_id, e.event_id) = (sent.customer_id, sent.event_id)
                AND e.id >= %s::bigint AND e.id < %s::bigint
              LIMIT 1) e
            """,
            [
                bigints([event.customer_id for event in events]),
                uuids([event.event_id for event in events]),
                first_id(now - REMEMBERED_FOR),
                first_id(now + CLOCKS_DIFFER_BY),
            ],
        )
        return {(row[0], row[1]): bytes(row[2]) for row in cursor.fetchall()}


def insert_events(
    rows: Sequence[tuple[Event, Place | None, str | None]], *, now: datetime
) -> dict[tuple[int, str], int]:
    """Write the new events with their places and verdicts; return each one's row id. One statement."""
    if not rows:
        return {}
    # Without the consent to geolocation nothing is kept that says where somebody was.
    shown = [(event, None if verdict == "no_consent" else event.position) for event, _, verdict in rows]
    with hot_cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO offers_locationevent (id, customer_id, event_id, digest, device_id, type, store_id, aisle_id,
              rssi_dbm, lat, lon, accuracy_m, is_mock, occurred_at, verdict, received_at)
            SELECT %s::bigint | (nextval('offers_locationevent_number') & 1048575), sent.*, %s
            FROM unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) AS sent
            RETURNING customer_id, event_id::text, id
            """,
            [
                first_id(now),
                now,
                bigints([event.customer_id for event, _, _ in rows]),
                uuids([event.event_id for event, _, _ in rows]),
                blobs([event.digest for event, _, _ in rows]),
                texts([event.device_id for event, _, _ in rows]),
                texts([event.type for event, _, _ in rows]),
                bigints([place.store_id if place else None for _, place, _ in rows]),
                bigints([place.aisle_id if place else None for _, place, _ in rows]),
                smallints([_rssi_dbm(event, verdict) for event, _, verdict in rows]),
                floats([at.lat if at else None for _, at in shown]),
                floats([at.lon if at else None for _, at in shown]),
                floats([at.accuracy_m if at else None for _, at in shown]),
                booleans([at is not None and at.is_mock for _, at in shown]),
                instants([event.occurred_at for event, _, _ in rows]),
                texts([verdict or "" for _, _, verdict in rows]),
            ],
        )
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}


def _rssi_dbm(event: Event, verdict: str | None) -> int | None:
    return event.beacon.rssi_dbm if event.beacon and verdict != "no_consent" else None


def touch_devices(events: Sequence[Event], *, now: datetime) -> None:
    """Note that the sending devices were seen; at most one write a minute and device.

    Each process remembers what it noted in the last minute, so that most batches ask the database nothing.
    """
    devices = sorted(_touched.fresh({(event.customer_id, event.device_id) for event in events}, now=now))
    if not devices:
        return
    with hot_cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_device d SET last_seen_at = %s
            FROM unnest(%s, %s) AS sent(customer_id, device_id)
            WHERE d.customer_id = sent.customer_id AND d.device_id = sent.device_id AND d.last_seen_at < %s
            """,
            [
                now,
                bigints([each[0] for each in devices]),
                texts([each[1] for each in devices]),
                now - DEVICE_SEEN_EVERY,
            ],
        )
