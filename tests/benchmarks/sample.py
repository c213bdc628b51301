"""Whether the pipeline decides as the obvious implementation does: the same day lived through by both, side by side."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

import psycopg

from scripts.say import line, step
from tests.benchmarks import database, worlds
from tests.benchmarks.database import Server
from tests.benchmarks.decider import Decider, Moment, deciding
from tests.benchmarks.figures import Figure
from tests.benchmarks.sample_days import moments
from tests.benchmarks.world import ODD_CUSTOMERS, ODD_STORES, SMALL, Size

# Who visits which store: for an offer of each kind its first store and two customers who buy what it is about (more where
# units are few); then one customer of each oddity, at such an offer too, and some in stores that are odd.
VISITORS = """
    WITH kinds AS (
        SELECT o.id, o.segments, o.topics, c.units,
               concat_ws(' ', o.state, o.target_category_id IS NULL, o.min_affinity_share, o.bought_within_days,
                         o.never_bought, o.segments, o.topics, o.per_customer, o.objective, c.units, o.within_m,
                         o.trigger_places, o.trigger_on) AS kind
          FROM offers_offer o JOIN offers_capacity c ON c.offer_id = o.id WHERE NOT o.all_stores
    ), chosen AS (
        SELECT k.*, (SELECT min(store_id) FROM offers_offerstore WHERE offer_id = k.id) AS store_id
          FROM kinds k WHERE k.id IN (SELECT min(id) FROM kinds GROUP BY kind)
    ), buyers AS (
        SELECT o.id, o.units, o.store_id, c.id AS customer_id, c.id %% %(odd)s = 7 AS is_odd,
               row_number() OVER (PARTITION BY o.id ORDER BY c.id %% %(odd)s = 7, c.id) AS rank,
               o.segments && c.segments OR o.topics && c.topics AS is_addressed
          FROM chosen o JOIN offers_offeraffinitykey k ON k.offer_id = o.id
          JOIN customers_affinity a ON (a.kind, a.key) = (k.kind, k.key)
          JOIN customers_customer c ON c.id = a.customer_id
    ), found AS (
        SELECT customer_id, store_id FROM buyers WHERE rank <= CASE WHEN units < 10 THEN 5 ELSE 2 END OR is_addressed
        UNION ALL
        (SELECT DISTINCT ON ((customer_id / %(odd)s) %% 16) customer_id, store_id FROM buyers WHERE is_odd
          ORDER BY (customer_id / %(odd)s) %% 16, customer_id)
        UNION ALL
        SELECT i, 1 + 3 + %(odd_stores)s * (i %% LEAST(4, %(stores)s / %(odd_stores)s)) FROM generate_series(1, 8) i
    )
    SELECT customer_id, min(store_id) - 1 FROM found GROUP BY customer_id ORDER BY customer_id
"""
# Transition, store, aisle, outcome, reason, offer; before them the event's own id, or none for a deadline.
DECISIONS = """
    SELECT d.customer_id, d.event_uid::text, d.transition, s.ref, a.ref, d.outcome, d.reason, o.ref
      FROM offers_decision d
      LEFT JOIN offers_store s ON s.id = d.store_id LEFT JOIN offers_aisle a ON a.id = d.aisle_id
      LEFT JOIN offers_offer o ON o.id = d.offer_id
     ORDER BY d.customer_id, d.id
"""


Decisions = Mapping[int, Sequence[tuple[Any, ...]]]  # by customer id


class Disagreement(RuntimeError):
    """The pipeline and the obvious implementation decided otherwise; the text tells the first difference."""


def check(*, server: Server, seconds: float, size: Size = SMALL, visitors: int | None = None) -> list[Figure]:
    """Return how many decisions are alike: all, or Disagreement is raised. `seconds` has no say; visitors: so many alone."""
    name = worlds.ready(server, size=size)
    copied = worlds.ready_copy(server, size=size)
    try:
        with database.connect(server, name=name) as connection:
            chosen = visitors_of(connection, size=size)[:visitors]
        alike, reasons = _compare(server, names=(name, copied), visitors=chosen)
    finally:
        database.drop(server, name=copied)
    line("  " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))
    return [
        Figure(
            name="sample_check",
            value=alike,
            unit="decisions",
            bound=alike,
            bound_name="decided alike by the obvious implementation",
            wanted=1,
            goal=1,
        )
    ]


def _compare(
    server: Server, *, names: tuple[str, str], visitors: Sequence[tuple[int, int]]
) -> tuple[int, "Counter[str]"]:
    day_long = list(moments(visitors=visitors, day=datetime.now(UTC).date()))
    with (
        step("living through it") as now,
        deciding(implementation="pipeline", url=database.url(server, name=names[0])) as ours,
        deciding(implementation="obvious", url=database.url(server, name=names[1])) as theirs,
    ):
        for moment in day_long:
            _compare_moment(moment, ours, theirs)
        now.done = f"{sum(len(moment.events) for moment in day_long):,} events of {len(visitors)} customers"
    found, expected = (_decisions(server, name=name) for name in names)
    compare_decisions(found, expected)
    reasons = Counter(decision[5] for decisions in found.values() for decision in decisions)
    return reasons.total(), reasons


def compare_decisions(found: Decisions, expected: Decisions) -> None:
    """Raise Disagreement at the first decision of a customer that the pipeline took otherwise."""
    for customer in sorted({*found, *expected}):
        pairs = zip_longest(found.get(customer, ()), expected.get(customer, ()))
        for number, (ours, theirs) in enumerate(pairs, start=1):
            if ours != theirs:
                raise Disagreement(
                    f"customer {customer}, decision {number}: the pipeline decided {ours}, "
                    f"the obvious implementation {theirs}"
                )


def visitors_of(connection: psycopg.Connection[Any], *, size: Size) -> list[tuple[int, int]]:
    """Return (customer id, number of the store) of those whose day is looked at."""
    values = {"odd": ODD_CUSTOMERS, "odd_stores": ODD_STORES, "stores": size.stores}
    return [(customer, store) for customer, store in connection.execute(VISITORS, values)]


def _compare_moment(moment: Moment, ours: Decider, theirs: Decider) -> None:
    answers = [decider.live_through(moment) for decider in (ours, theirs)]
    for (customer, event), ours_said, theirs_said in zip(moment.events, *answers, strict=True):
        if ours_said != theirs_said:
            raise Disagreement(
                f"customer {customer}, {event['type']} {event['id']} of {event['occurred_at']}: the pipeline "
                f"said {ours_said}, the obvious implementation {theirs_said}"
            )


def _decisions(server: Server, *, name: str) -> Decisions:
    with database.connect(server, name=name) as connection:
        return decisions_in(connection)


def decisions_in(connection: psycopg.Connection[Any]) -> Decisions:
    """Return what was decided on each customer, in order."""
    found: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in connection.execute(DECISIONS):
        found[row[0]].append(tuple(row[1:]))
    return found
