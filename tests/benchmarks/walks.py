"""What phones send: walks from the street into a store and along its aisles, about one event a second."""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from tests.benchmarks.world import AISLES, beacon_of, place_of

METRES_PER_DEGREE = 111_320.0
SPEED_MPS = 4.0  # a runner: from outside the fence to the door in the street's third of the walk


def walk(*, chance: random.Random, stores: int, events: int, until: datetime) -> list[dict[str, Any]]:
    """Return the events of one phone, oldest first, the last at `until`: API bodies, ready to be sent.

    The street takes the first third, then each aisle its share of beacon sightings with a fix between.
    """
    store = chance.randrange(stores)
    lat, lon = place_of(store)
    aisles = chance.sample(range(AISLES), k=min(AISLES, 2 if events < 60 else 3))
    street = events // 3
    found = []
    for number in range(events):
        at = until - timedelta(seconds=events - 1 - number)
        if number < street:
            away_m = SPEED_MPS * (street - number)
            found.append(_fix(chance=chance, lat=lat + away_m / METRES_PER_DEGREE, lon=lon, at=at))
        elif number % 5 == 0:
            found.append(_fix(chance=chance, lat=lat, lon=lon, at=at))
        else:
            aisle = aisles[(number - street) * len(aisles) // (events - street)]
            found.append(_sighting(chance=chance, beacon=beacon_of(store, aisle), at=at))
    return found


def _fix(*, chance: random.Random, lat: float, lon: float, at: datetime) -> dict[str, Any]:
    jitter = chance.gauss(0, 3) / METRES_PER_DEGREE
    location = {"lat": round(lat + jitter, 7), "lon": round(lon + jitter, 7), "accuracy_m": 8.0}
    return {**_head(chance=chance, at=at), "type": "fix", "location": location}


def _sighting(*, chance: random.Random, beacon: dict[str, Any], at: datetime) -> dict[str, Any]:
    heard = {**beacon, "rssi_dbm": -66 - chance.randrange(8)}
    return {**_head(chance=chance, at=at), "type": "beacon", "beacon": heard}


def _head(*, chance: random.Random, at: datetime) -> dict[str, Any]:
    return {"id": str(uuid.UUID(int=chance.getrandbits(128), version=4)), "occurred_at": at.isoformat()}
