"""How likely a reported position is inside a fence; docs/algorithms/geofence.md derives it."""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import shapely
from shapely.geometry import Polygon
from shapely.geometry.polygon import orient

# A phone's accuracy is the radius that holds the truth 68 % of the time; 1 - exp(-r^2/2) = 0.68 at this r.
SIGMAS_PER_ACCURACY = math.sqrt(-2.0 * math.log(0.32))
FAR_SIGMAS = 6.0
MEAN_EARTH_RADIUS_M = 6_371_008.8
LOCAL_RANGE_DEG = 0.3
WGS84_A_M = 6_378_137.0
WGS84_E2 = 0.00669437999014

Point = tuple[float, float]
Ring = tuple[Point, ...]


def _gauss_legendre(count: int) -> tuple[tuple[float, float], ...]:
    """Return (node, weight) pairs on [-1, 1], by Newton's method on the Legendre polynomial."""
    pairs = []
    for index in range(count):
        x = math.cos(math.pi * (index + 0.75) / (count + 0.5))
        slope = 1.0
        for _ in range(100):
            before, value = 1.0, x
            for degree in range(2, count + 1):
                before, value = value, ((2 * degree - 1) * x * value - (degree - 1) * before) / degree
            slope = count * (x * value - before) / (x * x - 1.0)
            step = value / slope
            x -= step
            if abs(step) < 1e-15:
                break
        pairs.append((x, 2.0 / ((1.0 - x * x) * slope * slope)))
    return tuple(pairs)


_CIRCLE_NODES = _gauss_legendre(48)
_EDGE_NODES = _gauss_legendre(8)


def sigma_m(accuracy_m: float) -> float:
    """Return the standard deviation per axis, in metres, of a fix with this 68 % radius."""
    return accuracy_m / SIGMAS_PER_ACCURACY


def is_usable(*, accuracy_m: float, radius_m: float, min_limit_m: float = 100.0) -> bool:
    """Return whether a fix is sharp enough to decide about a fence of this radius."""
    return 0.0 <= accuracy_m <= max(min_limit_m, radius_m)


def probability_inside_circle(*, distance_m: float, radius_m: float, accuracy_m: float) -> float:
    """Return the probability that the phone truly is within radius_m of a point distance_m away.

    The truth is normal around the fix, equal in both axes: the result is the non-central chi-square
    distribution F(2, (d/sigma)^2) at (R/sigma)^2, here as one integral along the line to the centre,
    because its series needs thousands of terms for a sharp fix. Absolute error below 1e-6.

    >>> round(probability_inside_circle(distance_m=80, radius_m=100, accuracy_m=20), 4)
    0.9244
    """
    if accuracy_m <= 0.0:
        return 1.0 if distance_m <= radius_m else 0.0
    sigma = sigma_m(accuracy_m)
    distance, radius = distance_m / sigma, radius_m / sigma
    if distance - radius > FAR_SIGMAS:
        return 0.0
    if radius - distance > FAR_SIGMAS:
        return 1.0
    low = max(-radius, distance - 8.0)
    high = min(radius, distance + 8.0)
    if radius <= 0.0 or low >= high:
        return 0.0
    # x = R sin(t) takes away the square-root ends of the chord's half length, R cos(t).
    start, end = math.asin(low / radius), math.asin(high / radius)
    middle, half = (start + end) / 2.0, (end - start) / 2.0
    total = 0.0
    for node, weight in _CIRCLE_NODES:
        angle = middle + half * node
        chord = radius * math.cos(angle)
        offset = radius * math.sin(angle) - distance
        total += weight * chord * math.exp(-0.5 * offset * offset) * math.erf(chord / math.sqrt(2.0))
    return min(1.0, max(0.0, total * half / math.sqrt(2.0 * math.pi)))


def wrapped_degrees(degrees: float) -> float:
    """Return the same angle in [-180, 180): the short way round across the antimeridian."""
    return (degrees + 180.0) % 360.0 - 180.0


def local_metres(*, origin_lat: float, origin_lon: float, lat: float, lon: float) -> tuple[float, float]:
    """Return metres (east, north) of a point from the origin, on WGS 84's own curvature at the middle latitude.

    Within 20 km and up to 80 degrees of latitude the length is within 0.05 % of the geodesic.
    """
    middle = math.radians((lat + origin_lat) / 2.0)
    sine = math.sin(middle)
    bulge = 1.0 - WGS84_E2 * sine * sine
    east_radius = WGS84_A_M / math.sqrt(bulge)
    north_radius = east_radius * (1.0 - WGS84_E2) / bulge
    east = math.radians(wrapped_degrees(lon - origin_lon)) * east_radius * math.cos(middle)
    return east, math.radians(lat - origin_lat) * north_radius


