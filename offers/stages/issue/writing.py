"""The rows of a batch's decisions: each table in one statement."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from offers.cursors import Column, bigints, hot_cursor, instants, ints, texts, uuids
from offers.flow import OfferTerms, Trigger, Verdict
from offers.stages.issue.claiming import Settled
from offers.stages.issue.drafts import Draft

OUTBOX_CHANNEL = "rayon_outbox"  # what the delivery worker listens to

_IDS = """
    SELECT ARRAY(SELECT nextval('offers_decision_id_seq') FROM generate_series(1, %s)),
           ARRAY(SELECT nextval('offers_coupon_id_seq') FROM generate_series(1, %s))
"""

_CODES = """
    INSERT INTO offers_couponcode (code, customer_id, coupon_id)
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[])
    ON CONFLICT (code) DO NOTHING
    RETURNING coupon_id
"""

_COUPONS = """
    INSERT INTO offers_coupon (id, customer_id, offer_id, revision, code, state, terms, reason, store_id, aisle_id,
                               issued_at, valid_from, valid_until, revoked_reason)
    SELECT t.id, t.customer_id, t.offer_id, t.revision, t.code, 'issued', t.terms, t.reason, t.store_id,
           t.aisle_id, t.valid_from, t.valid_from, t.valid_until, ''
      FROM ROWS FROM (
               unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::int[], %s::text[], %s::text[], %s::bigint[],
                      %s::bigint[], %s::timestamptz[], %s::timestamptz[]),
               jsonb_array_elements(%s::jsonb))
        AS t(id, customer_id, offer_id, revision, code, reason, store_id, aisle_id, valid_from, valid_until, terms)
"""

_DECISIONS = """
    INSERT INTO offers_decision (id, customer_id, event_id, event_uid, visit_id, store_id, aisle_id, transition,
                                 outcome, reason, offer_id, coupon_id, candidates, decided_at)
    SELECT COALESCE(t.id, nextval('offers_decision_id_seq')), t.customer_id, t.event_id, t.event_uid, t.visit_id, t.store_id, t.aisle_id, t.transition,
           t.outcome, t.reason, t.offer_id, t.coupon_id, t.candidates, %s
      FROM ROWS FROM (
               unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[],
                      %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[]),
               jsonb_array_elements(%s::jsonb))
        AS t(id, customer_id, event_id, event_uid, visit_id, store_id, aisle_id, transition, outcome, reason,
             offer_id, coupon_id, candidates)
"""

_EXPOSURES = """
    INSERT INTO offers_exposure (customer_id, offer_id, revision, arm, decision_id, coupon_id, store_id,
                                 store_visit_entered_at, exposed_at)
    SELECT t.*, %s
      FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],
                  %s::timestamptz[])
        AS t(customer_id, offer_id, revision, arm, decision_id, coupon_id, store_id, entered_at)
"""

# For a push: the phone that sent the event, if it has an address; else the one last seen that has. Its platform is the
# lane; another channel is a lane of its own.
_MESSAGES = """
    INSERT INTO offers_outboxmessage (message_id, customer_id, coupon_id, channel, device_id, lane, state, reason,
                                      attempts, created_at, due_at, expires_at)
    SELECT gen_random_uuid(), t.customer_id, t.coupon_id, t.channel, d.id,
           CASE WHEN t.channel = 'push' THEN COALESCE(d.platform, 'fcm') ELSE t.channel END,
           'queued', '', 0, %s, %s, t.expires_at
      FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[])
        AS t(customer_id, coupon_id, channel, device_id, expires_at)
      LEFT JOIN LATERAL (
           SELECT d.id, d.platform FROM customers_device d
            WHERE d.customer_id = t.customer_id AND d.active
              AND COALESCE(d.fcm_id, d.apns_id, d.webpush_id) IS NOT NULL
            ORDER BY COALESCE(d.device_id = t.device_id, false) DESC, d.last_seen_at DESC, d.id DESC
            LIMIT 1) d ON t.channel = 'push'
