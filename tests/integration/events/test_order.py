"""Events of a walk in any order and any batches, with deadlines fired in between, end in the same visits."""

from collections import Counter

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
Row = tuple[str, str | None, float, float | None, float]


@pytest.fixture
def store():
    found = make_store()
    make_aisle(found, ref="fresh", minor=1)
    make_aisle(found, ref="wine", minor=2)
    return found


def walk_of(phone: Phone, steps: list[tuple[float, str]], *, store_id: int) -> list[Event]:
    made = {
        "inside": phone.fix,
        "edge": lambda s: phone.fix(s, north_m=80, accuracy_m=30),
        "outside": lambda s: phone.fix(s, north_m=300, accuracy_m=200 / 3),
        "jump": lambda s: phone.fix(s, north_m=90_000),
        "fresh": lambda s: phone.beacon(s, minor=1),
        "wine": lambda s: phone.beacon(s, minor=2, rssi_dbm=-50),
        "weak": lambda s: phone.beacon(s, minor=2, rssi_dbm=-88),
        "enter": lambda s: phone.phone_says("enter", s, geofence=f"GS{store_id}"),
        "exit": lambda s: phone.phone_says("exit", s, geofence=f"GS{store_id}"),
    }
    return [made[kind](s) for s, kind in steps]


def visits() -> list[Row]:
    rows = Visit.objects.order_by("entered_at", "aisle_id").values_list(
        "store__ref", "aisle__ref", "entered_at", "exited_at", "last_seen_at"
    )
    return [
        (store, aisle, *(time and (time - at(0)).total_seconds() for time in times))
        for store, aisle, *times in rows
    ]


def send(batches: list[list[Event]], *, deadlines: list[bool]) -> list[Row]:
    """Send the batches, firing deadlines after those that say so; return the visits when all is over."""
    for batch, fire in zip(batches, deadlines, strict=True):
        pipeline.run(batch, now=at(END), params=settings.RAYON)
        if fire:
            pipeline.run_deadlines(now=at(END), limit=10, params=settings.RAYON)
    pipeline.run_deadlines(now=at(END + 1), limit=10, params=settings.RAYON)
    found = visits()
    fired = Counter(
        Decision.objects.exclude(transition="").values_list("visit_id", "transition").order_by("visit_id")
    )
    assert all(count == 1 for (_, kind), count in fired.items() if kind == "enter"), fired
    for model in (Decision, Visit, LocationEvent):
        model.objects.all().delete()
    Presence.objects.update(state={}, last_event_at=None, due_at=None)
    return found


KINDS = ["inside", "edge", "outside", "jump", "fresh", "wine", "weak", "enter", "exit"]


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
