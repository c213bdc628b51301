"""Putting and removing stores, aisles and their beacons."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from django.contrib.gis.geos import Point, Polygon
from django.db import IntegrityError, transaction
from django.db.models import Q

from offers.models import Aisle, Beacon, Category, Store
from offers.operations.outcomes import Refused, Written, Wrong, invalid

STORE_FIELDS = ["name", "location", "radius_m", "area", "time_zone", "opening_hours", "address"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreIn:
    """Exactly one of `radius_m` and `area` is given."""

    ref: str
    name: str
    location: Point  # degrees WGS 84, x = longitude
    radius_m: float | None
    area: Polygon | None
    time_zone: str  # IANA name
    opening_hours: str  # OpenStreetMap syntax; empty: always open
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BeaconIn:
    uuid: UUID
    major: int
    minor: int

    @property
    def triple(self) -> tuple[UUID, int, int]:
        return (self.uuid, self.major, self.minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class AisleIn:
    ref: str
    name: str
    categories: tuple[str, ...]  # refs
    area: Polygon | None
    beacons: tuple[BeaconIn, ...]
    dwell_s: int | None


def put_stores(*, stores: Sequence[StoreIn], now: datetime) -> list[Written[Store]]:
    """Write the stores by ref in two statements; one result per store, same order.

    A removed store comes back as new. Refs must be unique in `stores`.
    """
    refs = [store.ref for store in stores]
    with transaction.atomic():
        known = set(Store.objects.present().filter(ref__in=refs).values_list("ref", flat=True))
        rows = Store.objects.bulk_create(
            [
                Store(ref=store.ref, updated_at=now, **{name: getattr(store, name) for name in STORE_FIELDS})
                # sorted: two writers that share refs meet in one order
                for store in sorted(stores, key=attrgetter("ref"))
            ],
            update_conflicts=True,
            unique_fields=["ref"],
            update_fields=[*STORE_FIELDS, "removed_at", "updated_at"],
        )
    by_ref = {row.ref: row for row in rows}
    return [Written(row=by_ref[ref], is_new=ref not in known) for ref in refs]


def remove_store(*, ref: str, now: datetime) -> bool:
    """Take a store out of every plan and list, keeping what happened in it; False if there is none."""
    return Store.objects.present().filter(ref=ref).update(removed_at=now, updated_at=now) == 1


def put_aisles(*, store: Store, aisles: Sequence[AisleIn], now: datetime) -> list[Written[Aisle] | Refused]:
    """Write the aisles of one store by ref, each alone; beacons and categories are replaced as sets.

    Refuses unknown_category, and beacon_taken for a triple that belongs to another aisle.
    """
    return [_put_aisle(store=store, given=given, now=now) for given in aisles]


def remove_aisle(*, store: Store, ref: str, now: datetime) -> bool:
    """Hide an aisle and free its beacons; False if there is none."""
    with transaction.atomic():
        present = Aisle.objects.filter(store=store, ref=ref, removed_at__isnull=True)
        if not present.update(removed_at=now, updated_at=now):
            return False
        Beacon.objects.filter(aisle__store=store, aisle__ref=ref).delete()
    return True


def _put_aisle(*, store: Store, given: AisleIn, now: datetime) -> Written[Aisle] | Refused:
    categories = dict(Category.objects.filter(ref__in=given.categories).values_list("ref", "id"))
    unknown = [
        Wrong(field=f"categories.{i}", code="unknown_category", message="There is no such category.")
        for i, ref in enumerate(given.categories)
        if ref not in categories
    ]
    if unknown:
        return Refused(code="invalid", wrongs=tuple(unknown))
    try:
        with transaction.atomic():
            is_new = not Aisle.objects.filter(store=store, ref=given.ref, removed_at__isnull=True).exists()
            aisle, _ = Aisle.objects.update_or_create(
                store=store,
                ref=given.ref,
                defaults={
                    "name": given.name,
                    "area": given.area,
                    "dwell_s": given.dwell_s,
                    "removed_at": None,
                    "updated_at": now,
                },
            )
            aisle.categories.set(categories.values())
            _replace_beacons(aisle=aisle, beacons=given.beacons)
    except IntegrityError as error:
        if "beacon_triple_once" not in str(error):
            raise
        return _taken(beacons=given.beacons, store=store, ref=given.ref)
    return Written(row=aisle, is_new=is_new)


def _replace_beacons(*, aisle: Aisle, beacons: Collection[BeaconIn]) -> None:
    wanted = {beacon.triple for beacon in beacons}
    had = {
        (row.uuid, row.major, row.minor): row.pk for row in Beacon.objects.filter(aisle=aisle).order_by("id")
    }
    Beacon.objects.filter(pk__in=[pk for triple, pk in had.items() if triple not in wanted]).delete()
    # a removed store keeps its beacons for the day it comes back, unless they have moved on
    Beacon.objects.filter(_any_of(wanted), aisle__store__removed_at__isnull=False).exclude(
        aisle=aisle
    ).delete()
    # sorted: two writers that share triples meet in one order
    missing = sorted(wanted - had.keys())
    Beacon.objects.bulk_create(
        [Beacon(aisle=aisle, uuid=uuid, major=major, minor=minor) for uuid, major, minor in missing]
    )


def _taken(*, beacons: Sequence[BeaconIn], store: Store, ref: str) -> Refused:
    matching = _any_of({beacon.triple for beacon in beacons})
    elsewhere = Beacon.objects.filter(matching).exclude(aisle__store=store, aisle__ref=ref)
    triples = set(elsewhere.values_list("uuid", "major", "minor"))
    message = "This beacon belongs to another aisle."
    wrongs = [
        Wrong(field=f"beacons.{i}", code="beacon_taken", message=message)
        for i, beacon in enumerate(beacons)
        if beacon.triple in triples
    ]
    return (
        Refused(code="invalid", wrongs=tuple(wrongs))
        if wrongs
        else invalid(field="beacons", code="beacon_taken", message=message)
    )


def _any_of(triples: Collection[tuple[UUID, int, int]]) -> Q:
    matching = Q(pk__in=[])
    for uuid, major, minor in triples:
        matching |= Q(uuid=uuid, major=major, minor=minor)
    return matching
