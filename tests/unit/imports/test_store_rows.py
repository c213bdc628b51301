"""A store from OpenStreetMap's tags and a geometry."""

from typing import Any

import pytest
import shapely
from geopy.distance import geodesic

from offers.imports.features import Feature
from offers.imports.rows import Row
from offers.imports.shapes import MAX_EXTENT_M
from offers.imports.store_rows import (
    StoreDefaults,
    StoreGiven,
    centre_of,
    lacks_columns,
    stores_from_features,
    stores_from_rows,
)
from offers.imports.values import Given, Refusal

DEFAULTS = StoreDefaults(radius_m=100.0, time_zone="Europe/Paris")
POINT = {"type": "Point", "coordinates": [2.35, 48.85]}
SMALL = [[[2.0, 48.0], [2.001, 48.0], [2.001, 48.001], [2.0, 48.0]]]
LARGE = [[[2.0, 48.0], [2.003, 48.0], [2.003, 48.003], [2.0, 48.0]]]
BOW_TIE = [[[2.0, 48.0], [2.001, 48.001], [2.001, 48.0], [2.0, 48.001], [2.0, 48.0]]]


def read(tags: dict[str, str], geometry: dict[str, Any] | None = POINT, id: str = "") -> Any:
    [entry] = stores_from_features(
        [Feature(number=7, id=id, tags=tags, geometry=geometry)], defaults=DEFAULTS
    )
    return entry


def refused(tags: dict[str, str], geometry: dict[str, Any] | None = POINT) -> tuple[int, str, str, str]:
    entry = read(tags, geometry)
    assert isinstance(entry, Refusal)
    [remark] = entry.remarks
    return remark.line, remark.key, remark.code, remark.message


def test_openstreetmaps_tags_become_a_store() -> None:
    tags = {
        "ref": "S/1",
        "name": "Monoprix",
        "opening_hours": "Mo-Sa 08:30-20:30",
        "addr:housenumber": "49",
        "addr:street": "Rue d'Auteuil",
        "addr:postcode": "75016",
        "addr:city": "Paris",
    }

    assert read(tags) == Given(
        line=7,
        key="S-1",
        value=StoreGiven(
            ref="S-1",
            name="Monoprix",
            place=shapely.Point(2.35, 48.85),
            radius_m=100.0,
            time_zone="Europe/Paris",
            opening_hours="Mo-Sa 08:30-20:30",
            address="49 Rue d'Auteuil, 75016 Paris",
        ),
    )


@pytest.mark.parametrize(
    ("tags", "id", "ref"),
    [
        ({"ref": "A"}, "node/1", "A"),  # the retailer's own key comes first
        ({"osm": "node/12"}, "", "osm-node-12"),
        ({"@id": "way/12"}, "", "osm-way-12"),
        ({}, "relation/3", "osm-relation-3"),
        ({}, "osm-node-4", "osm-node-4"),
    ],
)
def test_without_a_ref_openstreetmaps_id_is_one(tags: dict[str, str], id: str, ref: str) -> None:
    assert read(tags, id=id).value.ref == ref


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"name": "N", "brand": "B", "operator": "O"}, "N"),
        ({"brand": "B", "operator": "O"}, "B"),
        ({"operator": "O"}, "O"),
        ({}, "S1"),
    ],
)
def test_a_name_falls_back_to_brand_operator_and_ref(tags: dict[str, str], name: str) -> None:
    assert read({"ref": "S1", **tags}).value.name == name


def test_hours_that_nobody_can_read_are_left_out_and_told() -> None:
    entry = read({"ref": "S1", "opening_hours": "Lu-Sam 10:00-21:00"})

    assert entry.value.opening_hours == ""
    assert [(note.line, note.key, note.code) for note in entry.notes] == [(7, "S1", "hours_not_understood")]


def test_a_column_overrules_radius_and_time_zone() -> None:
    store = read({"ref": "S1", "radius_m": "55.5", "time_zone": "Europe/London"}).value

    assert (store.radius_m, store.time_zone) == (55.5, "Europe/London")


def test_of_several_polygons_the_largest_is_taken_and_it_is_told() -> None:
    entry = read({"ref": "S1"}, {"type": "MultiPolygon", "coordinates": [SMALL, LARGE]})

    assert entry.value.place == shapely.Polygon(LARGE[0])
    assert [note.code for note in entry.notes] == ["largest_of_several"]


