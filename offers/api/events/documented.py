"""POST /v1/events as a view: what the OpenAPI document says of the consumer. Not routed under ASGI.

A deployment that serves REST by WSGI workers can route it: it answers as the consumer does, without joining what
several phones send.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.fields import (
    EnumField,
    FiniteFloatField,
    InstantField,
    LatField,
    LonField,
    StrictBooleanField,
    StrictUuidField,
    TextField,
    WholeNumberField,
)
from customers.api.serializers import StrictSerializer
from customers.api.views import CustomerView
from offers import pipeline
from offers.api.events.deciding import answers, judge
from offers.api.events.parsing import BELONGS, KINDS, MAX_EVENTS, MAX_GEOFENCE_CHARS, RSSI_DBM, events_of
from offers.api.serializers.wallet import CouponOut, PlaceOut
from offers.flow import Event
from offers.rules.eligibility import Reason


class EventBeaconBody(StrictSerializer):
    uuid = StrictUuidField()
    major = WholeNumberField(min_value=0, max_value=65_535)
    minor = WholeNumberField(min_value=0, max_value=65_535)
    rssi_dbm = WholeNumberField(
        min_value=RSSI_DBM[0],
        max_value=RSSI_DBM[1],
        required=False,
        allow_null=True,
        help_text="Absent for a code scanned at the shelf.",
    )


class EventLocationBody(StrictSerializer):
    lat = LatField()
    lon = LonField()
    accuracy_m = FiniteFloatField(min_value=0, help_text="Radius that holds the truth with 68 %.")
    is_mock = StrictBooleanField(required=False, default=False)


class EventBody(StrictSerializer):
    """`geofence` goes with enter, exit and dwell, `beacon` with beacon; a fix needs its `location`."""

    id = StrictUuidField(help_text="Made on the phone: the same id again is answered as the first time.")
    type = EnumField(choices=list(KINDS))
    geofence = TextField(
        required=False,
        allow_null=True,
        max_length=MAX_GEOFENCE_CHARS,
        trim_whitespace=False,
        help_text="An id from /v1/geofences.",
    )
    beacon = EventBeaconBody(required=False, allow_null=True)
    location = EventLocationBody(required=False, allow_null=True)
    occurred_at = InstantField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind, needed = attrs["type"], KINDS[attrs["type"]]
        if attrs.get(needed) is None:
            raise serializers.ValidationError({needed: "Needed for this type."}, code="required")
        for name, kinds in BELONGS.items():
            if kind not in kinds and attrs.get(name) is not None:
                raise serializers.ValidationError({name: "Goes with another type."})
        return attrs


class EventsBody(StrictSerializer):
    events = serializers.ListField(child=EventBody(), min_length=1, max_length=MAX_EVENTS)


class EventDecisionOut(serializers.Serializer[Any]):
    transition = serializers.ChoiceField(choices=["enter", "dwell", "exit"], allow_null=True)
    place = PlaceOut(allow_null=True)
    outcome = serializers.ChoiceField(choices=["issued", "none"])
    reason = serializers.ChoiceField(choices=[reason.value for reason in Reason])
    coupon = CouponOut(allow_null=True)


class EventResultOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="As it was sent; empty where it was no text.")
    status = serializers.ChoiceField(choices=["accepted", "duplicate", "rejected"])
    error = serializers.ChoiceField(
        choices=["invalid", "unknown_geofence", "unknown_beacon", "event_id_reused"], allow_null=True
    )
    decisions = EventDecisionOut(many=True)


class EventResultsOut(serializers.Serializer[Any]):
    """One result an event, in the order sent."""

    results = EventResultOut(many=True)


class EventsView(CustomerView):
    @extend_schema(
        operation_id="send_events",
        summary="Send what a phone saw, and learn what was decided",
        description="Each event is judged alone: a bad one is `rejected` and does not stop its neighbours. An event "
        "that is answered is on disk.",
        request=EventsBody,
        responses={200: EventResultsOut},
    )
    def post(self, request: Request) -> Response:
        raw_events: Sequence[Any] = events_of(request.data)
        judged = [judge(raw, credential=self.caller) for raw in raw_events]
        decided = pipeline.run(
            [each for each in judged if isinstance(each, Event)],
            now=self.now,
            params=settings.RAYON,
        )
        return Response({"results": answers(raw_events, judged, decided)})


def document_events(endpoints: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Add the events' door to what drf-spectacular found among the routes (a preprocessing hook)."""
    return [*endpoints, ("/v1/events", "^v1/events$", "POST", EventsView.as_view())]
