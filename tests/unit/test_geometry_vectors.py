"""Predicates of JTS and Turf, and GeographicLib's geodesics, through the geometry that the service stands on."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.db import connection
from geopy.distance import geodesic

from offers.rules.geofence import polygon_rings, probability_inside_polygon

DATA = Path(__file__).resolve().parent.parent / "data" / "geometry"
PREDICATES = [json.loads(line) for line in (DATA / "predicates.jsonl").read_text().splitlines()]
GEODESICS = list(csv.DictReader((DATA / "geodesics.csv").read_text().splitlines()))
CENTIMETRE = 0.01


def test_every_vector_is_there():
    assert (len(PREDICATES), len(GEODESICS)) == (156, 10)
    assert {case["op"] for case in PREDICATES} == {"contains", "within", "covers", "intersects"}


def wrong(answers: list[Any]) -> list[str]:
    return [
        f"{case['source']} {case['case']} {case['op']}"
        for case, answer in zip(PREDICATES, answers, strict=True)
        if bool(answer) is not case["expected"]
    ]


def test_shapely_answers_every_predicate():
    answers = [
        getattr(shapely, case["op"])(shapely.from_wkt(case["a"]), shapely.from_wkt(case["b"]))
        for case in PREDICATES
    ]
    assert wrong(answers) == []


def test_geodjango_answers_every_predicate():
    answers = [getattr(GEOSGeometry(case["a"]), case["op"])(GEOSGeometry(case["b"])) for case in PREDICATES]
    assert wrong(answers) == []


@pytest.mark.django_db
def test_postgis_answers_every_predicate():
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT CASE op WHEN 'contains' THEN ST_Contains(a, b) WHEN 'within' THEN ST_Within(a, b)
                           WHEN 'covers' THEN ST_Covers(a, b) WHEN 'intersects' THEN ST_Intersects(a, b) END
              FROM (SELECT n, op, ST_GeomFromText(a) AS a, ST_GeomFromText(b) AS b
                      FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS t(op, a, b, n)) AS cases
             ORDER BY n
            """,
            [[case[name] for case in PREDICATES] for name in ("op", "a", "b")],
        )
        answers = [answer for (answer,) in cursor.fetchall()]
    assert wrong(answers) == []


def point_in_area_cases() -> list[dict[str, Any]]:
    """Return the cases that ask whether an area holds one point that is not on its border."""
    found = []
    for case in PREDICATES:
        a, b = shapely.from_wkt(case["a"]), shapely.from_wkt(case["b"])
        area, point = (b, a) if case["op"] == "within" else (a, b)
        if not isinstance(point, shapely.Point) or not isinstance(
            area, shapely.Polygon | shapely.MultiPolygon
        ):
            continue
        west, south, east, north = area.union(point).bounds
        if max(-south, north) < 80 and max(-west, east) < 180 and area.boundary.distance(point) > 0:
            found.append({"area": area, "point": point, "expected": case["expected"]})
    return found


def test_the_fold_of_fences_holds_the_same_points():
    cases = point_in_area_cases()
    assert len(cases) >= 2
    for case in cases:
        rings = polygon_rings(shapely.to_wkb(case["area"]))
        p = probability_inside_polygon(rings=rings, lat=case["point"].y, lon=case["point"].x, accuracy_m=0.0)
        assert p == float(case["expected"])


@pytest.mark.parametrize("line", GEODESICS, ids=lambda line: f"{float(line['s12_m']) / 1000:.0f} km")
def test_geopy_measures_geodesics_to_a_centimetre(line):
    ends = (float(line["lat1"]), float(line["lon1"])), (float(line["lat2"]), float(line["lon2"]))
    assert geodesic(*ends).meters == pytest.approx(float(line["s12_m"]), abs=CENTIMETRE)


@pytest.mark.django_db
@pytest.mark.parametrize("line", GEODESICS, ids=lambda line: f"{float(line['s12_m']) / 1000:.0f} km")
def test_postgis_measures_geodesics_to_a_centimetre(line):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT ST_Distance(ST_SetSRID(ST_MakePoint(%(lon1)s, %(lat1)s), 4326)::geography,
                               ST_SetSRID(ST_MakePoint(%(lon2)s, %(lat2)s), 4326)::geography)
            """,
            {name: float(line[name]) for name in ("lat1", "lon1", "lat2", "lon2")},
        )
        (metres,) = cursor.fetchone()
    assert metres == pytest.approx(float(line["s12_m"]), abs=CENTIMETRE)
