"""Stores and aisles through the back office's doors."""

from typing import Any

import pytest

from offers.models import Aisle, Beacon, Category, Store
from tests.integration.backoffice.office import CIRCLE, SQUARE, Office, codes, statuses

BEACON = {"uuid": "f7826da6-4fa2-4e98-8024-bc5b71e0893e", "major": 1, "minor": 7}


def test_a_store_is_created_then_updated_and_answers_with_the_whole_object(office: Office) -> None:
    status, made = office.put("stores/S1", CIRCLE)
    store = Store.objects.get()
    whole = {
        **CIRCLE,
        "ref": "S1",
        "radius_m": 120.0,
        "area": None,
        "opening_hours": "",
        "address": "",
        "geofence": f"GS{store.pk}",
    }
    assert (status, made) == (201, whole)
    hours = {**CIRCLE, "opening_hours": "Mo-Sa 08:30-20:30"}
    assert office.put("stores/S1", hours) == (200, {**whole, "opening_hours": "Mo-Sa 08:30-20:30"})
    assert office.get("stores/S1") == (200, {**whole, "opening_hours": "Mo-Sa 08:30-20:30"})
    assert Store.objects.count() == 1


def test_a_store_with_an_area_alone_stands_at_its_centre(office: Office) -> None:
    status, made = office.put("stores/S1", {"name": "Nation", "area": SQUARE, "time_zone": "Europe/Paris"})
    assert status == 201
    assert made["location"] == pytest.approx({"lat": 48.854, "lon": 2.370})
    assert made["area"] == SQUARE
    assert made["radius_m"] is None


def test_a_removed_store_is_gone_and_comes_back_as_new(office: Office) -> None:
    office.put("stores/S1", CIRCLE)
    assert office.delete("stores/S1") == (204, None)
    assert codes(office.get("stores/S1")) == (404, "not_found", [])
    assert codes(office.delete("stores/S1")) == (404, "not_found", [])
    assert office.get("stores")[1]["results"] == []
    assert office.put("stores/S1", CIRCLE)[0] == 201
    assert Store.objects.get().removed_at is None


def ring(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(point) for point in points]]}


AREA = {"name": "N", "time_zone": "Europe/Paris"}


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({**CIRCLE, "area": SQUARE}, [("radius_m", "one_fence")]),
        ({**CIRCLE, "radius_m": None}, [("radius_m", "one_fence")]),
        ({**AREA, "radius_m": 50}, [("location", "required")]),
        ({**CIRCLE, "colour": "red"}, [("colour", "unknown_field")]),
        ({**CIRCLE, "radius_m": True}, [("radius_m", "invalid")]),
        ({**CIRCLE, "radius_m": "120"}, [("radius_m", "invalid")]),
        ({**CIRCLE, "radius_m": 0}, [("radius_m", "min_value")]),
        ({**CIRCLE, "radius_m": 10_001}, [("radius_m", "max_value")]),
        ({**CIRCLE, "location": {"lat": 91, "lon": 2}}, [("location.lat", "max_value")]),
        ({**CIRCLE, "location": {"lat": 48, "lon": -180.5}}, [("location.lon", "min_value")]),
        ({**CIRCLE, "location": {"lat": 48}}, [("location.lon", "required")]),
        ({**CIRCLE, "time_zone": "Europe/Lutetia"}, [("time_zone", "unknown_time_zone")]),
        ({**CIRCLE, "opening_hours": "whenever"}, [("opening_hours", "invalid_opening_hours")]),
        ({**CIRCLE, "name": "a\0b"}, [("name", "null_characters_not_allowed")]),
        ({"name": "N"}, [("time_zone", "required")]),
        ({**AREA, "area": {"type": "Point", "coordinates": [2, 48]}}, [("area", "invalid_polygon")]),
        ({**AREA, "area": ring((2, 48), (2.1, 48), (2.1, 48.1))}, [("area", "invalid_polygon")]),
        ({**AREA, "area": ring((2, 48), (2.1, 48), (2.1, 48.1), (2, 48.1))}, [("area", "invalid_polygon")]),
        (  # a bow tie
            {**AREA, "area": ring((2, 48), (2.01, 48.01), (2.01, 48), (2, 48.01), (2, 48))},
            [("area", "invalid_polygon")],
        ),
        ({**AREA, "area": ring((200, 48), (201, 48), (201, 49), (200, 48))}, [("area", "invalid_polygon")]),
        ({**AREA, "area": ring((2, 48), (3, 48), (3, 49), (2, 48))}, [("area", "area_too_large")]),
        ({**AREA, "area": ring(*[(2, 48)] * 1001)}, [("area", "invalid_polygon")]),
        ([], [("", "invalid")]),
    ],
)
def test_a_bad_store_is_refused_by_field_and_nothing_is_written(
    office: Office, body: Any, errors: list[tuple[str, str]]
) -> None:
    assert codes(office.put("stores/S1", body)) == (400, "invalid", errors)
    assert not Store.objects.exists()