def haversine_m(*, lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the great-circle distance in metres on a sphere of the earth's mean radius (within 0.6 %)."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    lift = math.sin((phi2 - phi1) / 2.0) ** 2
    turn = math.sin(math.radians(lon2 - lon1) / 2.0) ** 2
    return (
        2.0
        * MEAN_EARTH_RADIUS_M
        * math.asin(math.sqrt(min(1.0, lift + math.cos(phi1) * math.cos(phi2) * turn)))
    )


def distance_m(*, lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return metres between two points: exact enough for fences when near, great-circle when far."""
    near = abs(lat2 - lat1) < LOCAL_RANGE_DEG and max(abs(lat1), abs(lat2)) < 80.0
    if near and abs(wrapped_degrees(lon2 - lon1)) < LOCAL_RANGE_DEG:
        return math.hypot(*local_metres(origin_lat=lat1, origin_lon=lon1, lat=lat2, lon=lon2))
    return haversine_m(lat1=lat1, lon1=lon1, lat2=lat2, lon2=lon2)


@lru_cache(maxsize=4096)
def polygon_rings(area: bytes) -> tuple[Ring, ...]:
    """Return the rings of a WGS 84 polygon or multi-polygon in WKB or EWKB: (lon, lat) points, closed.

    Outer rings run counter-clockwise and holes clockwise, as probability_inside_polygon needs them.
    Raises ValueError for another kind of geometry.
    """
    geometry = shapely.from_wkb(area)
    parts = [geometry] if isinstance(geometry, Polygon) else list(getattr(geometry, "geoms", ()))
    if not parts or not all(isinstance(part, Polygon) for part in parts):
        raise ValueError("an area is a polygon or a multi-polygon")
    rings: list[Ring] = []
    for part in map(orient, parts):
        rings += [tuple((x, y) for x, y, *_ in ring.coords) for ring in (part.exterior, *part.interiors)]
    return tuple(rings)


def probability_inside_polygon(*, rings: Sequence[Ring], lat: float, lon: float, accuracy_m: float) -> float:
    """Return the probability that the phone truly is inside an area, given as polygon_rings makes it.

    By the divergence theorem the normal's mass over the area is an integral along its border, of
    (1 - exp(-r^2/2)) over the angle seen from the fix: exact, and paid for only near the fix.
    Absolute error below 1e-4. An accuracy of 0 answers by containment.
    """
    local = [
        [local_metres(origin_lat=lat, origin_lon=lon, lat=point[1], lon=point[0]) for point in ring]
        for ring in rings
    ]
    if accuracy_m <= 0.0:
        return 1.0 if _holds_origin(local) else 0.0
    scale = 1.0 / sigma_m(accuracy_m)
    total = 0.0
    for ring in local:
        scaled = [(x * scale, y * scale) for x, y in ring]
        total += sum(_edge_share(a, b) for a, b in pairwise(scaled))
    return min(1.0, max(0.0, total / (2.0 * math.pi)))


def _holds_origin(rings: Sequence[Sequence[Point]]) -> bool:
    inside = False
    for ring in rings:
        for (x1, y1), (x2, y2) in pairwise(ring):
            if (y1 > 0.0) != (y2 > 0.0) and x1 + (x2 - x1) * (-y1) / (y2 - y1) > 0.0:
                inside = not inside
    return inside


def _edge_share(a: Point, b: Point) -> float:
    """Return the border integral along one straight edge, in units of sigma seen from the fix."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy)
    if length == 0.0:
        return 0.0
    height = (a[0] * dy - a[1] * dx) / length
    start = (a[0] * dx + a[1] * dy) / length
    end = start + length
    reach = FAR_SIGMAS
    if abs(height) >= reach or start >= reach or end <= -reach:
        return math.atan2(end * height - start * height, height * height + start * end)
    low, high = max(start, -reach), min(end, reach)
    share = 0.0
    if start < low:
        share += math.atan2((low - start) * height, height * height + start * low)
    if high < end:
        share += math.atan2((end - high) * height, height * height + high * end)
    return share + height * _near_integral(height * height, low, high)


def _near_integral(height_squared: float, low: float, high: float) -> float:
    """Return the integral of (1 - exp(-r^2/2)) / r^2 along the edge, r^2 = h^2 + s^2, smooth at r = 0."""
    panels = max(1, math.ceil((high - low) / 2.0))
    half = (high - low) / (2.0 * panels)
    total = 0.0
    for panel in range(panels):
        middle = low + half * (2 * panel + 1)
        for node, weight in _EDGE_NODES:
            squared = height_squared + (middle + half * node) ** 2
            total += weight * (-math.expm1(-0.5 * squared) / squared if squared > 1e-12 else 0.5)
    return total * half