"""


def draw_ids(*, decisions: int, coupons: int) -> tuple[list[int], list[int]]:
    """Return that many fresh primary keys of offers_decision and of offers_coupon, rising."""
    with hot_cursor() as cursor:
        cursor.execute(_IDS, [decisions, coupons])
        decision_ids, coupon_ids = cursor.fetchone()
    return sorted(decision_ids), sorted(coupon_ids)


def claim_codes(codes: Mapping[int, tuple[str, int]]) -> set[int]:
    """Claim (code, customer id) per coupon id; return the coupons whose code nobody else had."""
    with hot_cursor() as cursor:
        cursor.execute(
            _CODES,
            [
                texts([code for code, _ in codes.values()]),
                bigints([customer for _, customer in codes.values()]),
                bigints(codes),
            ],
        )
        return {coupon_id for (coupon_id,) in cursor.fetchall()}


def write_coupons(drafts: Sequence[Draft]) -> None:
    _insert(
        _COUPONS,
        (bigints, bigints, bigints, ints, texts, texts, bigints, bigints, instants, instants),
        [
            (
                one.coupon_id,
                one.trigger.customer_id,
                one.terms.offer_id,
                one.terms.revision,
                one.code,
                one.reason,
                *_place(one.trigger),
                one.valid_from,
                one.valid_until,
            )
            for one in drafts
        ],
        documents=[one.shown for one in drafts],
    )


def write_decisions(
    triggers: Sequence[Trigger],
    settled: Sequence[Settled],
    drafts: Mapping[int, Draft],
    terms: Mapping[int, OfferTerms],
    *,
    ids: Sequence[int | None],
    now: datetime,
) -> None:
    """Write one decision per trigger, in their order. ids: None where nothing refers to it; it is then drawn here."""
    _insert(
        _DECISIONS,
        (bigints, bigints, bigints, uuids, bigints, bigints, bigints, texts, texts, texts, bigints, bigints),
        [
            (
                ids[index],
                trigger.customer_id,
                trigger.event_row_id,
                trigger.event_id,
                trigger.visit_id,
                *_place(trigger),
                trigger.transition or "",
                "issued" if one.reason == "issued" else "none",
                one.reason,
                one.winner.candidate.offer_id if one.winner else None,
                drafts[index].coupon_id if index in drafts else None,
            )
            for index, (trigger, one) in enumerate(zip(triggers, settled, strict=True))
        ],
        now,
        documents=[_losers_too(one, terms) for one in settled],
    )


def write_exposures(
    triggers: Sequence[Trigger],
    settled: Sequence[Settled],
    drafts: Mapping[int, Draft],
    terms: Mapping[int, OfferTerms],
    *,
    ids: Sequence[int | None],
    now: datetime,
) -> None:
    """Write one exposure per winner: of the treated arm with its coupon, of the hold-out without one."""
    rows = []
    for index, (trigger, one) in enumerate(zip(triggers, settled, strict=True)):
        if one.winner is None:
            continue
        offer = terms[one.winner.candidate.offer_id]
        coupon_id = drafts[index].coupon_id if index in drafts else None
        arm = "holdout" if coupon_id is None else "treated"
        entered_at = trigger.store_visit_entered_at or trigger.occurred_at
        store_id, _ = _place(trigger)
        rows.append(
            (
                trigger.customer_id,
                offer.offer_id,
                offer.revision,
                arm,
                ids[index],
                coupon_id,
                store_id,
                entered_at,
            )
        )
    kinds = (bigints, bigints, ints, texts, bigints, bigints, bigints, instants)
    _insert(_EXPOSURES, kinds, rows, now)


def write_messages(drafts: Sequence[Draft], *, now: datetime) -> None:
    """Write one queued message per coupon and wake the worker when the transaction commits."""
    if not drafts:
        return
    _insert(
        _MESSAGES,
        (bigints, bigints, texts, texts, instants),
        [
            (one.trigger.customer_id, one.coupon_id, one.channel, one.trigger.device_id, one.expires_at)
            for one in drafts
        ],
        now,
        now,
    )
    with hot_cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [OUTBOX_CHANNEL])


def _insert(
    statement: str,
    kinds: Sequence[Callable[[Iterable[Any]], Column]],
    rows: Sequence[tuple[Any, ...]],
    *before: Any,
    documents: Sequence[Any] | None = None,
) -> None:
    """Run a statement that unnests one array per column, after the parameters that come before them.

    kinds: one maker of a column for each value of a row, in the same order.
    documents: one JSON value per row, sent as one array in one text: many texts would be escaped one by one.
    """
    if not rows:
        return
    columns: list[Any] = [kind(column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]
    if documents is not None:
        columns.append(msgspec.json.encode(documents).decode())
    with hot_cursor() as cursor:
        cursor.execute(statement, [*before, *columns])


def _place(trigger: Trigger) -> tuple[int | None, int | None]:
    return (trigger.place.store_id, trigger.place.aisle_id) if trigger.place else (None, None)


def _losers_too(one: Settled, terms: Mapping[int, OfferTerms]) -> list[dict[str, Any]]:
    """Return what Decision.candidates keeps: every offer that was looked at, best first, with its reason.

    An eligible offer that stood behind the winner reads frequency_cap: one message per store visit.
    """
    return [
        {
            "offer": terms[verdict.candidate.offer_id].ref,
            "revision": terms[verdict.candidate.offer_id].revision,
            "reason": _reason(verdict, one),
            **({"rule": verdict.rule} if verdict.rule else {}),
            **_kept(verdict, one),
        }
        for verdict in one.verdicts
    ]


def _reason(verdict: Verdict, one: Settled) -> str:
    if one.winner is not None and verdict.candidate is one.winner.candidate:
        return one.reason
    if verdict.candidate.offer_id in one.sold_out:
        return "sold_out"
    return "frequency_cap" if verdict.reason in ("issued", "holdout") else verdict.reason


def _kept(verdict: Verdict, one: Settled) -> Mapping[str, float]:
    """Return the numbers; where the first choice was sold out, chance did not choose what was given: none is told."""
    if not one.sold_out:
        return verdict.numbers
    return {name: value for name, value in verdict.numbers.items() if name != "propensity"}
