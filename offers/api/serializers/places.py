"""Stores and aisles in the shapes of the wire contract."""

from typing import Any, ClassVar

from django.contrib.gis.geos import Point, Polygon
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from customers.api.fields import (
    MAX_REF_CHARS,
    FiniteFloatField,
    LatField,
    LonField,
    RefField,
    StrictUuidField,
    TextField,
    TimeZoneField,
    WholeNumberField,
)
from customers.api.serializers import StrictSerializer
from offers.api.geojson import PolygonField, polygon_json
from offers.models import Aisle, Store
from offers.operations.places import AisleIn, BeaconIn, StoreIn
from offers.rules import opening_hours

MAX_BEACONS = 200
MAX_CATEGORIES = 200


class LocationBody(StrictSerializer):
    lat = LatField()
    lon = LonField()


class OpeningHoursField(TextField):
    """OpenStreetMap's syntax; empty: always open."""

    default_error_messages: ClassVar = {"invalid_opening_hours": "{why}"}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        why = opening_hours.validate(text) if text else None
        if why is not None:
            self.fail("invalid_opening_hours", why=why)
        return text


class StoreBody(StrictSerializer):
    """Exactly one of `radius_m` and `area`; without a location, the area's centroid is taken."""

    name = TextField(max_length=200)
    location = LocationBody(required=False, allow_null=True, default=None)
    radius_m = FiniteFloatField(required=False, allow_null=True, default=None, min_value=1, max_value=10_000)
    area = PolygonField(required=False, allow_null=True, default=None)
    time_zone = TimeZoneField(max_length=64)
    opening_hours = OpeningHoursField(required=False, allow_blank=True, default="", max_length=500)
    address = TextField(required=False, allow_blank=True, default="", max_length=300)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["radius_m"] is None) == (attrs["area"] is None):
            message = "Give either a radius or an area."
            raise serializers.ValidationError({"radius_m": [ErrorDetail(message, code="one_fence")]})
        if attrs["location"] is None and attrs["area"] is None:
            message = "A store with a radius needs a location."
            raise serializers.ValidationError({"location": [ErrorDetail(message, code="required")]})
        return attrs


class StoreLine(StoreBody):
    ref = RefField()


class StoreOut(StoreBody):
    ref = RefField()
    geofence = serializers.CharField(help_text="The id under which phones watch it.")


class BeaconBody(StrictSerializer):
    uuid = StrictUuidField()
    major = WholeNumberField(min_value=0, max_value=65_535)
    minor = WholeNumberField(min_value=0, max_value=65_535)


class AisleBody(StrictSerializer):
    """`categories` empty: nothing is known of what stands here, and any offer of the store may fire."""

    name = TextField(max_length=200)
    categories = serializers.ListField(
        child=RefField(max_length=64), required=False, default=list, max_length=MAX_CATEGORIES
    )
    area = PolygonField(required=False, allow_null=True, default=None)
    beacons = BeaconBody(many=True, required=False, default=list, max_length=MAX_BEACONS)
    dwell_s = WholeNumberField(required=False, allow_null=True, default=None, min_value=1, max_value=3_600)


class AisleLine(AisleBody):
    ref = RefField(max_length=MAX_REF_CHARS)


class AisleOut(AisleBody):
    ref = RefField()
    store = RefField()
    geofence = serializers.CharField(help_text="The id under which phones report it.")


def store_in(ref: str, data: dict[str, Any]) -> StoreIn:
    """Return the value of a validated StoreBody."""
    area: Polygon | None = data["area"]
    given = data["location"]
    if given is not None:
        location = Point(given["lon"], given["lat"], srid=4326)
    else:
        assert area is not None  # StoreBody.validate saw to it
        location = area.centroid
        location.srid = 4326
    return StoreIn(
        ref=ref,
        name=data["name"],
        location=location,
        radius_m=data["radius_m"],
        area=area,
        time_zone=data["time_zone"],
        opening_hours=data["opening_hours"],
        address=data["address"],
    )


def aisle_in(ref: str, data: dict[str, Any]) -> AisleIn:
    """Return the value of a validated AisleBody."""
    return AisleIn(
        ref=ref,
        name=data["name"],
        categories=tuple(data["categories"]),
        area=data["area"],
        beacons=tuple(BeaconIn(**beacon) for beacon in data["beacons"]),
        dwell_s=data["dwell_s"],
    )


def render_store(store: Store) -> dict[str, Any]:
    return {
        "ref": store.ref,
        "name": store.name,
        "location": {"lat": store.location.y, "lon": store.location.x},
        "radius_m": store.radius_m,
        "area": None if store.area is None else polygon_json(store.area),
        "time_zone": store.time_zone,
        "opening_hours": store.opening_hours,
        "address": store.address,
        "geofence": f"GS{store.pk}",
    }


def render_aisle(aisle: Aisle, *, store_ref: str) -> dict[str, Any]:
    """Return the aisle; categories and beacons are prefetched by queries.places."""
    return {
        "ref": aisle.ref,
        "store": store_ref,
        "name": aisle.name,
        "categories": [category.ref for category in aisle.categories.all()],
        "area": None if aisle.area is None else polygon_json(aisle.area),
        "beacons": [
            {"uuid": str(beacon.uuid), "major": beacon.major, "minor": beacon.minor}
            for beacon in aisle.beacons.all()
        ],
        "dwell_s": aisle.dwell_s,
        "geofence": f"GA{aisle.pk}",
    }
