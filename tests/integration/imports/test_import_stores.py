"""manage.py import_stores, against the database."""

import csv
import gzip
import json
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from geopy.distance import geodesic

from offers.models import Store
from tests.integration.imports.commands import run, table_counts, written

pytestmark = pytest.mark.django_db

CSV = """ref,name,lat,lon,opening_hours,time_zone
A,Alpha,48.85,2.35,Mo-Sa 08:30-20:30,
B,Beta,48.86,95.0,,Europe/London
C,Gamma,120,2.35,,
D,Delta,48.87,2.36,Lu-Sam 9h,
A,Again,48.85,2.35,,
E,Short
"""


def summary(told: list[str]) -> str:
    return told[-1].partition(": ")[2]


def test_good_lines_are_stores_and_bad_ones_are_told_by_number(tmp_path: Path) -> None:
    refused = tmp_path / "refused.csv"
    told = run("import_stores", written(tmp_path, CSV), refused=refused, radius_m=60.0)

    assert summary(told.out) == "6 stores read: 3 new, 0 changed, 0 same, 3 refused (1 notes)"
    assert [line.split(": ")[0:2] for line in told.err] == [
        ["line 4 C", "refused, invalid_position"],
        ["line 5 D", "kept, hours_not_understood"],
        ["line 6 A", "refused, repeated"],
        ["line 7", "refused, wrong_number_of_fields"],
    ]
    with refused.open(encoding="utf-8", newline="") as handle:
        assert [row[:3] for row in csv.reader(handle)] == [
            ["line", "key", "code"],
            ["4", "C", "invalid_position"],
            ["6", "A", "repeated"],
            ["7", "", "wrong_number_of_fields"],
        ]
    stores = {store.ref: store for store in Store.objects.order_by("ref")}
    assert {
        ref: (store.name, store.radius_m, store.time_zone, store.opening_hours)
        for ref, store in stores.items()
    } == {
        "A": ("Alpha", 60.0, "Europe/Paris", "Mo-Sa 08:30-20:30"),
        "B": ("Beta", 60.0, "Europe/London", ""),
        "D": ("Delta", 60.0, "Europe/Paris", ""),
    }
    assert geodesic((stores["A"].location.y, stores["A"].location.x), (48.85, 2.35)).m == 0


def test_a_second_run_finds_nothing_new_and_touches_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, CSV)
    run("import_stores", path)
    before = list(Store.objects.order_by("id").values_list("ref", "updated_at"))

    told = run("import_stores", path)

    assert summary(told.out) == "6 stores read: 0 new, 0 changed, 3 same, 3 refused (1 notes)"
    assert list(Store.objects.order_by("id").values_list("ref", "updated_at")) == before


def test_a_changed_line_changes_its_store_alone(tmp_path: Path) -> None:
    run("import_stores", written(tmp_path, CSV))

    told = run("import_stores", written(tmp_path, CSV.replace("Alpha", "Omega")))

    assert summary(told.out) == "6 stores read: 0 new, 1 changed, 2 same, 3 refused (1 notes)"
    assert Store.objects.get(ref="A").name == "Omega"


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    before = table_counts()
    path = written(tmp_path, CSV)

    dry = run("import_stores", path, dry_run=True)

    assert table_counts() == before
    assert dry.out[0] == "Dry run: nothing was written."
    real = run("import_stores", path)
    assert (dry.out[1:], dry.err) == (real.out, real.err)


def test_packed_geojson_makes_points_circles_and_outlines_areas(tmp_path: Path) -> None:
    ring = [[2.0, 48.0], [2.001, 48.0], [2.001, 48.001], [2.0, 48.0]]
    features = [
        {
            "type": "Feature",
            "id": "node/1",
            "properties": {"brand": "B"},
            "geometry": {"type": "Point", "coordinates": [2, 48]},
        },
        {
            "type": "Feature",
            "id": "way/2",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        },
        {
            "type": "Feature",
            "id": "way/3",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": [ring[:3]]},
        },
    ]
    packed = gzip.compress(json.dumps({"type": "FeatureCollection", "features": features}).encode())

    told = run("import_stores", written(tmp_path, packed, "stores.geojson.gz"))

    assert summary(told.out) == "3 stores read: 2 new, 0 changed, 0 same, 1 refused"
    assert [line.split(": ")[:2] for line in told.err] == [["line 3 osm-way-3", "refused, invalid_polygon"]]
    point, area = Store.objects.order_by("ref")
    assert (point.ref, point.name, point.radius_m, point.area) == ("osm-node-1", "B", 100.0, None)
    assert (area.ref, area.radius_m) == ("osm-way-2", None)
    assert [list(position) for position in area.area[0].coords] == ring
    assert summary(run("import_stores", tmp_path / "stores.geojson.gz").out).startswith(
        "3 stores read: 0 new, 0 changed, 2"
    )


def test_torn_geojson_keeps_what_stood_before_and_says_so(tmp_path: Path) -> None:
    feature = '{"type":"Feature","properties":{"ref":"A"},"geometry":{"type":"Point","coordinates":[2,48]}}'
    path = written(tmp_path, f'{{"features":[{feature},{{"type"', "torn.geojson")

    with pytest.raises(CommandError, match="is not valid JSON after 1 features"):
        run("import_stores", path)


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (b"", {}, "is empty"),
        (b"name,lat,lon\n", {}, "needs a ref"),
        ("ref,lat,lon,prénom\n".encode("cp1252"), {}, "--encoding"),
        (b"ref,lat,lon\n", {"time_zone": "Nowhere"}, "--time-zone"),
        (b"ref,lat,lon\n", {"radius_m": 0.0}, "--radius-m"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_clear_error(
    tmp_path: Path, text: bytes, options: dict[str, object], said: str
) -> None:
    with pytest.raises(CommandError, match=said) as caught:
        run("import_stores", written(tmp_path, text), **options)
    assert caught.value.returncode == 1
    assert Store.objects.count() == 0


def test_lines_in_another_encoding_are_refused_and_the_rest_is_taken(tmp_path: Path) -> None:
    text = "ref,name,lat,lon\nA,Alpha,48,2\nB,Bêta,48,2\nC,Gamma,48,2\n"
    path = written(tmp_path, text.encode("cp1252"))

    with pytest.raises(CommandError, match="1 lines are not text in utf-8"):
        run("import_stores", path)

    assert list(Store.objects.order_by("ref").values_list("ref", flat=True)) == ["A", "C"]
    assert summary(run("import_stores", path, encoding="cp1252").out).startswith(
        "3 stores read: 1 new, 0 changed, 2"
    )
