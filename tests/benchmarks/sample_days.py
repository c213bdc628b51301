"""A day of some customers: two visits each, told as moments, with everything that phones get wrong.

Deterministic but for the day. Events of one moment come from different customers, so a batch of them is decided as if
they had come one by one.
"""

import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.benchmarks.decider import Moment
from tests.benchmarks.world import AISLES, beacon_of, place_of

METRES_PER_DEGREE = 111_320.0
PARIS = ZoneInfo("Europe/Paris")
FIRST = time(14, 10)
SECOND = (
    time(14, 55),
    time(18, 50),
    time(20, 57),
)  # a coupon is still held; the gap is over; quiet hours begin
LOOK_EVERY_S = 20  # at the deadlines
STREET_M = (170, 125, 95, 60, 0)  # from the door, ten seconds apart
Event = dict[str, Any]


@dataclass
class Phone:
    """One customer's phone, writing down what it sends: when it is sent, and what."""

    customer: int
    store: int
    chance: random.Random
    sent: list[tuple[datetime, Event]] = field(default_factory=list)

    def send(
        self, at: datetime, body: Event, *, late_s: float = 1.0, occurred_at: datetime | None = None
    ) -> Event:
        event = {**body, "id": self._id(), "occurred_at": (occurred_at or at).isoformat()}
        self.sent.append((at + timedelta(seconds=late_s), event))
        return event

    def fix(self, away_m: float, **more: Any) -> Event:
        lat, lon = place_of(self.store)
        position = {"lat": round(lat + away_m / METRES_PER_DEGREE, 7), "lon": lon, "accuracy_m": 8.0, **more}
        return {"type": "fix", "location": position}

    def sighting(self, aisle: int, rssi_dbm: int | None) -> Event:
        return {"type": "beacon", "beacon": {**beacon_of(self.store, aisle), "rssi_dbm": rssi_dbm}}

    def own_word(self, kind: str, *, aisle: int | None = None) -> Event:
        fence = f"GS{self.store + 1}" if aisle is None else f"GA{1 + self.store * AISLES + aisle}"
        return {"type": kind, "geofence": fence}

    def _id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))


def moments(*, visitors: Sequence[tuple[int, int]], day: date) -> Iterator[Moment]:
    """Yield what comes in during that day, in the order of time; visitors: (customer id, number of their store)."""
    by_time: defaultdict[datetime, list[tuple[int, Event]]] = defaultdict(list)
    for number, (customer, store) in enumerate(visitors):
        phone = Phone(customer=customer, store=store, chance=random.Random(customer))
        for begin in (FIRST, SECOND[number % len(SECOND)]):
            at = datetime.combine(day, begin, PARIS).astimezone(UTC)
            _visit(phone, at, habit=HABITS[number % len(HABITS)])
        taken: set[datetime] = set()
        for sent_at, event in phone.sent:
            free_at = sent_at
            while free_at in taken:
                free_at += timedelta(milliseconds=200)
            taken.add(free_at)
            by_time[free_at].append((customer, event))
    last = min(by_time)
    for at in sorted(by_time):
        yield from _looks(after=last, before=at)
        yield Moment(now=at.isoformat(), events=by_time[at])
        last = at
    yield from _looks(after=last, before=last + timedelta(hours=1))


def _looks(*, after: datetime, before: datetime) -> Iterator[Moment]:
    """Yield looks at the deadlines between two moments: often at first, then when the last visits end."""
    for seconds in (*range(LOOK_EVERY_S, 181, LOOK_EVERY_S), 610, 1_210):
        at = after + timedelta(seconds=seconds)
        if at < before:
            yield Moment(now=at.isoformat(), events=[])


Habit = Callable[[Phone, datetime], None]


