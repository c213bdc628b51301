"""Reviews of last-minute deals, and the rules of single decisions."""

import os
import time
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from tests.benchmarks import database, worlds
from tests.benchmarks.database import Server
from tests.benchmarks.figures import Figure
from tests.benchmarks.pipeline import CLIENTS
from tests.benchmarks.world import Size

DEALS = 10_000
FEW = Size(name="deals", stores=10, customers=100, offers=DEALS)
CANDIDATES = 5  # offers that one customer meets

# Every offer becomes a deal of 1 to 60 units with a quarter of an hour to eight hours to go, an hour after it began.
_DEALS = """
    UPDATE offers_offer SET objective = 'margin', unit_price_minor = 100 + 13 * (id %% 150),
           valid_until = %(now)s + make_interval(mins => (15 + (id * 7) %% 466)::int),
           deal = jsonb_build_object(
               'units', 1 + id %% 60, 'regular_price_minor', 100 + 13 * (id %% 150), 'floor_price_minor', 0,
               'deadline', to_char((%(now)s + make_interval(mins => (15 + (id * 7) %% 466)::int)) AT TIME ZONE 'UTC',
                                   'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               'unit_cost_minor', 50, 'unsold_value_minor', 0, 'expected_units_per_hour', 0.5 + (id %% 15) * 0.5,
               'elasticity', 1 + (id %% 7) * 0.5, 'menu_bp', '[1000, 2000, 3000, 4000, 5000]'::jsonb)
"""
_CAPACITIES = "UPDATE offers_capacity SET units = 1 + offer_id %% 60, claimed = 0"
_STATES = """
    INSERT INTO offers_dealstate (offer_id, is_open, due_at, reviewed_at, claimed_seen, depth_bp, held_until,
        bid_price_minor, bids_minor, bid_lot, send_now, wave_number, worth_sending, protected_units, expected_sold,
        expected_left, left_low, left_high, expected_margin_minor, margin_doing_nothing_minor, ladder, is_stopped,
        stop_reason, seen, category, shown)
    SELECT id, true, %(now)s, %(now)s, 0, 0, %(now)s, 0, '{}', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '[]', false, '', '[]', '',
           jsonb_build_array(jsonb_build_object('at', %(now)s - interval '1 hour', 'depth_bp', 1000))
      FROM offers_offer
    ON CONFLICT (offer_id) DO UPDATE SET is_open = true, due_at = excluded.due_at, held_until = excluded.held_until,
        shown = excluded.shown
"""


def review(*, server: Server, seconds: float) -> list[Figure]:
    """Deals reviewed per second, read and written, against single-row durable INSERTs."""
    name = worlds.ready(server, size=FEW)
    os.environ["DATABASE_URL"] = database.url(server, name=name)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.conf import settings

    from offers.operations.yields import review_deals

    now = datetime.now(UTC)
    with database.connect(server, name=name) as connection:
        for statement in (_DEALS, _CAPACITIES, _STATES):
            connection.execute(statement, {"now": now})
        connection.execute("VACUUM ANALYZE")
    start, start_cpu = time.perf_counter(), time.process_time()
    reviewed = review_deals(now=now + timedelta(seconds=1), params=settings.RAYON)
    spent, spent_cpu = time.perf_counter() - start, time.process_time() - start_cpu
    print(f"  {DEALS:,} deals in {spent:.1f} s, of which this process worked {spent_cpu:.1f} s")
    if reviewed != DEALS:
        raise RuntimeError(f"{reviewed} of {DEALS} deals were reviewed")
    return [
        Figure(
            name="yield_review",
            value=DEALS / spent,
            unit="deals/s",
            bound=database.durable_inserts_per_s(server, clients=CLIENTS, seconds=seconds),
            bound_name=f"pgbench durable INSERT/s, {CLIENTS} clients",
            wanted=0.1,
            goal=1.0,
        )
    ]


def rules(*, server: Server, seconds: float) -> list[Figure]:
    """Decisions per second by the rules alone, each over five offers weighed by their margin, in one process.

    Against the same server's single-row durable INSERTs: what a decision costs at least where it is kept.
    """
    from offers.stages.decide import choose
    from tests.unit.decide.test_deciding import BUYER, FACTS, NOW, PARAMS, TERMS, TRIGGER

    params = {**PARAMS, "attention_price_minor": 2}
    deal = {
        "objective": "margin",
        "is_deal": True,
        "unit_price_minor": 400,
        "bid_price_minor": 80,
        "send_now": 9,
    }
    terms = {
        number: replace(
            TERMS, offer_id=number, ref=f"o{number}", benefit_value=1000 * number, elasticity=2.5, **deal
        )
        for number in range(1, CANDIDATES + 1)
    }
    crowd = 200
    triggers = [replace(TRIGGER, customer_id=number) for number in range(crowd)]
    facts = {number: replace(FACTS, customer_id=number) for number in range(crowd)}
    candidates = [
        replace(BUYER, trigger=number, offer_id=offer_id, units_left=12)
        for number in range(crowd)
        for offer_id in terms
    ]
    decided, start = 0, time.process_time()  # nothing here waits: what else the machine does is not counted
    while (spent := time.process_time() - start) < seconds:
        choices = choose(triggers, candidates, terms, facts, now=NOW, params=params)
        decided += len(choices)
    if {one.reason for one in choices} != {"issued"}:
        raise RuntimeError("the rules decided otherwise")
    print(f"  {1e6 * spent / decided:.1f} µs a decision over {CANDIDATES} offers")
    return [
        Figure(
            name="decision_rules",
            value=decided / spent,
            unit="decisions/s",
            bound=database.durable_inserts_per_s(server, clients=CLIENTS, seconds=seconds),
            bound_name=f"pgbench durable INSERT/s, {CLIENTS} clients",
            wanted=0.5,
            goal=5.0,
        )
    ]
