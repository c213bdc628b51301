"""Which live offers stand before each trigger, and what the customer's history says of them.

Three queries for a batch of any size, and a fourth where an offer asks for a distance.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from customers.rules.affinity import share
from customers.rules.zones import UnknownTimeZone
from offers.cursors import bigints, floats, hot_cursor, ints, texts
from offers.flow import Candidate, OfferTerms, Place, Trigger
from offers.rules.geofence import haversine_m
from offers.rules.opening_hours import BadOpeningHours, is_open
from offers.stages.candidates import sql

Spot = tuple[int, int | None, str]  # store, aisle, transition
Pair = tuple[int, Trigger, Place, int, int | None]  # index of the trigger, trigger, place, offer, within_m
Row = tuple[Any, ...]


class _Store(NamedTuple):
    hours: str
    time_zone: str
    lat: float
    lon: float


class _Past(NamedTuple):
    """What a customer's history says of an offer."""

    exact: float  # share of the target
    wide: float  # of its brand
    last_bought_at: datetime | None
    issued_before: int
    first_bought_at: datetime | None
    times_bought: int


def find(triggers: Sequence[Trigger], *, now: datetime) -> tuple[list[Candidate], dict[int, OfferTerms]]:
    """Return the candidates of a batch, by trigger and offer id, and the terms of their offers by offer id.

    An offer is a candidate where it is live and valid at `now`, holds at the trigger's store, and waits for this
    transition at this kind of place; at an aisle, also where the categories of its target meet the aisle's (either
    side unknown: it may fire). With `within_m`, a store's trigger whose event carries a position must lie that near
    to the store; without a position nothing is refused, because the visit itself has been established, and at an
    aisle a beacon knows better than a position.
    Triggers with a refusal, without a place, or on an exit have none.
    """
    asking = [
        (index, trigger, trigger.place)
        for index, trigger in enumerate(triggers)
        if trigger.refusal is None and trigger.place is not None and trigger.transition in ("enter", "dwell")
    ]
    spots = sorted({_spot(trigger=trigger, place=place) for _, trigger, place in asking}, key=str)
    here, stores = _offers_at(spots, now=now)
    pairs = [
        (index, trigger, place, offer_id, within_m)
        for index, trigger, place in asking
        for offer_id, within_m in here[_spot(trigger=trigger, place=place)]
    ]
    too_far = _too_far(pairs)
    pairs = [pair for pair in pairs if (pair[0], pair[3]) not in too_far]
    if not pairs:
        return [], {}
    history = _histories({(trigger.customer_id, offer_id) for _, trigger, _, offer_id, _ in pairs}, now=now)
    terms, left = _terms({offer_id for _, _, _, offer_id, _ in pairs})
    is_open_now = {
        store_id: _is_open(store.hours, store.time_zone, now=now) for store_id, store in stores.items()
    }
    distances = {
        index: _distance_km(trigger, place, stores[place.store_id]) for index, trigger, place, _, _ in pairs
    }
    candidates = []
    for index, trigger, place, offer_id, _ in pairs:
        past = history[trigger.customer_id, offer_id]
        units_left, budget_left_minor = left[offer_id]
        candidates.append(
            Candidate(
                trigger=index,
                offer_id=offer_id,
                affinity_share=max(past.exact, past.wide),
                exact_share=past.exact,
                last_bought_at=past.last_bought_at,
                first_bought_at=past.first_bought_at,
                times_bought=past.times_bought,
                distance_km=distances[index],
                issued_before=past.issued_before,
                units_left=units_left,
                budget_left_minor=budget_left_minor,
                store_is_open=is_open_now[place.store_id],
            )
        )
    return candidates, terms


def _spot(*, trigger: Trigger, place: Place) -> Spot:
    return place.store_id, place.aisle_id, trigger.transition or ""


def _offers_at(
    spots: Sequence[Spot], *, now: datetime
) -> tuple[dict[Spot, list[tuple[int, int | None]]], dict[int, _Store]]:
    """Return (offer id, within_m) per spot, and what is needed of each store, by id."""
    here: dict[Spot, list[tuple[int, int | None]]] = defaultdict(list)
    stores: dict[int, _Store] = {}
    if not spots:
        return here, stores
    rows = _rows(
        sql.OFFERS_AT,
        {
            "spots": ints(range(len(spots))),
            "stores": bigints([store for store, _, _ in spots]),
            "aisles": bigints([aisle for _, aisle, _ in spots]),
            "transitions": texts([transition for _, _, transition in spots]),
            "now": now,
        },
    )
    for index, offer_id, within_m, *store in rows:
        here[spots[index]].append((offer_id, within_m))
        stores[spots[index][0]] = _Store(*store)
    return here, stores