def _visit(phone: Phone, begin: datetime, *, habit: Habit) -> None:
    """Walk in, along two aisles, and out again; the habit adds what else this phone does in the meantime."""

    def at(seconds: float) -> datetime:
        return begin + timedelta(seconds=seconds)

    for number, away_m in enumerate(STREET_M):
        phone.send(at(10 * number), phone.fix(away_m))
    heard = [(0, rssi_dbm) for rssi_dbm in (-58, -70, -82, -71, -70)]  # long enough to dwell
    heard += [(turn, rssi_dbm) for turn in range(1, AISLES) for rssi_dbm in (-58, -70)]
    for number, (turn, rssi_dbm) in enumerate(heard):
        phone.send(at(60 + 6 * number), phone.sighting((phone.customer + turn) % AISLES, rssi_dbm))
    phone.send(at(190), phone.fix(5))
    habit(phone, begin)
    phone.send(at(600), phone.fix(220))


def _nothing_else(phone: Phone, begin: datetime) -> None:
    """An orderly phone."""


def _sends_twice(phone: Phone, begin: datetime) -> None:
    for sent_at, event in list(phone.sent[-5:]):
        phone.sent.append((sent_at + timedelta(seconds=30), event))
    changed = {**phone.sent[-1][1], "type": "fix", "beacon": None, "location": phone.fix(3)["location"]}
    phone.sent.append((begin + timedelta(seconds=235), changed))


def _out_of_order(phone: Phone, begin: datetime) -> None:
    phone.send(begin + timedelta(seconds=200), phone.sighting(0, -60), late_s=15)
    phone.send(begin + timedelta(seconds=210), phone.sighting(1, -50))
    phone.send(begin + timedelta(seconds=63), phone.sighting(3, -40), late_s=160)
    phone.send(begin + timedelta(seconds=20), phone.fix(400), late_s=400)


def _own_words(phone: Phone, begin: datetime) -> None:
    for seconds, kind, aisle in (
        *((200, "enter", 2), (215, "dwell", 2), (230, "exit", 2)),
        *(
            (240, "dwell", 1),
            (250, "exit", None),
            (262, "enter", None),
            (300, "exit", None),
            (320, "dwell", None),
        ),
    ):
        phone.send(begin + timedelta(seconds=seconds), phone.own_word(kind, aisle=aisle))


def _lies(phone: Phone, begin: datetime) -> None:
    phone.send(begin + timedelta(seconds=200), phone.fix(0, is_mock=True))
    phone.send(begin + timedelta(seconds=210), phone.fix(90_000))
    phone.send(begin + timedelta(seconds=220), phone.fix(400))  # fast, and back as fast
    phone.send(begin + timedelta(seconds=230), phone.fix(0))
    phone.send(begin + timedelta(seconds=240), phone.fix(0, accuracy_m=900.0))


def _wrong_clock(phone: Phone, begin: datetime) -> None:
    at = begin + timedelta(seconds=200)
    for seconds, occurred_at in enumerate(
        (at - timedelta(hours=25), at + timedelta(minutes=5), datetime(1970, 1, 1, 0, 0, 9, tzinfo=UTC))
    ):
        phone.send(at + timedelta(seconds=seconds), phone.fix(0), occurred_at=occurred_at)


def _long_silence(phone: Phone, begin: datetime) -> None:
    phone.send(begin + timedelta(minutes=40), phone.sighting(2, -60))
    phone.send(begin + timedelta(minutes=40, seconds=20), phone.sighting(2, None))
    phone.send(begin + timedelta(minutes=41), phone.sighting(3, None))


def _short_absence(phone: Phone, begin: datetime) -> None:
    for seconds, away_m in ((205, 180), (225, 210), (345, 160), (365, 10), (500, 20)):
        phone.send(begin + timedelta(seconds=seconds), phone.fix(away_m))
    unknown = {"uuid": beacon_of(phone.store, 0)["uuid"], "major": 65_000, "minor": 9, "rssi_dbm": -50}
    phone.send(begin + timedelta(seconds=510), {"type": "beacon", "beacon": unknown})
    phone.send(begin + timedelta(seconds=511), {"type": "enter", "geofence": "GS999999999"})


HABITS: tuple[Habit, ...] = (
    *(_nothing_else, _sends_twice, _out_of_order, _own_words, _lies, _wrong_clock, _long_silence),
    _short_absence,
)
