"""Stores and aisles as the back office and the app see them: what was removed is not there."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.gis.db.models.functions import Distance
from django.contrib.gis.geos import Point
from django.db.models import Prefetch, QuerySet

from offers.models import Aisle, Beacon, Category, Store
from offers.rules import opening_hours


def list_stores(*, only_stores: Collection[str] = ()) -> QuerySet[Store]:
    """Return the stores that are present; `only_stores` (refs) empty: all of them."""
    stores = Store.objects.present()
    return (stores.filter(ref__in=only_stores) if only_stores else stores).order_by("id")


def get_store(*, ref: str, only_stores: Collection[str] = ()) -> Store | None:
    return list_stores(only_stores=only_stores).filter(ref=ref).first()


def list_aisles(*, store: Store) -> QuerySet[Aisle]:
    """Return the store's aisles with their categories and beacons, in three queries."""
    return (
        Aisle.objects.filter(store=store, removed_at__isnull=True)
        .prefetch_related(
            Prefetch("categories", queryset=Category.objects.order_by("ref")),
            Prefetch("beacons", queryset=Beacon.objects.order_by("uuid", "major", "minor")),
        )
        .order_by("id")
    )


def get_aisle(*, store: Store, ref: str) -> Aisle | None:
    return list_aisles(store=store).filter(ref=ref).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreNearby:
    store: Store
    distance_m: float
    is_open: bool | None  # None: not known


def list_stores_nearby(*, lat: float, lon: float, q: str, limit: int, now: datetime) -> list[StoreNearby]:
    """Return the nearest stores by the distance to their position; `q` must stand in the name, case aside."""
    here = Point(lon, lat, srid=4326)
    stores = Store.objects.present().annotate(distance=Distance("location", here))
    if q:
        stores = stores.filter(name__icontains=q)
    return [
        StoreNearby(
            store=store,
            distance_m=store.distance.m,  # type: ignore[attr-defined]  # the annotation
            is_open=opening_hours.is_open(store.opening_hours, time_zone=store.time_zone, at=now),
        )
        for store in stores.order_by("distance", "id")[:limit]
    ]
