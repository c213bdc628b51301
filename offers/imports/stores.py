"""Writing imported stores: those without a position are geocoded, those that are the same are left alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter

import shapely
from django.contrib.gis.geos import Point, Polygon

from offers.geocoding import Geocoder, NotGeocoded
from offers.imports.run import Outcome
from offers.imports.store_rows import StoreGiven, centre_of
from offers.imports.values import Given, Refusal, refuse
from offers.models import Store
from offers.operations.places import STORE_FIELDS, StoreIn, put_stores


class StoreWriter:
    """Writes batches of stores; `geocoder` None: a store with an address alone is refused."""

    def __init__(self, *, geocoder: Geocoder | None, now: datetime) -> None:
        self._geocoder = geocoder
        self._now = now

    def prepared(self, entry: Given[StoreGiven] | Refusal) -> Given[StoreIn] | Refusal:
        """Return the store with its position, asked for over the network where the file has only an address.

        To be called outside of any transaction.
        """
        if isinstance(entry, Refusal):
            return entry
        place = entry.value.place
        if place is None:
            try:
                place = self._position(entry.value)
            except NotGeocoded as error:
                return refuse(line=entry.line, key=entry.key, code=error.code, message=error.message)
        value = _store_in(entry.value, place=place)
        return Given(line=entry.line, key=entry.key, value=value, notes=entry.notes)

    def write(self, batch: Sequence[Given[StoreIn]]) -> list[Outcome]:
        """Write the stores that are new or changed; one outcome each, same order."""
        had = _present([given.key for given in batch])
        fresh = [given.value for given in batch if not _is_same(had.get(given.key), given.value)]
        is_new = (
            {store.row.ref: store.is_new for store in put_stores(stores=fresh, now=self._now)}
            if fresh
            else {}
        )
        return [
            "same" if given.key not in is_new else "new" if is_new[given.key] else "changed"
            for given in batch
        ]

    def _position(self, store: StoreGiven) -> shapely.Point:
        known = (
            Store.objects.present().filter(ref=store.ref, address=store.address, area__isnull=True).first()
        )
        if known is not None:  # asked for at an earlier import
            return shapely.Point(known.location.x, known.location.y)
        if self._geocoder is None:
            raise NotGeocoded("no_position", "There is an address but no position, and no geocoder is set.")
        found = self._geocoder.locate(store.address)
        return shapely.Point(found.lon, found.lat)


def _present(refs: Sequence[str]) -> Mapping[str, Store]:
    return {store.ref: store for store in Store.objects.present().filter(ref__in=refs).order_by("id")}


def _is_same(had: Store | None, wanted: StoreIn) -> bool:
    return had is not None and all(attrgetter(name)(had) == attrgetter(name)(wanted) for name in STORE_FIELDS)


def _store_in(given: StoreGiven, *, place: shapely.Point | shapely.Polygon) -> StoreIn:
    centre = centre_of(place)
    area = None
    if isinstance(place, shapely.Polygon):
        area = Polygon(
            list(place.exterior.coords), *(list(ring.coords) for ring in place.interiors), srid=4326
        )
    return StoreIn(
        ref=given.ref,
        name=given.name,
        location=Point(centre.x, centre.y, srid=4326),
        radius_m=given.radius_m if area is None else None,
        area=area,
        time_zone=given.time_zone,
        opening_hours=given.opening_hours,
        address=given.address,
    )
