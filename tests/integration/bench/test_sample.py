"""The benchmarks' world, their day of odd phones and their oracle, at work in the test database."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from django.db import connection

from offers.models import (
    Capacity,
    Coupon,
    CouponCode,
    Decision,
    Exposure,
    LocationEvent,
    Offer,
    OutboxMessage,
    Presence,
    Store,
    Visit,
)
from tests.benchmarks import world_sql
from tests.benchmarks.decider import Implementation, Moment, implementation_named
from tests.benchmarks.sample import Decisions, compare_decisions, decisions_in, visitors_of
from tests.benchmarks.sample_days import HABITS, moments
from tests.benchmarks.world import TINY, values_of

pytestmark = pytest.mark.django_db(transaction=True)

DECIDED = (OutboxMessage, Exposure, Decision, CouponCode, Coupon, Visit, LocationEvent, Presence)


@pytest.fixture
def day() -> list[Moment]:
    """Fill the database with the tiny world; return a day with every habit in it."""
    connection.ensure_connection()
    for _, statements in world_sql.PARTS:
        for statement in statements:
            connection.connection.execute(statement, values_of(TINY))
    visitors = visitors_of(connection.connection, size=TINY)
    assert len(visitors) == 37
    return list(moments(visitors=visitors[8 : 8 + len(HABITS)], day=datetime.now(UTC).date()))


def live_through(day: Sequence[Moment], implementation: Implementation) -> tuple[Counter[str], Decisions]:
    """Return how the events were received and what was decided, and take both away again."""
    statuses: Counter[str] = Counter()
    for moment in day:
        for status, error in implementation.live_through(moment):
            statuses[error or status] += 1
    decisions = decisions_in(connection.connection)
    for model in DECIDED:
        model.objects.all().delete()
    Capacity.objects.update(claimed=0)
    return statuses, decisions


def test_the_world_is_as_large_as_it_says(day: list[Moment]) -> None:
    assert (Store.objects.count(), Offer.objects.count()) == (TINY.stores, TINY.offers)


def test_pipeline_and_obvious_implementation_decide_alike(day: list[Moment]) -> None:
    received, decided = live_through(day, implementation_named("pipeline"))
    also_received, also_decided = live_through(day, implementation_named("obvious"))
    assert received == also_received
    assert set(received) == {
        *("accepted", "duplicate", "event_id_reused", "unknown_beacon", "unknown_geofence"),
    }
    compare_decisions(decided, also_decided)
    reasons = {decision[5] for decisions in decided.values() for decision in decisions}
    assert {
        "issued",
        "not_relevant",
        "no_offer",
        "stale",
        "implausible_location",
        "moving_too_fast",
    } <= reasons
