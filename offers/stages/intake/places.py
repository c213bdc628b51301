"""Which place a geofence's id or a beacon's triple stands for; one query for a batch."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from offers.cursors import bigints, hot_cursor, ints, uuids
from offers.flow import Event, Place, Sighting

Triple = tuple[str, int, int]

_GEOFENCE = re.compile(r"G([SA])([1-9][0-9]{0,17})")


@dataclass(frozen=True, kw_only=True)
class Places:
    by_geofence: Mapping[str, Place]
    by_beacon: Mapping[Triple, Place]

    def of(self, event: Event) -> Place | None:
        """Return the place that the event names; None for a fix."""
        if event.beacon is not None:
            return self.by_beacon[triple(event.beacon)]
        return self.by_geofence[event.geofence] if event.geofence is not None else None


def triple(sighting: Sighting) -> Triple:
    """Return what names a beacon: UUID, major, minor."""
    return (sighting.uuid, sighting.major, sighting.minor)


def geofence_id(*, kind: Literal["store", "aisle"], row_id: int) -> str:
    """Return the name under which phones know a fence: "GS12" is store 12, "GA7" is aisle 7."""
    return f"G{'S' if kind == 'store' else 'A'}{row_id}"


def parse_geofence(text: str) -> tuple[Literal["store", "aisle"], int] | None:
    """Return the kind and row of a fence's name; None if it is no such name."""
    found = _GEOFENCE.fullmatch(text)
    return ("store" if found[1] == "S" else "aisle", int(found[2])) if found else None


def resolve_places(events: Sequence[Event]) -> Places:
    """Return the places that the events name, as far as they exist and are not removed."""
    names = {event.geofence for event in events if event.geofence is not None}
    fences = {name: parsed for name in names if (parsed := parse_geofence(name))}
    triples = list({triple(event.beacon) for event in events if event.beacon is not None})
    if not fences and not triples:
        return Places(by_geofence={}, by_beacon={})
    with hot_cursor() as cursor:
        cursor.execute(
            """
            SELECT 'store', NULL::text, NULL::int, NULL::int, s.id, s.ref, NULL::bigint, NULL
            FROM offers_store s WHERE s.id = ANY(%s) AND s.removed_at IS NULL
            UNION ALL
            SELECT 'aisle', NULL, NULL, NULL, s.id, s.ref, a.id, a.ref
            FROM offers_aisle a JOIN offers_store s ON s.id = a.store_id
            WHERE a.id = ANY(%s) AND a.removed_at IS NULL AND s.removed_at IS NULL
            UNION ALL
            SELECT 'beacon', b.uuid::text, b.major, b.minor, s.id, s.ref, a.id, a.ref
            FROM unnest(%s::uuid[], %s::int[], %s::int[]) AS sent(uuid, major, minor)
            JOIN offers_beacon b USING (uuid, major, minor)
            JOIN offers_aisle a ON a.id = b.aisle_id JOIN offers_store s ON s.id = a.store_id
            WHERE a.removed_at IS NULL AND s.removed_at IS NULL
            """,
            [
                bigints(row_id for kind, row_id in fences.values() if kind == "store"),
                bigints(row_id for kind, row_id in fences.values() if kind == "aisle"),
                uuids(triple[0] for triple in triples),
                ints(triple[1] for triple in triples),
                ints(triple[2] for triple in triples),
            ],
        )
        rows = cursor.fetchall()
    found: dict[tuple[str, int], Place] = {}
    by_beacon: dict[Triple, Place] = {}
    for kind, uuid, major, minor, store_id, store_ref, aisle_id, aisle_ref in rows:
        place = Place(store_id=store_id, store_ref=store_ref, aisle_id=aisle_id, aisle_ref=aisle_ref)
        if kind == "beacon":
            by_beacon[uuid, major, minor] = place
        else:
            found[kind, store_id if kind == "store" else aisle_id] = place
    return Places(
        by_geofence={name: found[parsed] for name, parsed in fences.items() if parsed in found},
        by_beacon=by_beacon,
    )
