"""A batch of two hundred events costs as many statements as a batch of two."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection

from offers import pipeline
from offers.locks import make_presences
from offers.models import Visit
from tests.integration.events.world import Phone, at, make_aisle, make_customer, make_device, make_store

pytestmark = pytest.mark.django_db

# Each with the first words by which it is known.
INTAKE = [
    "WITH by_index",  # the customers' locks, in the order of their ids
    "SELECT 'customer' AS kind",  # consents, last believed positions, ids used before, places and their dwells
    "INSERT INTO offers_locationevent",  # the new events
    "UPDATE customers_device",  # when the phones were last seen
]
VISITS = [
    "WITH fix AS",  # the fences near the fixes
    "WITH kept AS",  # where each fold stands; visits, begun and ended
]
DECISIONS = [
    "SELECT c.id AS customer_id",  # what is known of the customers
    "WITH spots AS",  # offers that are live there
    "INSERT INTO offers_decision",
]


@pytest.fixture
def store():
    found = make_store()
    make_aisle(found)
    return found


def statements(run: Callable[[], object]) -> list[str]:
    """Return the text of what `run` executes, before values are bound."""
    seen: list[str] = []

    def watch(execute, sql, params, many, context):
        seen.append(" ".join(sql.split()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        run()
    # Which days have a table is asked anew only for days that have none, as in these tests.
    return [sql for sql in seen if not sql.startswith(("SAVEPOINT", "RELEASE", "SELECT day FROM unnest"))]


def events(phones: list[Phone], *, s: float) -> list:
    return [each for phone in phones for each in (phone.fix(s), phone.beacon(s + 1))]


def test_the_statements_of_a_batch_are_these(store):
    phone = Phone(make_customer().id)
    make_presences(customer_ids=[phone.customer_id])
    found = statements(lambda: pipeline.run(events([phone], s=0), now=at(2), params=settings.RAYON))
    for expected, sql in zip([*INTAKE, *VISITS, *DECISIONS], found, strict=True):
        assert sql.startswith(expected)


def test_where_no_visit_takes_a_step_the_folds_alone_are_kept(store):
    phone = Phone(make_customer().id)
    pipeline.run(events([phone], s=0), now=at(2), params=settings.RAYON)
    found = statements(lambda: pipeline.run([phone.beacon(3)], now=at(4), params=settings.RAYON))
    kept = [
        "WITH by_index",
        "SELECT 'customer' AS kind",
        "INSERT INTO offers_locationevent",
        "UPDATE offers_presence",
    ]
    for expected, sql in zip(kept, found, strict=True):
        assert sql.startswith(expected)


def test_a_customer_who_comes_for_the_first_time_costs_two_statements_more(store):
    phone = Phone(make_customer().id)
    found = statements(lambda: pipeline.run(events([phone], s=0), now=at(2), params=settings.RAYON))
    assert [sql[:27] for sql in found[:4]] == [
        "WITH by_index AS MATERIALIZ",  # nobody is there
        "INSERT INTO offers_presence",
        "WITH by_index AS MATERIALIZ",
        "SELECT 'customer' AS kind, ",
    ]


def test_two_hundred_events_cost_as_many_statements_as_two(store, count_queries):
    customers = [make_customer() for _ in range(101)]
    for customer in customers:
        make_device(customer)
    few, many = [Phone(customers[0].id)], [Phone(customer.id) for customer in customers[1:]]
    costs = []
    for phones in (few, many):
        with count_queries() as seen:
            results = pipeline.run(events(phones, s=0), now=at(2), params=settings.RAYON)
        assert {len(each.decisions) for each in results} == {1}
        costs.append(len(seen))
    assert costs[0] == costs[1]
    assert Visit.objects.count() == 2 * 101


def test_two_hundred_late_events_cost_as_many_statements_as_two(store, count_queries):
    customers = [make_customer() for _ in range(101)]
    few, many = [Phone(customers[0].id)], [Phone(customer.id) for customer in customers[1:]]
    for phones in (few, many):
        pipeline.run(events(phones, s=60), now=at(62), params=settings.RAYON)
    costs = []
    for phones in (few, many):
        with count_queries() as seen:
            pipeline.run(events(phones, s=50), now=at(63), params=settings.RAYON)
        costs.append(len(seen))
    assert costs[0] == costs[1]
    assert Visit.objects.count() == 2 * 101


def test_a_hundred_deadlines_cost_as_many_statements_as_one(store, count_queries):
    customers = [make_customer() for _ in range(101)]
    few, many = [Phone(customers[0].id)], [Phone(customer.id) for customer in customers[1:]]
    costs = []
    for s, phones in ((0, few), (200, many)):
        pipeline.run([phone.fix(s) for phone in phones], now=at(s + 1), params=settings.RAYON)
        with count_queries() as seen:
            assert pipeline.run_deadlines(now=at(s + 121), limit=500, params=settings.RAYON) == len(phones)
        costs.append(len(seen))
    assert costs[0] == costs[1]
