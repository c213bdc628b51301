"""The statements that keep visits and presences, each for the whole batch."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from offers.cursors import bigints, hot_cursor, instants, texts, uuids
from offers.flow import Place
from offers.rules.visits import Visit, VisitParams
from offers.stages.visits.folding import Folded, Gone
from offers.stages.visits.memory import due_at, memory_to_json

VisitKey = tuple[int, int, int | None, datetime]  # customer, store, aisle, entered at


def key_of(customer_id: int, visit: Visit) -> VisitKey:
    aisle = visit.place.aisle
    return (customer_id, int(visit.place.store), None if aisle is None else int(aisle), visit.entered_at)


def dwell_seconds(aisle_ids: Sequence[int]) -> dict[int | str, float]:
    """Return how long one must stay in those of these aisles that have a time of their own; one query."""
    if not aisle_ids:
        return {}
    with hot_cursor() as cursor:
        cursor.execute(
            "SELECT id, dwell_s FROM offers_aisle WHERE id = ANY(%s) AND dwell_s IS NOT NULL",
            [bigints(aisle_ids)],
        )
        return {row[0]: float(row[1]) for row in cursor.fetchall()}


# Where each fold stands and when the worker must look. A look that is planned earlier than needed is kept: the worker
# finds nothing and plans anew, and a row whose index entries stay is several times cheaper to write.
_PRESENCES = """
    UPDATE offers_presence p SET state = new.state, fix_id = new.fix_id,
      fix_event_id = new.fix_event_id, last_event_at = new.last_event_at,
      due_at = CASE WHEN p.due_at > %(now)s AND p.due_at <= new.due_at THEN p.due_at ELSE new.due_at END
    FROM unnest(%(customers)s, %(states)s, %(fixes)s, %(fix_events)s, %(last)s, %(due)s)
      AS new(customer_id, state, fix_id, fix_event_id, last_event_at, due_at)
    WHERE p.customer_id = new.customer_id
"""

# A dwell once written stays: its deadline was fired.
_BOTH = f"""
    WITH kept AS ({_PRESENCES}), written AS (
      INSERT INTO offers_visit AS v
        (customer_id, store_id, aisle_id, entered_at, last_seen_at, dwelled_at, exited_at)
      SELECT * FROM unnest(%(visitors)s, %(stores)s, %(aisles)s, %(entered)s, %(seen)s, %(dwelled)s, %(exited)s)
      ON CONFLICT (customer_id, store_id, aisle_id, entered_at) DO UPDATE
      SET last_seen_at = EXCLUDED.last_seen_at, exited_at = EXCLUDED.exited_at,
          dwelled_at = COALESCE(EXCLUDED.dwelled_at, v.dwelled_at)
      RETURNING id, customer_id, store_id, aisle_id, entered_at
    )
    SELECT w.customer_id, w.store_id, w.aisle_id, w.entered_at, w.id, s.ref, a.ref
    FROM written w JOIN offers_store s ON s.id = w.store_id LEFT JOIN offers_aisle a ON a.id = w.aisle_id
"""  # noqa: S608 - of constants


def write_folds(
    folds: Mapping[int, Folded], *, now: datetime, params: VisitParams
) -> dict[VisitKey, tuple[int, Place]]:
    """Insert or update the visits and the presences of these folds, by customer id; one statement.

    Returns each visit's row id and place.
    """
    if not folds:
        return {}
    presences = _presences(folds, now=now, params=params)
    visits = [(key_of(id_, visit), visit) for id_, fold in folds.items() for visit in fold.visits]
    with hot_cursor() as cursor:
        if not visits:
            cursor.execute(_PRESENCES, presences)
            return {}
        cursor.execute(_BOTH, {**presences, **_visits(visits)})
        return {
            row[:4]: (row[4], Place(store_id=row[1], store_ref=row[5], aisle_id=row[2], aisle_ref=row[6]))
            for row in cursor.fetchall()
        }


def _presences(folds: Mapping[int, Folded], *, now: datetime, params: VisitParams) -> dict[str, Any]:
    memories = [fold.memory for fold in folds.values()]
    return {
        "now": now,
        "customers": bigints(folds),
        "states": texts([memory_to_json(memory) for memory in memories]),
        "fixes": bigints([memory.fix and memory.fix[0] for memory in memories]),
        "fix_events": uuids([memory.fix and memory.fix[1] for memory in memories]),
        "last": instants([memory.last[0] if memory.last else None for memory in memories]),
        "due": instants([due_at(memory, params=params) for memory in memories]),
    }


def _visits(visits: Sequence[tuple[VisitKey, Visit]]) -> dict[str, Any]:
    return {
        "visitors": bigints([key[0] for key, _ in visits]),
        "stores": bigints([key[1] for key, _ in visits]),
        "aisles": bigints([key[2] for key, _ in visits]),
        "entered": instants([key[3] for key, _ in visits]),
        "seen": instants([visit.last_seen_at for _, visit in visits]),
        "dwelled": instants([visit.dwelled_at for _, visit in visits]),
        "exited": instants([visit.exited_at for _, visit in visits]),
    }


def remove_visits(gone: Sequence[tuple[int, Gone]]) -> None:
    """Delete visits that turned out to be part of another or none; what was decided in them follows.

    Three statements. Runs after write_folds, which has made the visits that take over.
    """
    if not gone:
        return
    old = [key_of(customer_id, each.visit) for customer_id, each in gone]
    columns = [
        *(bigints([key[part] for key in old]) for part in range(3)),
        instants([key[3] for key in old]),
    ]
    into = instants([each.now_part_of.entered_at if each.now_part_of else None for _, each in gone])
    with hot_cursor() as cursor:
        cursor.execute(
            """
            UPDATE offers_decision d SET visit_id = kept.id
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
              AS g(customer_id, store_id, aisle_id, entered_at, taken_over_at)
            JOIN offers_visit v ON v.customer_id = g.customer_id AND v.store_id = g.store_id
              AND v.aisle_id IS NOT DISTINCT FROM g.aisle_id AND v.entered_at = g.entered_at
            LEFT JOIN offers_visit kept ON kept.customer_id = g.customer_id AND kept.store_id = g.store_id
              AND kept.aisle_id IS NOT DISTINCT FROM g.aisle_id AND kept.entered_at = g.taken_over_at
            WHERE d.visit_id = v.id
            """,
            [*columns, into],
        )
        cursor.execute(
            """
            DELETE FROM offers_visit v
            USING unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[])
              AS g(customer_id, store_id, aisle_id, entered_at)
            WHERE v.customer_id = g.customer_id AND v.store_id = g.store_id
              AND v.aisle_id IS NOT DISTINCT FROM g.aisle_id AND v.entered_at = g.entered_at
            """,
            columns,
        )
        cursor.execute(
            """
            UPDATE offers_exposure x SET store_visit_entered_at = g.taken_over_at
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
              AS g(customer_id, store_id, aisle_id, entered_at, taken_over_at)
            WHERE x.customer_id = g.customer_id AND x.store_id = g.store_id AND g.aisle_id IS NULL
              AND x.store_visit_entered_at = g.entered_at AND g.taken_over_at IS NOT NULL
            """,
            [*columns, into],
        )
