"""GeoJSON polygons (RFC 7946), read strictly: closed rings, WGS 84, of a size a store can have."""

import math
from typing import Any, ClassVar, NoReturn

from django.contrib.gis.geos import GEOSException, Polygon
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MAX_POSITIONS = 1_000
MAX_RINGS = 20
MAX_EXTENT_M = 20_000.0  # from corner to corner of the box around it
METRES_PER_DEGREE = 111_320.0

Ring = list[tuple[float, float]]


@extend_schema_field(
    {
        "type": "object",
        "description": "GeoJSON Polygon: closed rings of [longitude, latitude].",
        "required": ["type", "coordinates"],
        "additionalProperties": False,
        "properties": {
            "type": {"type": "string", "enum": ["Polygon"]},
            "coordinates": {
                "type": "array",
                "items": {
                    "type": "array",
                    "minItems": 4,
                    "items": {"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "number"}},
                },
            },
        },
        "example": {
            "type": "Polygon",
            "coordinates": [[[2.35, 48.85], [2.351, 48.85], [2.351, 48.851], [2.35, 48.85]]],
        },
    }
)
class PolygonField(serializers.Field[Polygon, Any, Any, Any]):
    """A GeoJSON object, to a GEOS polygon with SRID 4326, and back. Altitudes are dropped."""

    default_error_messages: ClassVar = {
        "invalid_polygon": "Not a GeoJSON polygon: {why}.",
        "area_too_large": "The area is over 20 km across.",
    }

    def to_internal_value(self, data: Any) -> Polygon:
        if (
            not isinstance(data, dict)
            or data.get("type") != "Polygon"
            or data.keys() - {"type", "coordinates"}
        ):
            self._refuse('an object with "type": "Polygon" and "coordinates"')
        rings = data.get("coordinates")
        if not isinstance(rings, list) or not 1 <= len(rings) <= MAX_RINGS:
            self._refuse("coordinates are a list of rings")
        if sum(len(ring) for ring in rings if isinstance(ring, list)) > MAX_POSITIONS:
            self._refuse(f"over {MAX_POSITIONS} positions")
        polygon = self._polygon([self._ring(ring) for ring in rings])
        if _extent_m(polygon) > MAX_EXTENT_M:
            self.fail("area_too_large")
        return polygon

    def to_representation(self, value: Polygon) -> dict[str, Any]:
        return polygon_json(value)

    def _polygon(self, rings: list[Ring]) -> Polygon:
        try:
            polygon = Polygon(*rings, srid=4326)
        except (GEOSException, ValueError):
            self._refuse("a ring is broken")
        if not polygon.valid or polygon.area == 0:
            self._refuse("a ring crosses itself, or encloses nothing")
        return polygon

    def _ring(self, ring: Any) -> Ring:
        if not isinstance(ring, list) or len(ring) < 4:
            self._refuse("a ring has at least four positions")
        positions = [self._position(position) for position in ring]
        if positions[0] != positions[-1]:
            self._refuse("a ring ends where it began")
        return positions

    def _position(self, position: Any) -> tuple[float, float]:
        if not isinstance(position, list) or len(position) not in (2, 3):
            self._refuse("a position is [longitude, latitude]")
        if any(isinstance(number, bool) or not isinstance(number, int | float) for number in position):
            self._refuse("positions are numbers")
        lon, lat = position[:2]
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            self._refuse("longitudes are -180 to 180 and latitudes -90 to 90")
        return float(lon), float(lat)

    def _refuse(self, why: str) -> NoReturn:
        self.fail("invalid_polygon", why=why)
        raise AssertionError  # fail() raises


def polygon_json(polygon: Polygon) -> dict[str, Any]:
    """Return the polygon as a GeoJSON object."""
    return {
        "type": "Polygon",
        "coordinates": [[[lon, lat] for lon, lat in ring.coords] for ring in polygon],
    }


def _extent_m(polygon: Polygon) -> float:
    west, south, east, north = polygon.extent
    width = (east - west) * METRES_PER_DEGREE * math.cos(math.radians((south + north) / 2))
    return math.hypot(width, (north - south) * METRES_PER_DEGREE)
