"""The fences a phone is to watch from where it is."""

import math
import re
from collections.abc import Mapping

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.problems import Problem
from customers.api.views import CustomerView
from offers.api.serializers import fences as shapes
from offers.queries.fences import plan_fences

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)

PARAMETERS = [
    OpenApiParameter(name="lat", type=float, required=True, description="Degrees WGS 84, -90 to 90."),
    OpenApiParameter(name="lon", type=float, required=True, description="Degrees WGS 84, -180 to 180."),
    OpenApiParameter(
        name="limit",
        type=int,
        description=f"Regions the phone can watch, 1 to {MAX_LIMIT}; {DEFAULT_LIMIT} without it. The ring takes one, "
        "each fence one, each beacon UUID one.",
    ),
]


class FencePlanView(CustomerView):
    @extend_schema(
        operation_id="geofences_plan",
        summary="What this phone is to watch: fences with an offer for the caller, nearest by edge first",
        parameters=PARAMETERS,
        responses={200: shapes.FencePlanOut},
    )
    def get(self, request: Request) -> Response:
        lat, lon, limit = asked_for(request.query_params)
        plan = plan_fences(
            customer_id=self.caller.customer_id,
            lat=lat,
            lon=lon,
            limit=limit,
            now=self.now,
            params=settings.RAYON,
        )
        body = shapes.render_plan(plan, lat=lat, lon=lon)
        return Response(body, headers={"Cache-Control": "private, no-store"})


def asked_for(given: Mapping[str, str]) -> tuple[float, float, int]:
    """Return (lat, lon, limit). Raises the 400 that names every parameter that is missing or wrong."""
    wrong: list[dict[str, str]] = []
    lat = _degrees(given, name="lat", limit=90.0, wrong=wrong)
    lon = _degrees(given, name="lon", limit=180.0, wrong=wrong)
    text = given.get("limit", str(DEFAULT_LIMIT))
    limit = int(text) if _COUNT.fullmatch(text) else 0
    if not 1 <= limit <= MAX_LIMIT:
        wrong.append({"field": "limit", "code": "invalid", "message": f"A number from 1 to {MAX_LIMIT}."})
    if wrong:
        raise Problem(status=400, errors=wrong)
    return lat, lon, limit


def _degrees(given: Mapping[str, str], *, name: str, limit: float, wrong: list[dict[str, str]]) -> float:
    text = given.get(name)
    if text is None:
        wrong.append({"field": name, "code": "required", "message": "This parameter is required."})
        return 0.0
    value = float(text) if len(text) <= 64 and _NUMBER.fullmatch(text) else math.nan
    if not -limit <= value <= limit:
        message = f"Degrees from -{limit:.0f} to {limit:.0f}."
        wrong.append({"field": name, "code": "invalid", "message": message})
    return value
