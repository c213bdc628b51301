"""GeoJSON geometries to a store's fence: a point, or one sound polygon."""

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import shapely

from offers.imports.values import BadValue

MAX_POSITIONS = 1_000
MAX_EXTENT_M = 20_000.0  # from corner to corner of the box around it
METRES_PER_DEGREE = 111_320.0

Place = shapely.Point | shapely.Polygon


def place_of(geometry: dict[str, Any]) -> tuple[Place, int]:
    """Return (point or polygon in degrees, x = longitude; of how many polygons it is the largest).

    Raises BadValue: another kind, broken coordinates, a polygon that is not sound (with its reason) or too large.
    """
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        return shapely.Point(_position(coordinates)), 1
    if kind == "Polygon":
        return _polygon(coordinates), 1
    if kind == "MultiPolygon":
        parts = coordinates if isinstance(coordinates, list) else []
        if not parts:
            _refuse("a multipolygon without polygons")
        return max((_polygon(part) for part in parts), key=_extent_area), len(parts)
    raise BadValue("unsupported_geometry", "A store is a Point, a Polygon or a MultiPolygon.")


def point(*, lat: str, lon: str) -> shapely.Point:
    """Return the point of two texts. Raises BadValue."""
    try:
        return shapely.Point(_position([float(lon), float(lat)]))
    except ValueError:
        raise BadValue("invalid_position", "lat and lon are degrees WGS 84.") from None


def _polygon(rings: Any) -> shapely.Polygon:
    if not isinstance(rings, list) or not rings:
        _refuse("no rings")
    read = [_ring(ring) for ring in rings]
    if sum(len(ring) for ring in read) > MAX_POSITIONS:
        _refuse(f"over {MAX_POSITIONS} positions")
    polygon = shapely.Polygon(read[0], read[1:])
    if not polygon.is_valid:
        _refuse(shapely.is_valid_reason(polygon).partition("[")[0].strip().lower())
    if polygon.area == 0:
        _refuse("it encloses nothing")
    if _extent_m(polygon) > MAX_EXTENT_M:
        raise BadValue("area_too_large", "The area is over 20 km across.")
    return polygon


def _ring(ring: Any) -> list[tuple[float, float]]:
    if not isinstance(ring, list) or len(ring) < 4:
        _refuse("a ring has at least four positions")
    positions = [_position(position) for position in ring]
    if positions[0] != positions[-1]:
        _refuse("a ring ends where it began")
    return positions


def _position(position: Any) -> tuple[float, float]:
    if not isinstance(position, Sequence) or len(position) < 2:
        raise BadValue("invalid_position", "A position is [longitude, latitude].")
    lon, lat = position[:2]
    for number in (lon, lat):
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise BadValue("invalid_position", "A position is two finite numbers.")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise BadValue("invalid_position", "Longitudes are -180 to 180 and latitudes -90 to 90.")
    return float(lon), float(lat)


def _extent_area(polygon: shapely.Polygon) -> float:
    """Return the area in square degrees, made comparable over latitudes."""
    return float(polygon.area) * math.cos(math.radians(polygon.centroid.y))


def _extent_m(polygon: shapely.Polygon) -> float:
    west, south, east, north = polygon.bounds
    width = (east - west) * METRES_PER_DEGREE * math.cos(math.radians((south + north) / 2))
    return math.hypot(width, (north - south) * METRES_PER_DEGREE)


def _refuse(why: str) -> NoReturn:
    raise BadValue("invalid_polygon", f"Not a sound polygon: {why}.")
