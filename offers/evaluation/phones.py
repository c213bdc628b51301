"""Recorded phones with their fences and the geodesic truth, as files and as values."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from offers.rules.geofence import probability_inside_circle
from offers.rules.plausibility import Fix

JOIN_GAP = timedelta(minutes=10)
SURE_P = 0.8  # of one fix at least, or nobody could tell that the phone was there


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One fix as the phone recorded it."""

    device: str
    fix: Fix
    written_at: datetime  # when the phone wrote it down: the earliest that a server could hear of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    ref: str
    lat: float
    lon: float
    radius_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueVisit:
    """Fixes inside a fence by the geodesic, no two neighbours more than ten minutes apart: [first_at, last_at]."""

    device: str
    store: str
    first_at: datetime
    last_at: datetime


def read_fixes(path: Path) -> list[Recorded]:
    """Return the fixes of a CSV file (.gz or not), in its order."""
    return [
        Recorded(
            device=row["device"],
            fix=Fix(
                at=instant(row["ts"]),
                lat=float(row["lat"]),
                lon=float(row["lon"]),
                accuracy_m=float(row["accuracy_m"]),
            ),
            written_at=instant(row["write_ts"]),
        )
        for row in _rows(path)
    ]


def read_fences(path: Path) -> list[Fence]:
    return [
        Fence(
            ref=row["store"],
            lat=float(row["lat"]),
            lon=float(row["lon"]),
            radius_m=float(row["radius_m"]),
        )
        for row in _rows(path)
    ]


def read_truth(path: Path, *, fixes: Sequence[Recorded], fences: Sequence[Fence]) -> list[TrueVisit]:
    """Return the visits that the geodesic distances tell of: inside fixes joined, one of them sure."""
    accuracy = {(each.device, each.fix.at): each.fix.accuracy_m for each in fixes}
    radius = {fence.ref: fence.radius_m for fence in fences}
    inside: defaultdict[tuple[str, str], dict[datetime, float]] = defaultdict(dict)
    for row in _rows(path):
        at = instant(row["ts"])
        if row["inside_100m"] == "1" and (row["device"], at) in accuracy:
            p = probability_inside_circle(
                distance_m=float(row["geodesic_m"]),
                radius_m=radius[row["store"]],
                accuracy_m=accuracy[row["device"], at],
            )
            inside[row["device"], row["store"]][at] = p
    return [
        TrueVisit(device=device, store=store, first_at=stay[0], last_at=stay[-1])
        for (device, store), found in sorted(inside.items())
        for stay in _joined(sorted(found))
        if max(found[at] for at in stay) >= SURE_P
    ]


def instant(seconds: str) -> datetime:
    """Return the instant of Unix seconds in text."""
    return datetime.fromtimestamp(float(seconds), tz=UTC)


def _joined(instants: Sequence[datetime]) -> Iterator[list[datetime]]:
    stay: list[datetime] = []
    for at in instants:
        if stay and at - stay[-1] > JOIN_GAP:
            yield stay
            stay = []
        stay.append(at)
    if stay:
        yield stay


def _rows(path: Path) -> list[Mapping[str, str]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return list(csv.DictReader(text.splitlines()))
