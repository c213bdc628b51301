"""How likely a reported position is inside a fence."""

import math

import pytest
import shapely
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Polygon

from offers.rules.geofence import (
    distance_m,
    haversine_m,
    is_usable,
    local_metres,
    polygon_rings,
    probability_inside_circle,
    probability_inside_polygon,
    sigma_m,
)

LAT, LON = 48.8566, 2.3522


def chi_square_series(*, distance: float, radius: float, accuracy: float) -> float:
    """The textbook form: a Poisson mixture of central chi-square distributions."""
    sigma = sigma_m(accuracy)
    shift, limit = (distance / sigma) ** 2 / 2, (radius / sigma) ** 2 / 2
    below, terms = 0.0, []
    for k in range(int(shift + 12 * math.sqrt(shift + 1) + 30)):
        below += math.exp(-limit + k * math.log(limit) - math.lgamma(k + 1))
        share = math.exp(-shift + k * math.log(shift) - math.lgamma(k + 1)) if shift else float(k == 0)
        terms.append(share * (1 - below))
    return math.fsum(terms)


def degrees_away(*, east: float, north: float, lat: float = LAT, lon: float = LON) -> tuple[float, float]:
    """Return the (lon, lat) that local_metres puts at (east, north), found by Newton's method."""
    x, y = lon, lat
    for _ in range(6):
        got_east, got_north = local_metres(origin_lat=lat, origin_lon=lon, lat=y, lon=x)
        x += (east - got_east) / (111_320 * math.cos(math.radians(lat)))
        y += (north - got_north) / 111_320
    return x, y


def area(*corners: tuple[float, float], holes: tuple[list[tuple[float, float]], ...] = ()) -> bytes:
    """Return the WKB of a polygon whose corners are metres (east, north) of the test's fix."""
    shell = [degrees_away(east=e, north=n) for e, n in corners]
    inner = [[degrees_away(east=e, north=n) for e, n in hole] for hole in holes]
    return shapely.to_wkb(Polygon(shell, inner))


def square(*, east: float, north: float, half: float) -> list[tuple[float, float]]:
    return [(east + a * half, north + b * half) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]


def box_probability(*, east: float, north: float, half: float, accuracy: float) -> float:
    scale = sigma_m(accuracy) * math.sqrt(2)
    along = (math.erf((east + half) / scale) - math.erf((east - half) / scale)) / 2
    across = (math.erf((north + half) / scale) - math.erf((north - half) / scale)) / 2
    return along * across


@pytest.mark.parametrize(
    ("distance", "radius", "accuracy", "expected"),
    [
        (0, 100, 100, 0.6800),  # by definition of a 68 % radius
        (80, 100, 20, 0.9244),
        (100, 100, 20, 0.4735),  # on the edge: a little under one half, since a circle curves away
        (120, 100, 20, 0.0582),
        (100, 100, 65, 0.4119),
        (150, 100, 65, 0.0901),
        (0, 30, 65, 0.2155),  # an aisle's fence cannot be decided by GPS
    ],
)
def test_the_probability_of_being_inside_is_the_published_one(
    distance: float, radius: float, accuracy: float, expected: float
) -> None:
    got = probability_inside_circle(distance_m=distance, radius_m=radius, accuracy_m=accuracy)
    assert got == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("distance", "radius", "accuracy", "expected"),
    [
        (50_000, 100, 5, 0.0),
        (0, 50_000, 5, 1.0),
        (2_000, 1_900, 3, 0.0),
        (0, 0, 50, 0.0),
        (99.9, 100, 0, 1.0),
        (100, 100, 0, 1.0),
        (100.1, 100, 0, 0.0),
        (1e300, 100, 1e-300, 0.0),
    ],
)
def test_extreme_arguments_answer_without_overflow(
    distance: float, radius: float, accuracy: float, expected: float
) -> None:
    assert probability_inside_circle(distance_m=distance, radius_m=radius, accuracy_m=accuracy) == expected


@given(radius=st.floats(1, 2_000), accuracy=st.floats(1, 1_000), off=st.floats(-8, 8), zero=st.booleans())
def test_the_integral_equals_the_series(radius: float, accuracy: float, off: float, zero: bool) -> None:
    accuracy = max(accuracy, radius / 60)
    distance = 0.0 if zero else abs(radius + off * sigma_m(accuracy))
    got = probability_inside_circle(distance_m=distance, radius_m=radius, accuracy_m=accuracy)
    assert got == pytest.approx(
        chi_square_series(distance=distance, radius=radius, accuracy=accuracy), abs=1e-6
    )


@given(near=st.floats(0, 500), more=st.floats(0, 500), radius=st.floats(1, 500), accuracy=st.floats(0.5, 500))
def test_going_further_away_never_makes_inside_likelier(
    near: float, more: float, radius: float, accuracy: float
) -> None:
    first = probability_inside_circle(distance_m=near, radius_m=radius, accuracy_m=accuracy)
    second = probability_inside_circle(distance_m=near + more, radius_m=radius, accuracy_m=accuracy)
    assert 0.0 <= second <= first + 1e-7 <= 1.0 + 1e-7


@given(
    east=st.floats(-300, 300), north=st.floats(-300, 300), half=st.floats(2, 200), accuracy=st.floats(3, 200)
)
def test_a_square_gets_the_product_of_two_normal_distributions(
    east: float, north: float, half: float, accuracy: float
) -> None:
    rings = polygon_rings(area(*square(east=east, north=north, half=half)))
    got = probability_inside_polygon(rings=rings, lat=LAT, lon=LON, accuracy_m=accuracy)
    assert got == pytest.approx(
        box_probability(east=east, north=north, half=half, accuracy=accuracy), abs=1e-4
    )


