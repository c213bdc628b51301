"""Places and positions: which fence or beacon an event names, how likely it is inside, and whether it can be true."""

import math
import re
from datetime import datetime, timedelta

from django.contrib.gis.db.models.functions import Distance
from django.contrib.gis.geos import Point
from django.contrib.gis.measure import D
from django.db.models import Max
from geopy.distance import geodesic
from scipy.special import chndtr

from offers.flow import Event, Position
from offers.models import Aisle, Beacon, LocationEvent, Store

SIGMAS_PER_ACCURACY = math.sqrt(-2 * math.log(0.32))
REACH = 3  # accuracies from the edge: beyond, nobody is inside
CLOCKS_ARE_SET_SINCE = datetime.fromisoformat("2015-01-01T00:00:00+00:00")
FUTURE = timedelta(seconds=120)
IMPOSSIBLE_MPS = 70.0

Named = tuple[Store, Aisle | None]


class Unknown(Exception):
    """The event names a place that there is not; the text is the error to answer with."""


def named_place(event: Event) -> Named | None:
    """Return the store, and the aisle if it is one, that an event names. Raises Unknown."""
    if event.beacon is not None:
        beacon = (
            Beacon.objects.select_related("aisle__store")
            .filter(uuid=event.beacon.uuid, major=event.beacon.major, minor=event.beacon.minor)
            .filter(aisle__removed_at=None, aisle__store__removed_at=None)
            .first()
        )
        if beacon is None:
            raise Unknown("unknown_beacon")
        return beacon.aisle.store, beacon.aisle
    if event.geofence is None:
        return None
    found = re.fullmatch(r"G([SA])(\d{1,18})", event.geofence)
    if found and found[1] == "S":
        store = Store.objects.present().filter(pk=found[2]).first()
        if store:
            return store, None
    elif found:
        aisle = (
            Aisle.objects.select_related("store")
            .filter(pk=found[2], removed_at=None, store__removed_at=None)
            .first()
        )
        if aisle:
            return aisle.store, aisle
    raise Unknown("unknown_geofence")


def is_stale(at: datetime, *, now: datetime, max_age_s: float) -> bool:
    """Return whether nothing may be done about an event: too old, from the future, or of a clock never set."""
    return at < CLOCKS_ARE_SET_SINCE or at - now > FUTURE or now - at > timedelta(seconds=max_age_s)


def chances(position: Position, *, also: set[int], max_accuracy_m: float) -> dict[int, float]:
    """Return how likely a position is inside each store near it and each of `also`, by store id.

    A store of which the position is too vague to tell is left out.
    """
    point = Point(position.lon, position.lat, srid=4326)
    widest = Store.objects.aggregate(widest=Max("radius_m"))["widest"] or 0.0
    near = Store.objects.present().filter(radius_m__isnull=False)
    near = near.filter(location__dwithin=(point, D(m=widest + REACH * position.accuracy_m)))
    found = {}
    for store in near.annotate(away=Distance("location", point)):
        if position.accuracy_m <= max(max_accuracy_m, store.radius_m or 0.0):
            found[store.pk] = chance_inside(
                away_m=store.away.m, radius_m=store.radius_m or 0.0, accuracy_m=position.accuracy_m
            )
    for store_id in also - set(found):
        radius_m = Store.objects.filter(pk=store_id).values_list("radius_m", flat=True).first() or 0.0
        if position.accuracy_m <= max(max_accuracy_m, radius_m):
            found[store_id] = 0.0
    return found


def chance_inside(*, away_m: float, radius_m: float, accuracy_m: float) -> float:
    """Return the non-central chi-square distribution with two degrees of freedom that the document names."""
    if accuracy_m == 0:
        return 1.0 if away_m <= radius_m else 0.0
    sigma = accuracy_m / SIGMAS_PER_ACCURACY
    return float(chndtr((radius_m / sigma) ** 2, 2, (away_m / sigma) ** 2))


def movement(before: LocationEvent | None, event: LocationEvent, *, max_speed_mps: float) -> str:
    """Return "", moving_too_fast or implausible_location for the way from the last believed position to this one."""
    if event.is_mock:
        return "implausible_location"
    if before is None:
        return ""
    apart_m = geodesic((before.lat, before.lon), (event.lat, event.lon)).m
    surely_m = max(0.0, apart_m - (before.accuracy_m or 0.0) - (event.accuracy_m or 0.0))
    seconds = abs((event.occurred_at - before.occurred_at).total_seconds())
    speed = 0.0 if not surely_m else surely_m / seconds if seconds else math.inf
    if speed > IMPOSSIBLE_MPS:
        return "implausible_location"
    return "moving_too_fast" if speed > max_speed_mps else ""


def away_m(store: Store, event: LocationEvent | None) -> float | None:
    """Return how far an event's own position is from a store's point; None without a position."""
    if event is None or event.lat is None or event.lon is None:
        return None
    return float(geodesic((store.location.y, store.location.x), (event.lat, event.lon)).m)
