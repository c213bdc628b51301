"""What phones send: walks from the street into a store and along its aisles, about one event a second."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Any

from tests.benchmarks.world import AISLES, beacon_of, place_of

METRES_PER_DEGREE = 111_320.0
STREET = 20  # fixes at most, from AWAY_M to the door
AWAY_M = 160.0  # outside of every fence
# Neighbouring fixes stay nearer to each other than their accuracies together: no pace of sending makes them a lie.
ACCURACY_M, JITTER_M = 8.0, 3.0
AT_A_SHELF_DBM = -55  # who comes into an aisle passes its beacon closely: louder than the aisle left behind
AISLE_EVENTS = 18  # in one aisle before the next; longer than its dwell

Event = dict[str, Any]


def walk(*, chance: random.Random, stores: int, events: int, until: datetime) -> list[Event]:
    """Return the events of one phone, oldest first, the last at `until`: API bodies, ready to be sent."""
    bodies = islice(shopping(chance=chance, stores=stores), events)
    return [
        {**body, "occurred_at": (until - timedelta(seconds=events - 1 - number)).isoformat()}
        for number, body in enumerate(bodies)
    ]


def shopping(*, chance: random.Random, stores: int) -> Iterator[Event]:
    """Yield what one phone sends, for ever, without the times: fixes in the street, then aisle after aisle."""
    store = chance.randrange(stores)
    lat, lon = place_of(store)
    for number in range(STREET):
        away_m = AWAY_M * (STREET - number) / STREET
        yield _fix(chance=chance, lat=lat + away_m / METRES_PER_DEGREE, lon=lon)
    aisles = chance.sample(range(AISLES), k=AISLES)
    for number in count():
        turn, inside = divmod(number, AISLE_EVENTS)
        if inside % 5 == 4:
            yield _fix(chance=chance, lat=lat, lon=lon)
        else:
            beacon = beacon_of(store, aisles[turn % AISLES])
            yield _sighting(chance=chance, beacon=beacon, is_first=inside == 0)


def _fix(*, chance: random.Random, lat: float, lon: float) -> Event:
    jitter = chance.uniform(-JITTER_M, JITTER_M) / METRES_PER_DEGREE
    location = {"lat": round(lat + jitter, 7), "lon": round(lon + jitter, 7), "accuracy_m": ACCURACY_M}
    return {"id": _id(chance), "type": "fix", "location": location}


def _sighting(*, chance: random.Random, beacon: dict[str, Any], is_first: bool) -> Event:
    rssi = AT_A_SHELF_DBM if is_first else -66 - chance.randrange(8)
    return {"id": _id(chance), "type": "beacon", "beacon": {**beacon, "rssi_dbm": rssi}}


def _id(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
