"""What intake writes: the new events, and when phones were seen; a statement each for the whole batch."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from offers.cursors import bigints, blobs, booleans, floats, hot_cursor, instants, smallints, texts, uuids
from offers.event_tables import table_of_today
from offers.flow import Event, Place
from offers.rules.event_ids import first_id
from offers.stages.intake.seen import SeenLately

DEVICE_SEEN_EVERY = timedelta(minutes=1)

_touched: SeenLately[tuple[int, str]] = SeenLately(every=DEVICE_SEEN_EVERY)


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
            f"""
            INSERT INTO {table_of_today(now)} (id, customer_id, event_id, digest, device_id, type, store_id, aisle_id,
              rssi_dbm, lat, lon, accuracy_m, is_mock, occurred_at, verdict, received_at)
            SELECT %s::bigint | (nextval('offers_locationevent_number') & 1048575), sent.*, %s
            FROM unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) AS sent
            RETURNING customer_id, event_id::text, id
            """,  # noqa: S608 - a name made of a date
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
