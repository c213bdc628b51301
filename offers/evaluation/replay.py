"""Recorded fixes taken through the service's own steps: clock, plausibility, P(inside), the fold of visits."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from offers.evaluation.phones import Fence, Recorded
from offers.rules.geofence import distance_m, probability_inside_circle
from offers.rules.plausibility import DEFAULT_LIMITS, Clock, Movement, clock_of
from offers.rules.visits import TransitionKind, VisitParams
from offers.stages.visits.folding import fold_on
from offers.stages.visits.heard import Heard, Judged, judge
from offers.stages.visits.memory import Memory
from offers.stages.visits.nearby import REACH, Nearby

MAX_ACCURACY_M = 100.0  # the house's default
CELL_DEG = 0.05  # larger than any reach that decides, at these latitudes


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A step of a visit as the service would have told it."""

    device: str
    store: str
    kind: TransitionKind
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    told: tuple[Told, ...]  # of each phone, in the order they happened
    refused: Counter[str]  # fixes that decide nothing, by reason


def replay(
    recorded: Sequence[Recorded], *, fences: Sequence[Fence], params: VisitParams | None = None
) -> Replay:
    """Return the steps of the visits that these fixes would have led to, as if each came to the server when it was written.

    The visits do not depend on the order of arrival, so each phone is folded once, in the order of its fixes.
    """
    refused: Counter[str] = Counter()
    told: list[Told] = []
    grid = _grid(fences)
    by_device: defaultdict[str, list[Heard]] = defaultdict(list)
    for row_id, each in enumerate(recorded):
        clock = clock_of(occurred_at=each.fix.at, now=each.written_at)
        if clock in (Clock.OK, Clock.LATE):
            by_device[each.device].append(_heard(row_id, each))
        else:
            refused[clock.value] += 1
    for device, heard in by_device.items():
        heard.sort(key=lambda one: one.order)
        judged = judge(heard, last_fix=None, limits=DEFAULT_LIMITS)
        refused.update(one.movement.value for one in judged if one.movement is Movement.IMPLAUSIBLE)
        refused["too vague"] += sum(_is_vague(one) for one in judged)
        folded = fold_on(
            Memory(),
            judged,
            nearby=_nearby(judged, fences=fences, grid=grid),
            now=heard[-1].at + timedelta(days=1),
            params=params or VisitParams(),
        )
        told += [
            Told(device=device, store=fences[int(step.place.store)].ref, kind=step.kind, at=step.at)
            for step in folded.steps
        ]
    return Replay(told=tuple(told), refused=refused)


Grid = Mapping[tuple[int, int], Sequence[int]]  # the numbers of the fences in each cell


def _grid(fences: Sequence[Fence]) -> Grid:
    cells: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for number, fence in enumerate(fences):
        cells[_cell(fence.lat, fence.lon)].append(number)
    return cells


def _cell(lat: float, lon: float) -> tuple[int, int]:
    return math.floor(lat / CELL_DEG), math.floor(lon / CELL_DEG)


def _around(grid: Grid, *, lat: float, lon: float) -> Iterator[int]:
    row, column = _cell(lat, lon)
    for i in (row - 1, row, row + 1):
        for j in (column - 1, column, column + 1):
            yield from grid.get((i, j), ())


def _nearby(judged: Sequence[Judged], *, fences: Sequence[Fence], grid: Grid) -> Nearby:
    """Return what the service's PostGIS query answers, for circles."""
    nearby = Nearby(max_accuracy_m=MAX_ACCURACY_M)
    nearby.radius_m.update({number: fence.radius_m for number, fence in enumerate(fences)})
    for one in judged:
        fix = one.heard.fix
        if fix is None or one.movement is Movement.IMPLAUSIBLE:
            continue
        for number in _around(grid, lat=fix.lat, lon=fix.lon):
            fence = fences[number]
            away_m = distance_m(lat1=fix.lat, lon1=fix.lon, lat2=fence.lat, lon2=fence.lon)
            if away_m <= fence.radius_m + REACH * fix.accuracy_m:
                nearby.stores[one.heard.row_id][number] = probability_inside_circle(
                    distance_m=away_m, radius_m=fence.radius_m, accuracy_m=fix.accuracy_m
                )
    return nearby


def _is_vague(one: Judged) -> bool:
    fix = one.heard.fix
    return fix is not None and one.movement is not Movement.IMPLAUSIBLE and fix.accuracy_m > MAX_ACCURACY_M


def _heard(row_id: int, each: Recorded) -> Heard:
    return Heard(
        row_id=row_id,
        event_id=str(UUID(int=row_id)),
        device_id=each.device,
        type="fix",
        at=each.fix.at,
        fix=each.fix,
        store_id=None,
        aisle_id=None,
        rssi_dbm=None,
        was="",
        is_new=True,
    )
