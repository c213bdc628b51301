"""Inside a plan's ring no unlisted fence is entered, whatever the town looks like."""

import pytest
import shapely
from django.conf import settings
from django.contrib.gis.geos import Point, Polygon
from geopy.distance import geodesic
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from offers.models import Offer, Store
from offers.queries import fences as queries
from offers.queries.fences import plan_fences
from offers.rules.fence_plan import MIN_RING_M
from tests.integration.decisions import shop
from tests.integration.fences.test_plan import NOW, make_customer, make_offer

pytestmark = pytest.mark.django_db


@st.composite
def towns(draw: st.DrawFn) -> tuple[float, float, list[tuple[float, float, float, bool, bool]]]:
    """Return a phone's (lat, lon) and (bearing, away_m, radius_m, is it a polygon, is there an offer) of stores."""
    lat = draw(st.floats(-70, 70))
    lon = draw(st.one_of(st.floats(-180, 180), st.floats(179.995, 180), st.floats(-180, -179.995)))
    one = st.tuples(
        st.floats(0, 360),
        st.floats(0, 3_000),
        st.floats(20, 900),
        st.booleans(),
        st.sampled_from([True, True, False]),
    )
    return lat, lon, draw(st.lists(one, min_size=1, max_size=25))


def ring_of(lat: float, lon: float, radius_m: float) -> list[tuple[float, float]]:
    """Return the (lon, lat) corners of a closed pentagon."""
    at = [geodesic(meters=radius_m).destination((lat, lon), 72.0 * n) for n in range(5)]
    corners = [(each.longitude, each.latitude) for each in at]
    return [*corners, corners[0]]


def shift(lon: float, here: float) -> float:
    """Return degrees east of the phone, the short way round."""
    return (lon - here + 180) % 360 - 180


@given(town=towns(), limit=st.integers(1, 20), searched=st.sampled_from([3, 200]))
@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_along_any_path_inside_the_ring_no_unlisted_fence_is_entered(monkeypatch, town, limit, searched):
    monkeypatch.setattr(queries, "SEARCHES", (searched, 3 * searched))
    monkeypatch.setattr(queries, "PER_SLOT", 0)
    Offer.objects.all().delete()
    Store.objects.all().delete()
    lat, lon, stores = town
    made, with_offer = [], []
    for n, (bearing, away_m, radius_m, is_polygon, has_offer) in enumerate(stores):
        at = geodesic(meters=away_m).destination((lat, lon), bearing)
        area = Polygon(ring_of(at.latitude, at.longitude, radius_m), srid=4326) if is_polygon else None
        place = Point(at.longitude, at.latitude, srid=4326)
        store = shop.make_store(
            now=NOW, ref=f"S{n}", location=place, radius_m=None if is_polygon else radius_m, area=area
        )
        made.append(store)
        with_offer += [store] if has_offer else []
    if with_offer:
        make_offer(stores=with_offer)
    customer = make_customer()
    plan = plan_fences(customer_id=customer.pk, lat=lat, lon=lon, limit=limit, now=NOW, params=settings.RAYON)
    customer.delete()
    assert len(plan.fences) <= min(limit - 1, len(with_offer))
    if len(made) < 3 or searched == 200:
        assert len(plan.fences) == min(limit - 1, len(with_offer))
    listed = {fence.row_id for fence in plan.fences}
    assert listed <= {store.pk for store in with_offer}
    assert plan.ring_m > 0
    if plan.ring_m == MIN_RING_M:
        return
    unlisted = [store for store in with_offer if store.pk not in listed]
    for store in unlisted:
        was_in = is_inside(store, lat=lat, lon=lon, phone_lon=lon)
        for turn in range(12):
            for part in (0.5, 1.0):
                at = geodesic(meters=plan.ring_m * part).destination((lat, lon), 30.0 * turn)
                assert is_inside(store, lat=at.latitude, lon=at.longitude, phone_lon=lon) <= was_in
    for fence in plan.fences:
        store = next(store for store in made if store.pk == fence.row_id)
        if store.area is not None:
            middle = (fence.circle.lat, fence.circle.lon)
            assert (
                max(geodesic(middle, (y, x)).meters for x, y in store.area[0].coords) <= fence.circle.radius_m
            )


def is_inside(store: Store, *, lat: float, lon: float, phone_lon: float) -> bool:
    if store.area is None:
        return geodesic((lat, lon), (store.location.y, store.location.x)).meters <= store.radius_m
    corners = [(shift(x, phone_lon), y) for x, y in store.area[0].coords]
    return shapely.Polygon(corners).covers(shapely.Point(shift(lon, phone_lon), lat))
