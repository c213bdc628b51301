"""Small cuts for the tests: phone fixes with fences and truth, beacon walks, geometry with known answers."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from offers.demo.cut.io import Row, read_csv, write_bytes, write_csv

FIX_STRETCHES: tuple[tuple[str, int, int], ...] = (  # device, first row of the device, rows
    ("d50b5b3", 0, 250),  # most of a day at one shop, the same position again and again
    ("d37cd9d", 0, 250),  # an iPhone passing several shops
    ("d7b3489", 0, 150),  # up to an hour between a fix and its writing
    ("d4e7705", 0, 60),  # two of an iPhone's fixes come late
)
ODD_CLOCK_ROWS = 200  # of the device whose fixes bear an instant after the one at which they were written
BEACON_WALKS = 6
FLOOR = "B1"


def cut_phone_fixes(*, source: Path, target: Path) -> None:
    """Write fixes.csv.gz, fences.csv and truth.csv.gz: rows as recorded, fences within 200 m of a kept fix."""
    folder = source / "phone_emission_moved_to_paris"
    fixes = read_csv(folder / "fixes.csv.gz")
    kept: list[Row] = []
    for device, first, count in FIX_STRETCHES:
        kept += [fix for fix in fixes if fix["device"] == device][first : first + count]
    kept += _near_odd_clocks(fixes)
    moments = {(fix["device"], fix["ts"]) for fix in kept}
    truth = [
        row for row in read_csv(folder / "truth_within_200m.csv.gz") if (row["device"], row["ts"]) in moments
    ]
    stores = {row["store"] for row in truth}
    fences = [row for row in read_csv(folder / "fences.csv") if row["store"] in stores]
    _write(target / "fixes.csv.gz", kept)
    _write(target / "fences.csv", fences)
    _write(target / "truth.csv.gz", truth)


def _near_odd_clocks(fixes: Sequence[Row]) -> list[Row]:
    odd = [number for number, fix in enumerate(fixes) if float(fix["write_ts"]) < float(fix["ts"])]
    first = odd[len(odd) // 2] - 20
    return list(fixes[first : first + ODD_CLOCK_ROWS])


def cut_beacon_walks(*, source: Path, target: Path) -> None:
    """Write sightings.csv.gz and waypoints.csv: the walks of one floor with the most different beacons."""
    folder = source / "indoor_mall_ibeacon"
    sightings = [row for row in read_csv(folder / "beacons.csv.gz") if row["floor"] == FLOOR]
    beacons: dict[str, set[tuple[str, str, str]]] = {}
    for row in sightings:
        beacons.setdefault(row["path_id"], set()).add((row["uuid"], row["major"], row["minor"]))
    walks = sorted(beacons, key=lambda path: (-len(beacons[path]), path))[:BEACON_WALKS]
    _write(target / "sightings.csv.gz", [row for row in sightings if row["path_id"] in walks])
    waypoints = [row for row in read_csv(folder / "waypoints.csv.gz") if row["path_id"] in walks]
    _write(target / "waypoints.csv", waypoints)


def cut_geometry(*, source: Path, target: Path) -> None:
    """Write predicates.jsonl (a against b, the expected answer) and geodesics.csv (WGS 84)."""
    folder = source / "geofence_vectors"
    lines = []
    for text in (folder / "predicates.jsonl").read_text().splitlines():
        case = json.loads(text)
        origin = case["source"].split(":")[0]
        kept = {"source": origin, **{key: case[key] for key in ("case", "op", "a", "b", "expected")}}
        lines.append(json.dumps(kept, ensure_ascii=False))
    write_bytes(target / "predicates.jsonl", ("\n".join(lines) + "\n").encode())
    columns = ("lat1", "lon1", "lat2", "lon2", "s12_m")
    geodesics = [{key: row[key] for key in columns} for row in read_csv(folder / "geodesic_wgs84.csv")]
    _write(target / "geodesics.csv", geodesics)


def _write(path: Path, rows: Sequence[Row]) -> None:
    columns: Iterable[str] = rows[0].keys()
    write_csv(path, tuple(columns), (tuple(row.values()) for row in rows))
