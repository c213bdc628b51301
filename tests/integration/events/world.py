"""A small world for events: two stores, one with aisles and beacons, and customers with phones."""

import hashlib
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.contrib.gis.geos import Point
from msgspec.structs import replace

from customers.models import Customer, Device
from offers.flow import Event, Position, Sighting
from offers.models import Aisle, Beacon, Store

NOW = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)
BEACONS = UUID("f7826da6-4fa2-4e98-8024-bc5b71e0893e")
LAT, LON = 48.8500, 2.3500  # the first store's door
FAR_LAT = LAT + 0.02  # two kilometres north, where no store is
M = 1 / 111_200  # degrees of latitude in a metre
ALL_PURPOSES = ["push", "geolocation", "profiling"]

_numbers = itertools.count(1)


def make_store(*, ref: str = "S1", lat: float = LAT, lon: float = LON, radius_m: float = 80.0) -> Store:
    return Store.objects.create(
        ref=ref,
        name=f"Store {ref}",
        location=Point(lon, lat, srid=4326),
        radius_m=radius_m,
        time_zone="Europe/Paris",
        updated_at=NOW,
    )


def make_aisle(
    store: Store, *, ref: str = "fresh", major: int = 1, minor: int = 1, **fields: object
) -> Aisle:
    aisle = Aisle.objects.create(store=store, ref=ref, name=ref, updated_at=NOW, **fields)
    Beacon.objects.create(aisle=aisle, uuid=BEACONS, major=major, minor=minor)
    return aisle


def make_customer(*, ref: str | None = None, granted: list[str] | None = None) -> Customer:
    return Customer.objects.create(
        ref=ref or f"C{next(_numbers)}",
        time_zone="Europe/Paris",
        granted=ALL_PURPOSES if granted is None else granted,
        created_at=NOW,
        updated_at=NOW,
    )


def make_device(customer: Customer, *, device_id: str = "phone") -> Device:
    return Device.objects.create(
        customer=customer,
        device_id=device_id,
        platform="fcm",
        registered_at=NOW - timedelta(days=30),
        last_seen_at=NOW - timedelta(days=1),
    )


@dataclass(frozen=True)
class Phone:
    """Makes the events that one phone would send; `s` is seconds after NOW."""

    customer_id: int
    device_id: str = "phone"

    def fix(self, s: float, *, north_m: float = 0.0, accuracy_m: float = 10.0, **fields: object) -> Event:
        at = Position(
            lat=LAT + north_m * M, lon=LON, accuracy_m=accuracy_m, is_mock=bool(fields.pop("mock", False))
        )
        return self._event("fix", s, position=at, **fields)

    def beacon(
        self, s: float, *, minor: int = 1, major: int = 1, rssi_dbm: int | None = -60, **fields: object
    ) -> Event:
        seen = Sighting(uuid=str(BEACONS), major=major, minor=minor, rssi_dbm=rssi_dbm)
        return self._event("beacon", s, beacon=seen, **fields)

    def phone_says(self, kind: str, s: float, *, geofence: str, **fields: object) -> Event:
        return self._event(kind, s, geofence=geofence, **fields)

    def _event(self, kind: str, s: float, **fields: object) -> Event:
        event = Event(
            customer_id=self.customer_id,
            device_id=self.device_id,
            event_id=str(fields.pop("event_id", None) or uuid4()),
            type=kind,
            occurred_at=NOW + timedelta(seconds=s),
            digest=b"",
            **fields,
        )
        return with_digest(event)


def with_digest(event: Event) -> Event:
    body = repr(replace(event, digest=b"", device_id="", customer_id=0))
    return replace(event, digest=hashlib.sha256(body.encode()).digest())


def at(s: float) -> datetime:
    return NOW + timedelta(seconds=s)
