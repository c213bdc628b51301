"""Events of a walk in any order and any batches, with deadlines fired in between, end in the same visits."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from offers import pipeline
from offers.flow import Event
from offers.models import Decision, LocationEvent, Presence, Visit
from tests.integration.events.world import Phone, at, make_aisle, make_customer, make_store

pytestmark = pytest.mark.django_db

END = 100.0  # seconds: everything arrives within two minutes, so that nothing is late
KINDS = ["inside", "edge", "outside", "jump", "fresh", "wine", "weak", "enter", "exit"]
Row = tuple[str, str | None, float, float | None, float]


@pytest.fixture
def store():
    found = make_store()
    make_aisle(found, ref="fresh", minor=1)
    make_aisle(found, ref="wine", minor=2)
    return found


def walk_of(phone: Phone, steps: list[tuple[float, str]], *, store_id: int) -> list[Event]:
    made: dict[str, Any] = {
        "inside": phone.fix,
        "edge": partial(phone.fix, north_m=80, accuracy_m=30),
        "outside": partial(phone.fix, north_m=300, accuracy_m=200 / 3),
        "jump": partial(phone.fix, north_m=90_000),
        "fresh": partial(phone.beacon, minor=1),
        "wine": partial(phone.beacon, minor=2, rssi_dbm=-50),
        "weak": partial(phone.beacon, minor=2, rssi_dbm=-88),
        "enter": partial(phone.phone_says, "enter", geofence=f"GS{store_id}"),
        "exit": partial(phone.phone_says, "exit", geofence=f"GS{store_id}"),
    }
    return [made[kind](s=s, event_id=UUID(int=number)) for number, (s, kind) in enumerate(steps, start=1)]


def seconds(time: datetime | None) -> float | None:
    return (time - at(0)).total_seconds() if time else None


def visits() -> list[Row]:
    """Return the visits as rows; when an open one was last seen stands in the presence, not in its row."""
    rows = Visit.objects.order_by("entered_at", "aisle_id").values_list(
        "store__ref", "aisle__ref", "entered_at", "exited_at", "last_seen_at"
    )
    return [
        (store, aisle, seconds(entered), seconds(exited), seconds(seen) if exited else None)
        for store, aisle, entered, exited, seen in rows
    ]


def send(batches: list[list[Event]], *, deadlines: list[bool]) -> list[Row]:
    """Send the batches, firing deadlines after those that say so; return the visits when all is over."""
    for model in (Decision, Visit, LocationEvent, Presence):
        model.objects.all().delete()
    now = at(0)
    for batch, fire in zip(batches, deadlines, strict=True):
        now = max(now, *(event.occurred_at for event in batch))
        pipeline.run(batch, now=now, params=settings.RAYON)
        if fire:
            pipeline.run_deadlines(now=now, limit=10, params=settings.RAYON)
    pipeline.run_deadlines(now=at(END + 1), limit=10, params=settings.RAYON)
    return visits()


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_and_any_batches_end_in_the_same_visits(store, data):
    phone = Phone(make_customer().id)
    times = data.draw(st.lists(st.integers(0, int(END)), min_size=1, max_size=9, unique=True))
    steps = [(float(s), data.draw(st.sampled_from(KINDS))) for s in sorted(times)]
    events = walk_of(phone, steps, store_id=store.id)
    expected = send([events], deadlines=[False])
    shuffled = data.draw(st.permutations(events))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(events)), max_size=4)) | {len(events)})
    batches = [shuffled[start:end] for start, end in zip([0, *cuts], cuts, strict=False) if start < end]
    deadlines = [data.draw(st.booleans()) for _ in batches]
    assert send(batches, deadlines=deadlines) == expected