def test_an_outlines_centre_is_its_centroid() -> None:
    centre = centre_of(read({"ref": "S1"}, {"type": "Polygon", "coordinates": LARGE}).value.place)

    assert geodesic((centre.y, centre.x), (48.001, 2.002)).m < 0.01  # the mean of a triangle's corners


def test_an_outline_is_refused_where_the_geodesic_is_over_20_km() -> None:
    def square(degrees: float) -> dict[str, Any]:
        ring = [[2.0, 48.0], [2.0 + degrees, 48.0], [2.0 + degrees, 48.0 + degrees], [2.0, 48.0]]
        return {"type": "Polygon", "coordinates": [ring]}

    assert geodesic((48.0, 2.0), (48.149, 2.149)).m < MAX_EXTENT_M < geodesic((48.0, 2.0), (48.151, 2.151)).m
    assert isinstance(read({"ref": "S1"}, square(0.149)), Given)
    assert refused({"ref": "S1"}, square(0.151))[2] == "area_too_large"


@pytest.mark.parametrize(
    ("tags", "geometry", "code"),
    [
        ({}, POINT, "ref_missing"),
        ({"ref": "x" * 129}, POINT, "invalid_ref"),
        ({"ref": "bulk"}, POINT, "invalid_ref"),
        ({"ref": "S1", "name": "n" * 201}, POINT, "name_too_long"),
        ({"ref": "S1", "name": "a\0b"}, POINT, "invalid_name"),
        ({"ref": "S1", "radius_m": "0"}, POINT, "invalid_radius_m"),
        ({"ref": "S1", "radius_m": "nan"}, POINT, "invalid_radius_m"),
        ({"ref": "S1", "radius_m": "10001"}, POINT, "invalid_radius_m"),
        ({"ref": "S1", "time_zone": "Mars/Base"}, POINT, "unknown_time_zone"),
        ({"ref": "S1"}, None, "no_position"),
        ({"ref": "S1"}, {"type": "Point", "coordinates": [200, 48]}, "invalid_position"),
        ({"ref": "S1"}, {"type": "Point", "coordinates": [True, 48]}, "invalid_position"),
        ({"ref": "S1"}, {"type": "Point", "coordinates": []}, "invalid_position"),
        ({"ref": "S1"}, {"type": "LineString", "coordinates": [[2, 48], [3, 48]]}, "unsupported_geometry"),
        ({"ref": "S1"}, {"type": "Polygon", "coordinates": [[[2, 48], [3, 48], [2, 48]]]}, "invalid_polygon"),
        ({"ref": "S1"}, {"type": "Polygon", "coordinates": None}, "invalid_polygon"),
        ({"ref": "S1"}, {"type": "MultiPolygon", "coordinates": []}, "invalid_polygon"),
        ({"ref": "S1", "lat": "north", "lon": "2"}, None, "invalid_position"),
        ({"ref": "S1", "lat": "inf", "lon": "2"}, None, "invalid_position"),
    ],
)
def test_what_cannot_be_a_store_is_refused_by_name(
    tags: dict[str, str], geometry: dict[str, Any] | None, code: str
) -> None:
    assert refused(tags, geometry)[2] == code


def test_a_polygon_that_crosses_itself_is_refused_with_its_reason() -> None:
    line, key, code, message = refused({"ref": "S1"}, {"type": "Polygon", "coordinates": BOW_TIE})

    assert (line, key, code) == (7, "S1", "invalid_polygon")
    assert message == "Not a sound polygon: self-intersection."


def test_a_csv_line_has_its_position_in_two_columns_or_only_an_address() -> None:
    rows = [
        Row(line=2, values={"ref": "A", "lat": "48.5", "lon": "2.5", "address": ""}),
        Row(line=3, values={"ref": "B", "lat": "", "lon": "", "address": "1 rue X, Paris"}),
    ]
    placed, unplaced = stores_from_rows(rows, defaults=DEFAULTS)

    assert isinstance(placed, Given) and placed.value.place == shapely.Point(2.5, 48.5)
    assert isinstance(unplaced, Given) and unplaced.value.place is None
    assert unplaced.value.address == "1 rue X, Paris"


@pytest.mark.parametrize(
    ("columns", "lacks"),
    [
        (("ref", "lat", "lon"), False),
        (("osm", "addr:street"), False),
        (("ref", "lat"), True),
        (("name", "lat", "lon"), True),
    ],
)
def test_columns_that_make_no_store_are_known_beforehand(columns: tuple[str, ...], lacks: bool) -> None:
    assert lacks_columns(columns) is lacks
