"""A phone's fence plan as it goes out."""

from typing import Any

from rest_framework import serializers

from offers.queries.fences import FencePlan
from offers.stages.intake.places import geofence_id


class PlannedFenceOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="To be named in `enter`, `exit` and `dwell` events.")
    kind = serializers.ChoiceField(choices=["store", "aisle"])
    lat = serializers.FloatField()
    lon = serializers.FloatField()
    radius_m = serializers.FloatField(help_text="Of the fence, or of a circle around its polygon.")
    dwell_s = serializers.IntegerField()


class PlannedBeaconOut(serializers.Serializer[Any]):
    uuid = serializers.UUIDField()
    major = serializers.IntegerField()
    minor = serializers.IntegerField()
    aisle = serializers.CharField(help_text="The aisle's ref.")


class RefreshOut(serializers.Serializer[Any]):
    lat = serializers.FloatField()
    lon = serializers.FloatField()
    radius_m = serializers.FloatField(help_text="Ask again on leaving this circle; above 0.")


class FencePlanOut(serializers.Serializer[Any]):
    geofences = PlannedFenceOut(many=True)
    beacons = PlannedBeaconOut(many=True)
    refresh = RefreshOut()


def render_plan(plan: FencePlan, *, lat: float, lon: float) -> dict[str, Any]:
    return {
        "geofences": [
            {
                "id": geofence_id(kind=fence.kind, row_id=fence.row_id),
                "kind": fence.kind,
                "lat": fence.circle.lat,
                "lon": fence.circle.lon,
                "radius_m": fence.circle.radius_m,
                "dwell_s": fence.dwell_s,
            }
            for fence in plan.fences
        ],
        "beacons": [
            {
                "uuid": str(beacon.uuid),
                "major": beacon.major,
                "minor": beacon.minor,
                "aisle": beacon.aisle_ref,
            }
            for beacon in plan.beacons
        ],
        "refresh": {"lat": lat, "lon": lon, "radius_m": plan.ring_m},
    }
