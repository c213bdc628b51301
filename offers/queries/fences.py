"""The fences one phone should watch: where its customer could get an offer, nearest by edge; docs/algorithms/fence-plan.md."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import connection

from customers.rules.affinity import brand_key, share
from offers.queries import fences_sql as sql
from offers.queries.fences_near import nearest_rows
from offers.rules import eligibility
from offers.rules.channels import no_channel
from offers.rules.eligibility import Audience, Standing
from offers.rules.fence_plan import (
    MAX_RING_M,
    Circle,
    PlanFence,
    choose_fences,
    covering_circle,
    is_enough,
)

SEARCHES = (200, 2_000)  # fences of each kind that are looked at, and at most again
PER_SLOT = 6  # of each kind, for plans of many slots
SPHERE_SHARE = 0.007  # by which a distance on the index's sphere may be too long
SLACK_M = 100.0  # by which a polygon's sides may run off its great circles
NEEDED = ("geolocation",)  # without it, or without a channel, nothing is ever sent: there is nothing to watch

Row = tuple[Any, ...]
Fence = tuple[Literal["store", "aisle"], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A fence as the phone is told of it: a polygon as the circle around it."""

    kind: Literal["store", "aisle"]
    row_id: int
    circle: Circle
    dwell_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedBeacon:
    uuid: UUID
    major: int
    minor: int
    aisle_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FencePlan:
    fences: tuple[Watched, ...]  # nearest by edge first
    beacons: tuple[WatchedBeacon, ...]  # of the listed fences' aisles, in the order of the fences
    ring_m: float  # around the position that was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class _Customer:
    customer_id: int
    may_read_history: bool
    segments: frozenset[str]
    topics: frozenset[str]
    muted_brands: frozenset[str]
    muted_categories: frozenset[str]
    weight: float  # of all they bought


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aisle:
    row_id: int
    store_id: int
    beacons: tuple[WatchedBeacon, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """What was found up to horizon_m; further out there may be more."""

    fences: list[PlanFence]
    circles: Mapping[Fence, tuple[Circle, int | None]]  # with the aisle's own dwell
    aisles: Mapping[int, list[_Aisle]]  # with an offer, by store
    horizon_m: float


def plan_fences(
    *, customer_id: int, lat: float, lon: float, limit: int, now: datetime, params: Mapping[str, Any]
) -> FencePlan:
    """Return what the customer's phone is to watch from here, with `limit` regions, the ring included.

    A fence counts if an offer is live there that the customer could get: whatever passes by itself (quiet hours, caps,
    pauses, opening hours, a coupon still held) does not count against it, and a hold-out is told the same as others.
    Where few of the nearest count, ten times as many are looked at, and the ring ends where the search did: fences
    beyond are not listed. Five or eight queries and their savepoints, whatever the number of fences; the position goes nowhere else.
    """
    customer = _customer(customer_id, now=now)
    if customer is None:
        return FencePlan(fences=(), beacons=(), ring_m=MAX_RING_M)
    (widest_m,) = _rows(sql.WIDEST, {})[0]
    first, last = SEARCHES
    for most in (max(first, PER_SLOT * limit), last):
        rows = nearest_rows(lat=lat, lon=lon, most=most)
        horizon_m = _horizon_m(rows, most=most, widest_m=widest_m)
        search = _search(rows, horizon_m=horizon_m, customer=customer, now=now)
        if is_enough(search.fences, limit=limit, horizon_m=horizon_m):
            break
    return _plan(search, limit=limit, params=params)


def _customer(customer_id: int, *, now: datetime) -> _Customer | None:
    """Return what decides for longer than a moment; None for one to whom nothing may be sent."""
    rows = _rows(sql.CUSTOMER, {"customer": customer_id})
    if not rows:
        return None
    granted, channels, time_zone, birth_year, segments, topics, brands, categories, weight = rows[0]
    refusals = (
        eligibility.consent(granted=granted, purposes=NEEDED),
        no_channel(channels=channels, granted=granted),
        eligibility.time_zone_known(time_zone),
        eligibility.age(birth_year=birth_year, now=now),
    )
    if any(refusals):
        return None
    return _Customer(
        customer_id=customer_id,
        may_read_history="profiling" in granted,
        segments=frozenset(segments),
        topics=frozenset(topics),
        muted_brands=frozenset(filter(None, map(brand_key, brands))),
        muted_categories=frozenset(categories),
        weight=weight,
    )


def _horizon_m(rows: Iterable[Row], *, most: int, widest_m: float) -> float:
    """Return how near the edge of a fence may be that a search for the nearest of each kind has not seen."""
    seen: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        seen[row[0]].append(row[-1])
    slack = {"circle": widest_m, "polygon": SLACK_M, "aisle": SLACK_M}
    cut = [max(far) * (1.0 - SPHERE_SHARE) - slack[kind] for kind, far in seen.items() if len(far) >= most]
    return min(cut, default=math.inf)


def _search(rows: Sequence[Row], *, horizon_m: float, customer: _Customer, now: datetime) -> _Search:
    store_ids = sorted({row[2] for row in rows})
    offers = [
        row
        for row in _rows(
            sql.OFFERS,
            {
                "stores": store_ids,
                "customer": customer.customer_id,
                "now": now,
                "has_muted": bool(customer.muted_brands or customer.muted_categories),
            },
        )
        if _could_get(row, customer=customer, now=now)
    ]
    for_aisles = [(offer_id, stores) for offer_id, stores, is_aisle, *_ in offers if is_aisle]
    for_stores = [stores for _, stores, is_aisle, *_ in offers if not is_aisle]
    everywhere = any(stores is None for stores in for_stores)
    with_offer = {store_id for stores in for_stores for store_id in stores or ()}
    aisles = _aisles(for_aisles, store_ids=store_ids)
    fences, circles = [], {}
    for kind, aisle_id, store_id, lat, lon, radius_m, dwell_s, area, edge_m, _ in rows:
        found = _fence(
            aisle_id,
            store_id,
            edge_m=edge_m,
            aisles=aisles.get(store_id, ()),
            has_offer=everywhere or store_id in with_offer,
        )
        if found is not None:
            fences.append(found)
            circle = (
                Circle(lat=lat, lon=lon, radius_m=radius_m)
                if kind == "circle"
                else covering_circle(bytes(area))
            )
            circles[found.kind, found.row_id] = circle, dwell_s
    return _Search(fences=fences, circles=circles, aisles=aisles, horizon_m=horizon_m)


def _fence(
    aisle_id: int | None, store_id: int, *, edge_m: float, aisles: Sequence[_Aisle], has_offer: bool
) -> PlanFence | None:
    """Return the fence if an offer stands there; a store's also if one stands in its aisles, whose beacons come along."""
    if aisle_id is not None:
        if not any(aisle.row_id == aisle_id for aisle in aisles):
            return None
        return PlanFence(kind="aisle", row_id=aisle_id, store_id=store_id, edge_m=edge_m)
    uuids = frozenset(beacon.uuid for aisle in aisles for beacon in aisle.beacons)
    if not has_offer and not aisles:
        return None
    return PlanFence(kind="store", row_id=store_id, store_id=store_id, edge_m=edge_m, uuids=uuids)


def _could_get(row: Row, *, customer: _Customer, now: datetime) -> bool:
    """Return whether nothing lasting stands between the customer and the offer, by the decision's own rules."""
    (
        *_,
        least,
        within_days,
        never,
        segments,
        topics,
        exact,
        wide,
        last_bought_at,
        units_left,
        budget_left_minor,
        limit,
        times,
        brands,
        categories,
    ) = row
    audience = Audience(
        min_affinity_share=least,
        bought_within_days=within_days,
        never_bought=never,
        segments=frozenset(segments),
        topics=frozenset(topics),
    )
    if audience.reads_history and not customer.may_read_history:
        return False
    known = customer.may_read_history
    standing = Standing(
        affinity_share=max(share(exact, customer.weight), share(wide, customer.weight)) if known else 0.0,
        last_bought_at=last_bought_at if known else None,
        segments=customer.segments,
        topics=customer.topics,
    )
    refusals = (
        eligibility.muted(
            muted_brands=customer.muted_brands,
            muted_categories=customer.muted_categories,
            brands=brands,
            categories=categories,
        ),
        eligibility.relevance(audience=audience, standing=standing, now=now),
        eligibility.customer_limit(issued_before=times, per_customer=limit),
        eligibility.capacity(units_left=units_left, budget_left_minor=budget_left_minor),
    )
    return not any(refusals)


def _aisles(
    offers: Sequence[tuple[int, Sequence[int] | None]], *, store_ids: Sequence[int]
) -> dict[int, list[_Aisle]]:
    """Return the aisles of these stores where one of these offers may fire, by store."""
    there = [(store_id, offer_id) for offer_id, stores in offers for store_id in stores or ()]
    everywhere = [offer_id for offer_id, stores in offers if stores is None]
    rows = _rows(
        sql.AISLES,
        {
            "everywhere": everywhere,
            "at_stores": [store_id for store_id, _ in there],
            "offers": [offer_id for _, offer_id in there],
            "stores": list(store_ids) if everywhere else sorted({store_id for store_id, _ in there}),
        },
    )
    found: defaultdict[int, list[_Aisle]] = defaultdict(list)
    for aisle_id, store_id, ref, triples in rows:
        beacons = tuple(
            WatchedBeacon(uuid=UUID(uuid), major=major, minor=minor, aisle_ref=ref)
            for uuid, major, minor in map(_parsed, triples)
        )
        found[store_id].append(_Aisle(row_id=aisle_id, store_id=store_id, beacons=beacons))
    return found


def _parsed(triple: Any) -> Any:
    return json.loads(triple) if isinstance(triple, str) else triple


def _plan(search: _Search, *, limit: int, params: Mapping[str, Any]) -> FencePlan:
    chosen = choose_fences(search.fences, limit=limit, horizon_m=search.horizon_m)
    house = {"store": params["store_dwell_s"], "aisle": params["aisle_dwell_s"]}
    fences, beacons = [], []
    for fence in chosen.fences:
        circle, own_dwell_s = search.circles[fence.kind, fence.row_id]
        dwell_s = house[fence.kind] if own_dwell_s is None else own_dwell_s
        fences.append(Watched(kind=fence.kind, row_id=fence.row_id, circle=circle, dwell_s=dwell_s))
        if fence.kind == "store":
            for aisle in search.aisles.get(fence.row_id, ()):
                beacons += [beacon for beacon in aisle.beacons if beacon.uuid in chosen.uuids]
    return FencePlan(fences=tuple(fences), beacons=tuple(beacons), ring_m=chosen.ring_m)


def _rows(statement: str, values: Mapping[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
