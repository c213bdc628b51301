"""Which fences a phone watches, and how far it may walk on them."""

import math
from uuid import UUID

import pytest
import shapely
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, Polygon

from offers.rules.fence_plan import (
    MAX_RING_M,
    MIN_RING_M,
    Chosen,
    PlanFence,
    choose_fences,
    covering_circle,
    is_enough,
)

ONE, TWO = UUID(int=1), UUID(int=2)


def fence(row_id: int, edge_m: float, *uuids: UUID) -> PlanFence:
    return PlanFence(kind="store", row_id=row_id, store_id=row_id, edge_m=edge_m, uuids=frozenset(uuids))


def ids(chosen: Chosen) -> list[int]:
    return [each.row_id for each in chosen.fences]


def test_the_nearest_by_edge_come_first_and_the_ring_ends_short_of_the_next():
    fences = [fence(1, 900.0), fence(2, -20.0), fence(3, 400.0), fence(4, 500.0)]
    chosen = choose_fences(fences, limit=3)
    assert ids(chosen) == [2, 3]
    assert chosen.ring_m == 496.5  # a metre and half a per cent short of 500


def test_one_region_is_the_ring_alone():
    chosen = choose_fences([fence(1, 300.0, ONE)], limit=1)
    assert (ids(chosen), chosen.uuids, chosen.ring_m) == ([], frozenset(), 297.5)


def test_with_all_fences_listed_the_ring_is_as_large_as_it_gets():
    assert choose_fences([fence(1, 5.0)], limit=2).ring_m == MAX_RING_M
    assert choose_fences([], limit=20) == Chosen(fences=(), uuids=frozenset(), ring_m=MAX_RING_M)


@pytest.mark.parametrize(
    ("edge_m", "ring_m"),
    [
        (1.0, 0.5),  # half the way, where the margin would leave nothing
        (0.001, MIN_RING_M),
        (0.0, MIN_RING_M),  # on the edge: ask again at every step, and never look away
        (-50.0, 48.75),  # inside an unlisted one: leaving it and coming back would be entering
    ],
)
def test_the_ring_is_small_where_an_unlisted_fence_is_close(edge_m, ring_m):
    assert choose_fences([fence(1, -500.0), fence(2, edge_m)], limit=2).ring_m == pytest.approx(ring_m)


def test_a_beacon_uuid_takes_one_slot_however_many_stores_share_it():
    fences = [fence(1, 10.0, ONE), fence(2, 20.0, ONE), fence(3, 30.0, ONE)]
    chosen = choose_fences(fences, limit=5)
    assert (ids(chosen), chosen.uuids, chosen.ring_m) == ([1, 2, 3], {ONE}, MAX_RING_M)
    assert ids(choose_fences(fences, limit=4)) == [1, 2]


def test_a_fence_comes_before_its_own_beacons_and_these_before_the_next_fence():
    fences = [fence(1, 10.0, ONE, TWO), fence(2, 20.0)]
    assert (ids(choose_fences(fences, limit=2)), choose_fences(fences, limit=2).uuids) == ([1], frozenset())
    assert (ids(choose_fences(fences, limit=3)), choose_fences(fences, limit=3).uuids) == ([1], {ONE})
    assert (ids(choose_fences(fences, limit=4)), choose_fences(fences, limit=4).uuids) == ([1], {ONE, TWO})
    assert ids(choose_fences(fences, limit=5)) == [1, 2]


def test_nothing_beyond_the_horizon_is_listed_and_the_ring_stays_within_it():
    chosen = choose_fences([fence(1, 100.0), fence(2, 5_000.0)], limit=20, horizon_m=2_000.0)
    assert (ids(chosen), chosen.ring_m) == ([1], 1_989.0)


def test_a_search_is_enough_with_one_fence_more_than_fit_or_a_horizon_past_any_ring():
    fences = [fence(n, 100.0 * n) for n in range(5)]
    assert is_enough(fences, limit=5, horizon_m=1_000.0)
    assert not is_enough(fences, limit=5, horizon_m=400.0)  # four are surely the nearest
    assert is_enough([], limit=20, horizon_m=math.inf)
    assert is_enough([], limit=20, horizon_m=MAX_RING_M)


