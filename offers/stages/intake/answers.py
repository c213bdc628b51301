"""The first answer to an event, read back for the phone that sends it again."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from offers.cursors import bigints, hot_cursor, uuids
from offers.flow import CouponIssued, DecisionMade, Place
from offers.rules.coupon_codes import grouped

Key = tuple[int, str]  # customer, event id


def first_decisions(keys: Sequence[Key], *, now: datetime) -> dict[Key, tuple[DecisionMade, ...]]:
    """Return the decisions that these events led to, in the order they were made; the coupon as it stands now."""
    with hot_cursor() as cursor:
        cursor.execute(
            """
            SELECT d.customer_id, d.event_uid::text, d.transition, d.outcome, d.reason, s.id, s.ref, a.id, a.ref,
              c.code, c.state, o.ref, c.terms::text, cs.ref, ca.ref, c.issued_at, c.valid_from, c.valid_until, c.reason
            FROM unnest(%s::bigint[], %s::uuid[]) AS sent(customer_id, event_uid)
            JOIN offers_decision d USING (customer_id, event_uid)
            LEFT JOIN offers_store s ON s.id = d.store_id
            LEFT JOIN offers_aisle a ON a.id = d.aisle_id
            LEFT JOIN offers_coupon c ON c.id = d.coupon_id
            LEFT JOIN offers_offer o ON o.id = c.offer_id
            LEFT JOIN offers_store cs ON cs.id = c.store_id
            LEFT JOIN offers_aisle ca ON ca.id = c.aisle_id
            ORDER BY d.id
            """,
            [bigints(key[0] for key in keys), uuids(key[1] for key in keys)],
        )
        found: defaultdict[Key, list[DecisionMade]] = defaultdict(list)
        for row in cursor.fetchall():
            found[row[0], row[1]].append(_decision(row[2:], now=now))
    return {key: tuple(decisions) for key, decisions in found.items()}


def _decision(row: Sequence[Any], *, now: datetime) -> DecisionMade:
    transition, outcome, reason, store_id, store_ref, aisle_id, aisle_ref, *coupon = row
    place = None
    if transition and store_id is not None:
        place = Place(store_id=store_id, store_ref=store_ref, aisle_id=aisle_id, aisle_ref=aisle_ref)
    return DecisionMade(
        transition=transition or None,
        place=place,
        outcome=outcome,
        reason=reason,
        coupon=_coupon(coupon, now=now) if coupon[0] is not None else None,
    )


def _coupon(row: Sequence[Any], *, now: datetime) -> CouponIssued:
    code, state, offer, raw_terms, store, aisle, issued_at, valid_from, valid_until, reason = row
    terms = json.loads(raw_terms)
    return CouponIssued(
        code=grouped(code),
        state="expired" if state == "issued" and valid_until <= now else state,
        offer=offer,
        title=terms["title"],
        body=terms["body"],
        image_url=terms["image_url"] or None,
        benefit=terms["benefit"],
        target=terms["target"],
        store=store,
        aisle=aisle,
        issued_at=issued_at,
        valid_from=valid_from,
        valid_until=valid_until,
        reason=reason,
        notice=terms.get("notice", ""),
        reference_prices=terms.get("reference_prices", ()),
    )
