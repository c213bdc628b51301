"""Recorded walks past iBeacons: does the fold stand at the beacon that is nearest by the survey?

The recordings tell where the walker was, but not where the beacons hang. Each beacon's place is therefore surveyed
from some of the walks (where it was heard loudest), and other walks are judged by that survey.
"""

import csv
import gzip
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import mean, median
from typing import Any

from offers.evaluation.phones import instant
from offers.rules.visits import Kind, Observation, VisitParams, VisitState, advance

LOUDEST = 5  # sightings of a beacon that its place is taken from
SURE_DBM = -85.0  # the median of a beacon's loudest sightings; one heard weaker was never passed: no place
PARTS = 5  # of the walks: each part is judged by the survey of the others
WITHIN_M = (5.0, 10.0, 15.0, 20.0)

Point = tuple[float, float]
Floor = tuple[str, str]
Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    path_id: str
    floor: Floor
    way: tuple[tuple[float, Point], ...]  # (Unix seconds, metres on the floor), in time
    heard: tuple[
        tuple[float, Triple, int], ...
    ]  # (Unix seconds, beacon, dBm), in time and between way-points

    def at(self, seconds: float) -> Point:
        """Return where the walker was, on a straight line between two way-points."""
        index = min(max(bisect_right(self.way, (seconds, (math.inf, math.inf))), 1), len(self.way) - 1)
        (t0, (x0, y0)), (t1, (x1, y1)) = self.way[index - 1], self.way[index]
        share = (seconds - t0) / (t1 - t0) if t1 > t0 else 0.0
        return x0 + share * (x1 - x0), y0 + share * (y1 - y0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeaconScore:
    walks: int
    beacons: int  # with a surveyed place
    survey_error_m: float  # median distance of the loudest sightings from the place taken from them
    moments: int  # sightings at which the fold stood at one of several beacons of its floor
    nearest: int  # of these, at the very beacon that is nearest by the survey
    right: int  # at one not farther than the nearest by more than twice the survey's error
    within: Mapping[float, int]  # at one no farther from the walker than so many metres
    nearest_m: float  # mean distance of the walker to the nearest beacon: no choice does better
    chosen_m: float  # and to the one chosen

    def to_json(self) -> dict[str, Any]:
        share = {f"within_{metres:g}_m_share": count / self.moments for metres, count in self.within.items()}
        return {
            "walks": self.walks,
            "beacons": self.beacons,
            "survey_error_m": round(self.survey_error_m, 2),
            "moments": self.moments,
            "nearest_share": round(self.nearest / self.moments, 4),
            "right_share": round(self.right / self.moments, 4),
            **{name: round(value, 4) for name, value in share.items()},
            "mean_to_nearest_m": round(self.nearest_m, 2),
            "mean_to_chosen_m": round(self.chosen_m, 2),
        }


def read_walks(*, sightings: Path, waypoints: Path) -> list[Walk]:
    """Return the walks with two way-points or more, by id; only beacons with one MAC address are in them."""
    ways: defaultdict[str, list[tuple[float, Point]]] = defaultdict(list)
    for row in _rows(waypoints):
        ways[row["path_id"]].append((int(row["ts_ms"]) / 1000, (float(row["x_m"]), float(row["y_m"]))))
    rows = _rows(sightings)
    macs: defaultdict[Triple, set[str]] = defaultdict(set)
    by_path: defaultdict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in rows:
        macs[_triple(row)].add(row["mac"])
        by_path[row["path_id"]].append(row)
    walks = []
    for path_id, found in sorted(by_path.items()):
        way = tuple(sorted(ways[path_id]))
        if len(way) < 2:
            continue
        heard = sorted(
            (int(row["ts_ms"]) / 1000, _triple(row), int(row["rssi"]))
            for row in found
            if len(macs[_triple(row)]) == 1 and way[0][0] <= int(row["ts_ms"]) / 1000 <= way[-1][0]
        )
        floor = (found[0]["site"], found[0]["floor"])
        walks.append(Walk(path_id=path_id, floor=floor, way=way, heard=tuple(heard)))
    return walks


def judge_walks(walks: Sequence[Walk], *, params: VisitParams | None = None) -> BeaconScore:
    """Survey the beacons and judge the fold's choices, no walk by its own survey. Raises ValueError without any."""
    chosen: list[tuple[float, float]] = []  # metres to the chosen and to the nearest beacon
    errors: list[float] = []
    beacons: set[tuple[Floor, Triple]] = set()
    for part in range(PARTS):
        places, off = _survey([walk for number, walk in enumerate(walks) if number % PARTS != part])
        errors += off
        beacons.update(places)
        for walk in walks[part::PARTS]:
            known = {triple: place for (floor, triple), place in places.items() if floor == walk.floor}
            if len(known) < 2:  # where there is no choice, there is nothing to be right about
                continue
            chosen += _choices(walk, places=known, params=params or VisitParams())
    if not chosen:
        raise ValueError("no sighting to judge by")
    error_m = median(errors)
    return BeaconScore(
        walks=len(walks),
        beacons=len(beacons),
        survey_error_m=error_m,
        moments=len(chosen),
        nearest=sum(ours == best for ours, best in chosen),
        right=sum(ours <= best + 2 * error_m for ours, best in chosen),
        within={metres: sum(ours <= metres for ours, _ in chosen) for metres in WITHIN_M},
        nearest_m=mean(best for _, best in chosen),
        chosen_m=mean(ours for ours, _ in chosen),
    )


def _survey(walks: Sequence[Walk]) -> tuple[dict[tuple[Floor, Triple], Point], list[float]]:
    heard: defaultdict[tuple[Floor, Triple], list[tuple[int, Point]]] = defaultdict(list)
    for walk in walks:
        for at, triple, rssi in walk.heard:
            heard[walk.floor, triple].append((rssi, walk.at(at)))
    """Return the places of the beacons that were passed, and how far each loudest sighting lies from its beacon's."""
    places, errors = {}, []
    for key, found in heard.items():
        strongest = sorted(found, reverse=True)[:LOUDEST]
        if len(strongest) < LOUDEST or median(rssi for rssi, _ in strongest) < SURE_DBM:
            continue
        loudest = [point for _, point in strongest]
        place = (mean(x for x, _ in loudest), mean(y for _, y in loudest))
        places[key] = place
        errors += [math.dist(place, point) for point in loudest]
    return places, errors


def _choices(walk: Walk, *, places: Mapping[Triple, Point], params: VisitParams) -> list[tuple[float, float]]:
    state = VisitState(store="/".join(walk.floor))
    names = {"/".join(triple): place for triple, place in places.items()}
    found = []
    for number, (at, triple, rssi) in enumerate(walk.heard):
        if triple not in places:
            continue
        seen = Observation(
            occurred_at=instant(str(at)),
            event_id=f"{number:08}",
            kind=Kind.SIGHTING,
            aisle="/".join(triple),
            rssi_dbm=rssi,
        )
        state, _ = advance(state, [seen], until=seen.occurred_at - timedelta(microseconds=1), params=params)
        if state.aisle_visit is not None:
            here = walk.at(at)
            ours = math.dist(here, names[str(state.aisle_visit.place.aisle)])
            found.append((ours, min(math.dist(here, place) for place in names.values())))
    return found


def _triple(row: Mapping[str, str]) -> Triple:
    return row["uuid"], row["major"], row["minor"]


def _rows(path: Path) -> list[Mapping[str, str]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return list(csv.DictReader(text.splitlines()))