@st.composite
def layouts(draw: st.DrawFn) -> tuple[tuple[float, float], list[tuple[float, float, float]]]:
    """Return a phone's (lat, lon), and (lat, lon, radius_m) of fences around it that overlap as they like."""
    lat = draw(st.floats(-75, 75))
    lon = draw(st.one_of(st.floats(-180, 180), st.floats(179.99, 180), st.floats(-180, -179.99)))
    polar = st.tuples(st.floats(0, 360), st.floats(0, 6_000), st.floats(10, 1_500))
    fences = []
    for bearing, away_m, radius_m in draw(st.lists(polar, min_size=1, max_size=30)):
        at = geodesic(meters=away_m).destination((lat, lon), bearing)
        fences.append((at.latitude, at.longitude, radius_m))
    return (lat, lon), fences


@given(
    layout=layouts(), limit=st.integers(1, 20), steps=st.lists(st.tuples(st.floats(0, 360), st.floats(0, 1)))
)
def test_along_any_path_inside_the_ring_no_unlisted_fence_is_entered(layout, limit, steps):
    here, circles = layout
    edges = [geodesic(here, (lat, lon)).meters - radius for lat, lon, radius in circles]
    chosen = choose_fences([fence(n, edge) for n, edge in enumerate(edges)], limit=limit)
    assert len(chosen.fences) <= limit - 1
    assert [each.edge_m for each in chosen.fences] == sorted(edges)[: limit - 1]
    assert chosen.ring_m > 0
    unlisted = [circle for n, circle in enumerate(circles) if n not in ids(chosen)]
    was_in = [geodesic(here, (lat, lon)).meters <= radius for lat, lon, radius in unlisted]
    for bearing, share in [*steps, *((turn * 45.0, 1.0) for turn in range(8))]:
        at = geodesic(meters=share * chosen.ring_m).destination(here, bearing)
        is_in = [
            geodesic((at.latitude, at.longitude), (lat, lon)).meters <= radius
            for lat, lon, radius in unlisted
        ]
        on_edge = chosen.ring_m == MIN_RING_M
        assert on_edge or not any(now and not then for now, then in zip(is_in, was_in, strict=True))
        was_in = is_in


@given(
    lat=st.floats(-79, 79),
    lon=st.floats(-180, 180),
    corners=st.lists(st.tuples(st.floats(-5_000, 5_000), st.floats(-5_000, 5_000)), min_size=3, max_size=12),
)
def test_the_covering_circle_holds_the_polygon_and_little_more(lat, lon, corners):
    hull = shapely.MultiPoint(corners).convex_hull
    if hull.geom_type != "Polygon" or hull.minimum_clearance < 1.0:
        return
    shell = []
    for east, north in hull.exterior.coords:
        y = lat + north / 111_200
        x = lon + east / (111_300 * math.cos(math.radians(lat)))
        shell.append(((x + 180) % 360 - 180, y))
    circle = covering_circle(shapely.to_wkb(Polygon(shell)))
    away = [geodesic((circle.lat, circle.lon), (y, x)).meters for x, y in shell]
    assert max(away) <= circle.radius_m
    assert circle.radius_m <= 1.02 * max(away) + 2.0
    needed = shapely.minimum_bounding_radius(hull)
    assert circle.radius_m <= 1.03 * needed + 3.0


def test_only_a_polygon_can_be_covered():
    with pytest.raises(ValueError, match="polygon"):
        covering_circle(shapely.to_wkb(Point(2.35, 48.85)))
    two = MultiPolygon([Point(2.35, 48.85).buffer(0.001), Point(2.37, 48.85).buffer(0.001)])
    assert covering_circle(shapely.to_wkb(two)).radius_m > 700


def test_behind_a_horizon_below_zero_a_fence_may_begin_right_here():
    inside = fence(1, -811.0)
    assert not is_enough([inside], limit=1, horizon_m=-276.0)
    assert choose_fences([inside], limit=1, horizon_m=-276.0).ring_m == MIN_RING_M
    assert choose_fences([inside], limit=2, horizon_m=0.0).ring_m == MIN_RING_M
