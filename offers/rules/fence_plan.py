"""Which fences a phone watches, and how far it may walk before it must ask again; docs/algorithms/fence-plan.md."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from uuid import UUID

import shapely
from shapely.geometry import MultiPoint

from offers.rules.geofence import distance_m, local_metres, polygon_rings

MAX_RING_M = 50_000.0  # offers come and go: even a phone in the desert asks again some day
MIN_RING_M = 0.01  # a region of no size cannot be watched
MARGIN_M = 1.0
MARGIN_SHARE = 0.005  # a phone that measures on a sphere is wrong by this much
COVER_SHARE = 0.006  # by which our own metres may be too short
COVER_M = 0.5
DEGREES_PLACES = 7  # a centimetre


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFence:
    """A fence where this customer could get an offer."""

    kind: Literal["store", "aisle"]
    row_id: int
    store_id: int
    edge_m: float  # from the phone to the fence's edge; below 0: how deep the phone is inside
    uuids: frozenset[UUID] = frozenset()  # of the beacons that come with the fence


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    fences: tuple[PlanFence, ...]  # nearest by edge first
    uuids: frozenset[UUID]
    ring_m: float  # above 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    lat: float
    lon: float
    radius_m: float


def is_enough(fences: Iterable[PlanFence], *, limit: int, horizon_m: float) -> bool:
    """Return whether a search that knows every fence nearer than horizon_m need not look further.

    It need not where one more fence than can be listed is known, or where the ring ends before the horizon. Within a
    horizon below 0 nothing is known: the edge of a fence that was not seen may be right here.
    """
    if horizon_m <= 0.0:
        return False
    known = sum(fence.edge_m < horizon_m for fence in fences)
    return known >= limit or horizon_m >= MAX_RING_M


def choose_fences(fences: Sequence[PlanFence], *, limit: int, horizon_m: float = math.inf) -> Chosen:
    """Return what the phone is to watch with `limit` regions: the ring, fences, and one for each beacon UUID.

    fences: all that matter nearer than horizon_m (those beyond are left out, in whatever order and number they are
    given). The nearest come first; a fence comes before its own beacons, and these before the next fence.
    """
    slots = limit - 1
    listed: list[PlanFence] = []
    uuids: set[UUID] = set()
    near = sorted((fence for fence in fences if fence.edge_m < horizon_m), key=_nearest)
    for fence in near:
        if slots < 1:
            break
        listed.append(fence)
        slots -= 1
        more = sorted(fence.uuids - uuids)[:slots]
        uuids.update(more)
        slots -= len(more)
    unlisted = near[len(listed) :]
    ring = min([MAX_RING_M, _short_of(max(horizon_m, 0.0)), *(_short_of(fence.edge_m) for fence in unlisted)])
    return Chosen(fences=tuple(listed), uuids=frozenset(uuids), ring_m=max(MIN_RING_M, _floor_cm(ring)))


def _nearest(fence: PlanFence) -> tuple[float, str, int]:
    return fence.edge_m, fence.kind, fence.row_id


def _short_of(edge_m: float) -> float:
    """Return how far a phone can walk and surely not cross an edge this far away, from either side."""
    away = abs(edge_m)
    return max(away - MARGIN_M - MARGIN_SHARE * away, away / 2.0) if math.isfinite(away) else MAX_RING_M


def _floor_cm(metres: float) -> float:
    return math.floor(metres * 100.0) / 100.0


@lru_cache(maxsize=4096)
def covering_circle(area: bytes) -> Circle:
    """Return a circle, little larger than needed, that holds the whole of a WGS 84 polygon in WKB.

    Raises ValueError for another kind of geometry.
    """
    corners = [corner for ring in polygon_rings(area) for corner in ring]
    lon0, lat0 = corners[0]
    flat = [local_metres(origin_lat=lat0, origin_lon=lon0, lat=lat, lon=lon) for lon, lat in corners]
    middle = shapely.minimum_bounding_circle(MultiPoint(flat)).centroid
    lat, lon = _at_metres(lat=lat0, lon=lon0, east=middle.x, north=middle.y)
    furthest = max(distance_m(lat1=lat, lon1=lon, lat2=y, lon2=x) for x, y in corners)
    return Circle(lat=lat, lon=lon, radius_m=math.ceil(furthest * (1.0 + COVER_SHARE) + COVER_M))


def _at_metres(*, lat: float, lon: float, east: float, north: float) -> tuple[float, float]:
    """Return the (lat, lon) about this far away; near enough for a centre, from which the radius is measured."""
    _, per_lat = local_metres(origin_lat=lat, origin_lon=lon, lat=lat + 0.001, lon=lon)
    there = lat + 0.001 * north / per_lat
    per_lon, _ = local_metres(origin_lat=lat, origin_lon=lon, lat=there, lon=lon + 0.001)
    across = (lon + 0.001 * east / per_lon + 180.0) % 360.0 - 180.0
    return round(there, DEGREES_PLACES), round(across, DEGREES_PLACES)