@pytest.mark.parametrize("body", [b"{", b'{"radius_m": NaN}', b"\xff", b'"\\ud800"', b"[" * 40 + b"]" * 40])
def test_a_body_that_is_not_json_is_malformed(office: Office, body: bytes) -> None:
    assert codes(office.put("stores/S1", body)) == (400, "malformed_json", [])


@pytest.mark.parametrize("ref", ["a%00b", "x" * 129, "%0A"])
def test_a_ref_that_cannot_be_a_key_is_refused_when_put_and_unknown_when_read(
    office: Office, ref: str
) -> None:
    assert codes(office.put(f"stores/{ref}", CIRCLE)) == (400, "invalid", [("ref", "invalid_ref")])
    assert codes(office.delete(f"stores/{ref}")) == (404, "not_found", [])


def test_stores_page_by_cursor(office: Office) -> None:
    for i in range(3):
        office.put(f"stores/S{i}", CIRCLE)
    _, first = office.get("stores?limit=2")
    assert [store["ref"] for store in first["results"]] == ["S0", "S1"]
    assert first["previous"] is None
    _, second = office.get(first["next"].partition("/v1/")[2])
    assert [store["ref"] for store in second["results"]] == ["S2"]
    assert second["next"] is None


def test_a_key_limited_to_stores_sees_and_touches_no_other(office: Office) -> None:
    office.put("stores/S1", CIRCLE)
    office.put("stores/S2", CIRCLE)
    limited = Office(stores=("S1",))
    assert limited.put("stores/S1", CIRCLE)[0] == 200
    assert [store["ref"] for store in limited.get("stores")[1]["results"]] == ["S1"]
    for answer in (
        limited.get("stores/S2"),
        limited.put("stores/S2", CIRCLE),
        limited.put("stores/S3", CIRCLE),
        limited.delete("stores/S2"),
        limited.get("stores/S2/aisles"),
        limited.put("stores/S2/aisles/fresh", {"name": "Fresh"}),
    ):
        assert codes(answer) == (404, "not_found", [])
    lines = [{"ref": "S1", **CIRCLE}, {"ref": "S2", **CIRCLE, "name": "taken over"}]
    assert statuses(limited.bulk("stores/bulk", lines)) == [
        (1, "updated", None),
        (2, "rejected", "not_found"),
    ]
    assert not Store.objects.filter(name="taken over").exists()


def test_bulk_takes_every_good_line_and_names_what_is_wrong_with_the_others(office: Office) -> None:
    lines = [
        {"ref": "S1", **CIRCLE},
        b"{ torn",
        b"",
        {"ref": "S2", **CIRCLE, "radius_m": -1},
        b"\xff\xfe",
        {**CIRCLE},
        {"ref": "S3", **CIRCLE},
        {"ref": "S1", **CIRCLE, "name": "again"},
        b'{"name": "' + b"x" * 200_000 + b'"}',
        {"ref": "S4", **CIRCLE},
    ]
    answer = office.bulk("stores/bulk", lines)
    assert statuses(answer) == [
        (1, "created", None),
        (2, "rejected", "malformed_json"),
        (4, "rejected", "invalid"),
        (5, "rejected", "malformed_json"),
        (6, "rejected", "invalid"),
        (7, "created", None),
        (8, "updated", None),
        (9, "rejected", "too_large"),
        (10, "created", None),
    ]
    assert answer[1][2] == {
        "line": 4,
        "ref": "S2",
        "status": "rejected",
        "error": "invalid",
        "errors": [
            {"field": "radius_m", "code": "min_value", "message": answer[1][2]["errors"][0]["message"]}
        ],
    }
    assert sorted(Store.objects.values_list("ref", "name")) == [
        ("S1", "again"),
        ("S3", CIRCLE["name"]),
        ("S4", CIRCLE["name"]),
    ]


