"""Which fences the fixes of a batch may lie in, and how likely each is; one PostGIS query."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from offers.cursors import bigints, floats, hot_cursor
from offers.rules.geofence import (
    is_usable,
    polygon_rings,
    probability_inside_circle,
    probability_inside_polygon,
)
from offers.rules.plausibility import Fix

# Farther from the edge than this many accuracies, P(inside) is below 1e-4: as good as outside.
REACH = 3.0

FENCES = """
WITH fix AS (
  SELECT n, accuracy_m, ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography AS point
  FROM unnest(%(n)s::bigint[], %(lat)s::float8[], %(lon)s::float8[], %(accuracy_m)s::float8[])
    AS sent(n, lat, lon, accuracy_m)
), widest AS MATERIALIZED (
  SELECT COALESCE(max(radius_m), 0) AS radius_m FROM offers_store
), near AS MATERIALIZED (
  SELECT f.n, f.accuracy_m, s.id, s.radius_m, ST_Distance(s.location, f.point) AS distance_m, NULL::bytea AS area
  FROM fix f CROSS JOIN widest
  JOIN offers_store s ON ST_DWithin(s.location, f.point, widest.radius_m + %(reach)s * f.accuracy_m)
  WHERE s.radius_m IS NOT NULL AND s.removed_at IS NULL
  UNION ALL
  SELECT f.n, f.accuracy_m, s.id, NULL, 0, ST_AsBinary(s.area)
  FROM fix f JOIN offers_store s ON ST_DWithin(s.area, f.point, %(reach)s * f.accuracy_m)
  WHERE s.area IS NOT NULL AND s.removed_at IS NULL
)
SELECT n, id, NULL::bigint, radius_m, distance_m, area, NULL::int FROM near
WHERE radius_m IS NULL OR distance_m <= radius_m + %(reach)s * accuracy_m
UNION ALL
SELECT near.n, near.id, a.id, NULL, 0, ST_AsBinary(a.area), a.dwell_s
FROM near JOIN offers_aisle a ON a.store_id = near.id
WHERE a.area IS NOT NULL AND a.removed_at IS NULL AND near.accuracy_m <= sqrt(ST_Area(a.area) / pi())
UNION ALL
SELECT NULL, s.id, NULL, s.radius_m, NULL, NULL, NULL FROM offers_store s WHERE s.id = ANY(%(store_ids)s)
"""


@dataclass(frozen=True, kw_only=True)
class Nearby:
    """P(inside) of each fix, by its number. A fence that is not named is out of reach: P = 0."""

    stores: dict[int, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    aisles: dict[int, dict[tuple[int, int], float]] = field(default_factory=lambda: defaultdict(dict))
    radius_m: dict[int, float] = field(default_factory=dict)  # by store id; 0 for a polygon
    dwell_s: dict[int, float] = field(default_factory=dict)  # by aisle id, where it has a time of its own
    max_accuracy_m: float

    def decides(self, *, fix: Fix, store_id: int) -> bool:
        """Return whether the fix is sharp enough to say anything of the store."""
        return is_usable(
            accuracy_m=fix.accuracy_m,
            radius_m=self.radius_m.get(store_id, 0.0),
            min_limit_m=self.max_accuracy_m,
        )


def fences_near(fixes: Mapping[int, Fix], *, store_ids: Collection[int], max_accuracy_m: float) -> Nearby:
    """Return how likely each fix, by its number, is inside each fence within its reach.

    `store_ids` are the stores about which something must be known even if nothing is near them. An aisle counts
    only for fixes sharper than the aisle is wide.
    """
    nearby = Nearby(max_accuracy_m=max_accuracy_m)
    if not fixes and not store_ids:
        return nearby
    with hot_cursor() as cursor:
        cursor.execute(
            FENCES,
            {
                "n": bigints(fixes),
                "lat": floats([fix.lat for fix in fixes.values()]),
                "lon": floats([fix.lon for fix in fixes.values()]),
                "accuracy_m": floats([fix.accuracy_m for fix in fixes.values()]),
                "reach": REACH,
                "store_ids": bigints(store_ids),
            },
        )
        rows = cursor.fetchall()
    for n, store_id, aisle_id, radius_m, distance_m, area, dwell_s in rows:
        if aisle_id is None:
            nearby.radius_m[store_id] = radius_m or 0.0
        if n is None:
            continue
        fix = fixes[n]
        p = _probability(fix, radius_m=radius_m, distance_m=distance_m, area=area)
        if aisle_id is None:
            nearby.stores[n][store_id] = p
        else:
            nearby.aisles[n][store_id, aisle_id] = p
            if dwell_s is not None:
                nearby.dwell_s[aisle_id] = float(dwell_s)
    return nearby


def _probability(fix: Fix, *, radius_m: float | None, distance_m: float, area: bytes | None) -> float:
    if area is not None:
        rings = polygon_rings(bytes(area))
        return probability_inside_polygon(rings=rings, lat=fix.lat, lon=fix.lon, accuracy_m=fix.accuracy_m)
    return probability_inside_circle(
        distance_m=distance_m, radius_m=radius_m or 0.0, accuracy_m=fix.accuracy_m
    )