def _distance_km(trigger: Trigger, place: Place, store: _Store) -> float:
    """Return how far the event was from its store, to a hundred metres: a distance is kept longer than a position.

    At an aisle, and without a position, nobody is far.
    """
    position = trigger.position
    if position is None or place.kind == "aisle":
        return 0.0
    metres = haversine_m(lat1=position.lat, lon1=position.lon, lat2=store.lat, lon2=store.lon)
    return round(metres / 1000, 1)


def _too_far(pairs: Iterable[Pair]) -> set[tuple[int, int]]:
    """Return the (trigger index, offer id) whose event lies further from the store than the offer's within_m."""
    measured = [
        (index, offer_id, within_m, trigger.position.lat, trigger.position.lon, place.store_id)
        for index, trigger, place, offer_id, within_m in pairs
        if within_m is not None and trigger.position is not None and place.kind == "store"
    ]
    if not measured:
        return set()
    names = ("triggers", "offers", "limits", "lats", "lons", "stores")
    kinds = (ints, bigints, ints, floats, floats, bigints)
    columns = [kind(column) for kind, column in zip(kinds, zip(*measured, strict=True), strict=True)]
    rows = _rows(sql.TOO_FAR, dict(zip(names, columns, strict=True)))
    return {(index, offer_id) for index, offer_id in rows}


def _histories(pairs: Collection[tuple[int, int]], *, now: datetime) -> dict[tuple[int, int], _Past]:
    """Return what the customer's history says, per customer and offer."""
    ordered = sorted(pairs)
    rows = _rows(
        sql.HISTORIES,
        {
            "customers": bigints([customer_id for customer_id, _ in ordered]),
            "offers": bigints([offer_id for _, offer_id in ordered]),
            "each_customer": bigints(sorted({customer_id for customer_id, _ in ordered})),
            "each_offer": bigints(sorted({offer_id for _, offer_id in ordered})),
            "now": now,
        },
    )
    return {
        (customer_id, offer_id): _Past(share(exact, whole), share(wide, whole), *rest)
        for customer_id, offer_id, exact, wide, whole, *rest in rows
    }


def _terms(
    offer_ids: Collection[int],
) -> tuple[dict[int, OfferTerms], dict[int, tuple[int | None, int | None]]]:
    """Return the terms per offer, and the units and the budget that are left of each (None: no limit)."""
    terms: dict[int, OfferTerms] = {}
    left: dict[int, tuple[int | None, int | None]] = {}
    with hot_cursor() as cursor:
        cursor.execute(sql.TERMS, {"offers": bigints(sorted(offer_ids))})
        columns = [column.name for column in cursor.description or ()]
        rows = cursor.fetchall()
    for row in rows:
        values = dict(zip(columns, row, strict=True))
        left[values["offer_id"]] = (values.pop("units_left"), values.pop("budget_left_minor"))
        terms[values["offer_id"]] = _offer_terms(values)
    return terms, left


def _offer_terms(values: Mapping[str, Any]) -> OfferTerms:
    sets = {
        name: frozenset(values[name] or ()) for name in ("segments", "topics", "brand_keys", "category_refs")
    }
    texts = {name: json.loads(values[name] or "{}") for name in ("title", "body", "legal")}
    return OfferTerms(**{**values, **sets, **texts, "target_gtins": tuple(values["target_gtins"])})


def _is_open(hours: str, time_zone: str, *, now: datetime) -> bool | None:
    """Return whether a store is open; None if its time zone is unknown.

    Hours that are not known mean open; hours that cannot be read mean closed.
    """
    try:
        state = is_open(hours, time_zone=time_zone, at=now)
    except UnknownTimeZone:
        return None
    except BadOpeningHours:
        return False
    return True if state is None else state


def _rows(statement: str, values: Mapping[str, Any]) -> list[Row]:
    with hot_cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