@pytest.mark.parametrize(
    ("distance", "accuracy"), [(0, 100), (80, 20), (100, 20), (120, 20), (150, 65), (95, 5)]
)
def test_a_polygon_of_360_corners_is_as_likely_as_its_circle(distance: float, accuracy: float) -> None:
    corners = [
        (distance + 100 * math.cos(math.radians(turn)), 100 * math.sin(math.radians(turn)))
        for turn in range(360)
    ]
    got = probability_inside_polygon(
        rings=polygon_rings(area(*corners)), lat=LAT, lon=LON, accuracy_m=accuracy
    )
    circle = probability_inside_circle(distance_m=distance, radius_m=100, accuracy_m=accuracy)
    assert got == pytest.approx(circle, abs=2e-4)


def test_a_hole_and_a_second_part_are_counted_exactly() -> None:
    hole = square(east=10, north=0, half=15)
    with_hole = Polygon(
        [degrees_away(east=e, north=n) for e, n in square(east=0, north=0, half=50)],
        [[degrees_away(east=e, north=n) for e, n in hole]],
    )
    annex = Polygon([degrees_away(east=e, north=n) for e, n in square(east=90, north=0, half=20)])
    rings = polygon_rings(shapely.to_wkb(MultiPolygon([with_hole, annex])))
    expected = (
        box_probability(east=0, north=0, half=50, accuracy=40)
        - box_probability(east=10, north=0, half=15, accuracy=40)
        + box_probability(east=90, north=0, half=20, accuracy=40)
    )
    got = probability_inside_polygon(rings=rings, lat=LAT, lon=LON, accuracy_m=40)
    assert got == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("east", "inside"), [(0, 0.0), (30, 1.0), (49, 1.0), (51, 0.0)])
def test_a_perfect_fix_is_answered_by_containment(east: float, inside: float) -> None:
    rings = polygon_rings(area(*square(east=0, north=0, half=50), holes=(square(east=0, north=0, half=15),)))
    lon, lat = degrees_away(east=east, north=0)
    assert probability_inside_polygon(rings=rings, lat=lat, lon=lon, accuracy_m=0) == inside


def test_an_area_across_the_antimeridian_is_one_area() -> None:
    rings = (
        (
            (
                (179.999, -17.001),
                (-179.999, -17.001),
                (-179.999, -16.999),
                (179.999, -16.999),
                (179.999, -17.001),
            )
        ),
    )
    assert probability_inside_polygon(rings=rings, lat=-17.0, lon=-179.9999, accuracy_m=10) > 0.999
    assert probability_inside_polygon(rings=rings, lat=-17.0, lon=179.9999, accuracy_m=0) == 1.0
    assert probability_inside_polygon(rings=rings, lat=-17.0, lon=179.9, accuracy_m=10) < 1e-9


def test_winding_and_ewkb_of_the_stored_area_do_not_matter() -> None:
    corners = square(east=0, north=0, half=50)
    other_way = shapely.from_wkb(area(*reversed(corners)))
    stored = shapely.to_wkb(shapely.set_srid(other_way, 4326), include_srid=True)
    got = probability_inside_polygon(rings=polygon_rings(stored), lat=LAT, lon=LON, accuracy_m=30)
    assert got == pytest.approx(box_probability(east=0, north=0, half=50, accuracy=30), abs=1e-4)


def test_a_line_is_no_area() -> None:
    with pytest.raises(ValueError, match="an area is a polygon or a multi-polygon"):
        polygon_rings(shapely.to_wkb(LineString([(2, 48), (3, 49)])))


@given(
    lat=st.floats(-79.5, 79.5),
    lon=st.floats(-180, 180),
    bearing=st.floats(0, 360),
    length=st.floats(0, 20_000),
)
def test_distances_under_20_km_agree_with_the_geodesic_to_a_twentieth_of_a_percent(
    lat: float, lon: float, bearing: float, length: float
) -> None:
    there = geodesic(meters=length).destination((lat, lon), bearing)
    got = distance_m(lat1=lat, lon1=lon, lat2=there.latitude, lon2=there.longitude)
    if abs(there.latitude) < 80 and abs(there.latitude - lat) < 0.3:
        assert got == pytest.approx(length, rel=6e-3, abs=1e-3)
        if abs((there.longitude - lon + 180) % 360 - 180) < 0.3:
            assert got == pytest.approx(length, rel=5e-4, abs=1e-3)


def test_two_sides_of_the_antimeridian_are_neighbours() -> None:
    got = distance_m(lat1=-17.0, lon1=179.9999, lat2=-17.0, lon2=-179.9999)
    assert got == pytest.approx(geodesic((-17.0, 179.9999), (-17.0, -179.9999)).meters, abs=0.01)


def test_paris_to_lyon_on_the_sphere() -> None:
    got = haversine_m(lat1=48.8566, lon1=2.3522, lat2=45.7640, lon2=4.8357)
    assert got == pytest.approx(391_499.5, abs=0.1)
    assert distance_m(lat1=48.8566, lon1=2.3522, lat2=45.7640, lon2=4.8357) == got


@pytest.mark.parametrize(
    ("accuracy", "radius", "usable"),
    [(100, 30, True), (101, 30, False), (250, 250, True), (251, 250, False), (0, 30, True), (-1, 30, False)],
)
def test_a_fix_vaguer_than_its_fence_decides_nothing(accuracy: float, radius: float, usable: bool) -> None:
    assert is_usable(accuracy_m=accuracy, radius_m=radius) is usable