def test_bulk_costs_the_same_queries_for_any_number_of_lines(office: Office, count_queries: Any) -> None:
    with count_queries() as few:
        office.bulk("stores/bulk", [{"ref": f"A{i}", **CIRCLE} for i in range(2)])
    with count_queries() as many:
        office.bulk("stores/bulk", [{"ref": f"B{i}", **CIRCLE} for i in range(100)])
    assert len(few) == len(many)


def test_bulk_wants_ndjson(office: Office) -> None:
    assert codes(office.post("stores/bulk", {})) == (415, "unsupported_media_type", [])


def test_an_aisle_keeps_its_categories_and_beacons_as_sets(office: Office) -> None:
    office.put("stores/S1", CIRCLE)
    Category.objects.create(ref="dairy", name="Dairy")
    body = {"name": "Fresh", "categories": ["dairy"], "beacons": [BEACON], "area": SQUARE, "dwell_s": 20}
    status, made = office.put("stores/S1/aisles/fresh", body)
    aisle = Aisle.objects.get()
    assert status == 201
    assert made == {**body, "ref": "fresh", "store": "S1", "geofence": f"GA{aisle.pk}"}
    other = {**BEACON, "minor": 8}
    status, changed = office.put("stores/S1/aisles/fresh", {"name": "Fresh", "beacons": [other]})
    assert status == 200
    assert (changed["categories"], changed["beacons"], changed["area"]) == ([], [other], None)
    assert office.get("stores/S1/aisles/fresh") == (200, changed)
    assert office.get("stores/S1/aisles")[1]["results"] == [changed]
    assert office.delete("stores/S1/aisles/fresh") == (204, None)
    assert codes(office.get("stores/S1/aisles/fresh")) == (404, "not_found", [])
    assert not Beacon.objects.exists()


def test_a_beacon_of_another_aisle_is_taken_and_nothing_changes(office: Office) -> None:
    office.put("stores/S1", CIRCLE)
    office.put("stores/S1/aisles/fresh", {"name": "Fresh", "beacons": [BEACON]})
    mine = {**BEACON, "minor": 9}
    answer = office.put("stores/S1/aisles/dry", {"name": "Dry", "beacons": [mine, BEACON]})
    assert codes(answer) == (400, "invalid", [("beacons.1", "beacon_taken")])
    assert list(Aisle.objects.values_list("ref", flat=True)) == ["fresh"]
    assert Beacon.objects.count() == 1


def test_an_aisle_of_unknown_categories_or_of_no_store_is_refused(office: Office) -> None:
    assert codes(office.put("stores/S1/aisles/fresh", {"name": "Fresh"})) == (404, "not_found", [])
    office.put("stores/S1", CIRCLE)
    answer = office.put("stores/S1/aisles/fresh", {"name": "Fresh", "categories": ["nothing"]})
    assert codes(answer) == (400, "invalid", [("categories.0", "unknown_category")])
    assert not Aisle.objects.exists()


def test_aisles_in_bulk_are_judged_alone(office: Office) -> None:
    office.put("stores/S1", CIRCLE)
    lines = [
        {"ref": "a", "name": "A", "beacons": [BEACON]},
        {"ref": "b", "name": "B", "beacons": [BEACON]},
        {"ref": "c", "name": "C"},
    ]
    answer = office.bulk("stores/S1/aisles/bulk", lines)
    assert statuses(answer) == [(1, "created", None), (2, "rejected", "invalid"), (3, "created", None)]
    assert answer[1][1]["errors"][0]["code"] == "beacon_taken"
    assert sorted(Aisle.objects.values_list("ref", flat=True)) == ["a", "c"]
