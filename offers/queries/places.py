"""Stores and aisles as the back office and the app see them: what was removed is not there."""

from collections.abc import Collection

from django.db.models import Prefetch, QuerySet

from offers.models import Aisle, Beacon, Category, Store


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
