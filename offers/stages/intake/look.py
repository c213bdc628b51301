"""All that intake must know of a batch, in one look after the customers' presences are locked."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from offers.cursors import bigints, hot_cursor, ints, uuids
from offers.event_tables import CLOCKS_DIFFER_BY, recent_events
from offers.flow import Event, Place
from offers.locks import LockedPresence
from offers.rules.event_ids import first_id
from offers.rules.plausibility import Fix
from offers.stages.intake.places import Places, parse_geofence, triple

REMEMBERED_FOR = timedelta(hours=48)  # an event's id

# Five questions that have nothing to do with each other, asked together: for a batch of a few events a statement costs
# more than what it does. `kind` tells which question a row answers; LIMIT keeps the planner to one look-up for each
# event, however little it knows of today's table.
_LOOK = """
    SELECT 'customer' AS kind, c.id, NULL::text AS uid, NULL::int AS major, NULL::int AS minor, NULL::text AS ref,
           NULL::bigint AS aisle_id, NULL::text AS aisle_ref, NULL::int AS dwell_s, c.granted::text[],
           NULL::bytea AS digest, e.occurred_at, e.lat, e.lon, e.accuracy_m
      FROM unnest(%(customers)s, %(fixes)s, %(fix_events)s) AS wanted(customer_id, fix_id, event_id)
      JOIN customers_customer c ON c.id = wanted.customer_id AND c.erased_at IS NULL
      LEFT JOIN LATERAL (
        SELECT e.occurred_at, e.lat, e.lon, e.accuracy_m FROM {recent} e
         WHERE (e.customer_id, e.event_id) = (wanted.customer_id, wanted.event_id) AND e.id = wanted.fix_id
           AND e.lat IS NOT NULL
         LIMIT 1) e ON true
    UNION ALL
    SELECT 'event', sent.customer_id, sent.event_id::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL, e.digest,
           NULL, NULL, NULL, NULL
      FROM unnest(%(senders)s, %(events)s) AS sent(customer_id, event_id)
     CROSS JOIN LATERAL (
        SELECT e.digest FROM {recent} e
         WHERE (e.customer_id, e.event_id) = (sent.customer_id, sent.event_id)
           AND e.id >= %(first)s::bigint AND e.id < %(past)s::bigint
         LIMIT 1) e
    UNION ALL
    SELECT 'store', s.id, NULL, NULL, NULL, s.ref, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
      FROM offers_store s WHERE s.id = ANY(%(stores)s) AND s.removed_at IS NULL
    UNION ALL
    SELECT 'aisle', s.id, NULL, NULL, NULL, s.ref, a.id, a.ref, a.dwell_s, NULL, NULL, NULL, NULL, NULL, NULL
      FROM offers_aisle a JOIN offers_store s ON s.id = a.store_id
     WHERE a.id = ANY(%(aisles)s) AND a.removed_at IS NULL AND s.removed_at IS NULL
    UNION ALL
    SELECT 'beacon', s.id, b.uuid::text, b.major, b.minor, s.ref, a.id, a.ref, a.dwell_s, NULL, NULL, NULL, NULL,
           NULL, NULL
      FROM unnest(%(uuids)s, %(majors)s, %(minors)s) AS sent(uuid, major, minor)
      JOIN offers_beacon b USING (uuid, major, minor)
      JOIN offers_aisle a ON a.id = b.aisle_id JOIN offers_store s ON s.id = a.store_id
     WHERE a.removed_at IS NULL AND s.removed_at IS NULL
"""


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What intake must know of a customer."""

    granted: frozenset[str]  # purposes
    last_fix: Fix | None  # the last believed position, while it is kept


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was there before the batch."""

    standings: Mapping[int, Standing]  # by customer id; who does not exist or is erased is absent
    digests: dict[tuple[int, str], bytes]  # of events whose id the customer used in the last 48 hours
    places: Places
    dwell_s: Mapping[int, float]  # by aisle id, of the places that have a time of their own


def look(events: Sequence[Event], *, presences: Mapping[int, LockedPresence], now: datetime) -> Known:
    """Return what is known of the events' customers, ids and places; read after the lock, so nothing in it is old."""
    fences = {
        name: parsed
        for name in {event.geofence for event in events if event.geofence is not None}
        if (parsed := parse_geofence(name))
    }
    triples = list({triple(event.beacon) for event in events if event.beacon is not None})
    fixes = [presence.fix for presence in presences.values()]
    with hot_cursor() as cursor:
        cursor.execute(
            _LOOK.format(recent=recent_events(now, back=REMEMBERED_FOR)),
            {
                "customers": bigints(presences),
                "fixes": bigints([fix and fix[0] for fix in fixes]),
                "fix_events": uuids([fix and fix[1] for fix in fixes]),
                "senders": bigints([event.customer_id for event in events]),
                "events": uuids([event.event_id for event in events]),
                "first": first_id(now - REMEMBERED_FOR),
                "past": first_id(now + CLOCKS_DIFFER_BY),
                "stores": bigints([row_id for kind, row_id in fences.values() if kind == "store"]),
                "aisles": bigints([row_id for kind, row_id in fences.values() if kind == "aisle"]),
                "uuids": uuids([each[0] for each in triples]),
                "majors": ints([each[1] for each in triples]),
                "minors": ints([each[2] for each in triples]),
            },
        )
        rows = cursor.fetchall()
    return _sorted(rows, fences=fences)


def _sorted(rows: Sequence[tuple[Any, ...]], *, fences: Mapping[str, tuple[str, int]]) -> Known:
    standings: dict[int, Standing] = {}
    digests: dict[tuple[int, str], bytes] = {}
    found: dict[tuple[str, int], Place] = {}
    by_beacon: dict[tuple[str, int, int], Place] = {}
    dwell_s: dict[int, float] = {}
    for row in rows:
        kind, row_id = row[0], row[1]
        if kind == "customer":
            standings[row_id] = _standing(row)
        elif kind == "event":
            digests[row_id, row[2]] = bytes(row[10])
        else:
            _, store_id, uid, major, minor, ref, aisle_id, aisle_ref, own_dwell_s, *_ = row
            place = Place(store_id=store_id, store_ref=ref, aisle_id=aisle_id, aisle_ref=aisle_ref)
            if own_dwell_s is not None:
                dwell_s[aisle_id] = float(own_dwell_s)
            if kind == "beacon":
                by_beacon[uid, major, minor] = place
            else:
                found[kind, store_id if kind == "store" else aisle_id] = place
    places = Places(
        by_geofence={name: found[parsed] for name, parsed in fences.items() if parsed in found},
        by_beacon=by_beacon,
    )
    return Known(standings=standings, digests=digests, places=places, dwell_s=dwell_s)


def _standing(row: tuple[Any, ...]) -> Standing:
    *_, granted, _, at, lat, lon, accuracy_m = row
    return Standing(
        granted=frozenset(granted),
        last_fix=None if at is None else Fix(at=at, lat=lat, lon=lon, accuracy_m=accuracy_m),
    )
