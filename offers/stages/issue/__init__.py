"""Who gets what: capacity is claimed, then decisions, coupons, exposures and outbox rows are written together."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from offers import locks
from offers.flow import Choice, CustomerFacts, DecisionMade, OfferTerms, Trigger
from offers.rules.coupon_codes import new_code
from offers.stages.issue import writing
from offers.stages.issue.claiming import Claims, Settled, settle
from offers.stages.issue.drafts import Draft, draft
from offers.stages.issue.drafts import issued as as_issued

TOO_MANY_COLLISIONS = 5


class CannotDrawCode(Exception):
    """The source of random bytes gave codes that were all taken: it is broken."""


def issue(
    triggers: Sequence[Trigger],
    choices: Sequence[Choice],
    terms: Mapping[int, OfferTerms],
    facts: Mapping[int, CustomerFacts],
    *,
    now: datetime,
    params: Mapping[str, Any],
    random_bytes: Callable[[int], bytes],
    claims: Claims = locks,
) -> list[DecisionMade]:
    """Issue what was chosen and return the decision of each trigger, in the same order.

    choices: one per trigger, same order. random_bytes(n): n unpredictable bytes (secrets.token_bytes). claims: who is
    asked for units.
    Effects: one row in offers_decision per trigger; per coupon also its code, its exposure and its outbox row; per
    held-out winner an exposure alone; wakes the delivery worker at commit. Up to ten queries, one where nobody wins,
    whatever the batch's size. Must run inside the transaction that holds the customers' presences: the capacities are
    locked until it ends. Raises CannotDrawCode.
    """
    if not triggers:
        return []
    with transaction.atomic(savepoint=False):
        settled = settle(choices, terms, claims=claims)
        winning = [
            (index, one.winner) for index, one in enumerate(settled) if one.winner and one.reason == "issued"
        ]
        decision_ids, coupon_ids = _draw_ids(settled, coupons=len(winning))
        codes = _claim_codes(
            {
                coupon_id: triggers[index].customer_id
                for (index, _), coupon_id in zip(winning, coupon_ids, strict=True)
            },
            random_bytes=random_bytes,
        )
        drafts = {
            index: draft(
                trigger=triggers[index],
                winner=winner,
                terms=terms[winner.candidate.offer_id],
                facts=facts[triggers[index].customer_id],
                coupon_id=coupon_id,
                code=codes[coupon_id],
                now=now,
                params=params,
            )
            for (index, winner), coupon_id in zip(winning, coupon_ids, strict=True)
        }
        writing.write_coupons(list(drafts.values()))
        writing.write_decisions(triggers, settled, drafts, terms, ids=decision_ids, now=now)
        writing.write_exposures(triggers, settled, drafts, terms, ids=decision_ids, now=now)
        writing.write_messages(list(drafts.values()), now=now)
    return [_made(trigger, settled[index], drafts.get(index)) for index, trigger in enumerate(triggers)]


def _draw_ids(settled: Sequence[Settled], *, coupons: int) -> tuple[Sequence[int | None], Sequence[int]]:
    """Return an id per decision, None for all where no exposure will refer to any, and the coupons' ids."""
    if any(one.winner for one in settled):
        return writing.draw_ids(decisions=len(settled), coupons=coupons)
    return [None] * len(settled), []


def _claim_codes(customers: Mapping[int, int], *, random_bytes: Callable[[int], bytes]) -> dict[int, str]:
    """Return a code per coupon id that no other coupon has; one that is taken is drawn again."""
    codes: dict[int, str] = {}
    for _ in range(TOO_MANY_COLLISIONS):
        drawn = {
            coupon_id: (new_code(random_bytes), customer_id)
            for coupon_id, customer_id in customers.items()
            if coupon_id not in codes
        }
        if not drawn:
            return codes
        codes.update({coupon_id: drawn[coupon_id][0] for coupon_id in writing.claim_codes(drawn)})
    if len(codes) < len(customers):
        raise CannotDrawCode(f"{TOO_MANY_COLLISIONS} draws, and codes were taken each time.")
    return codes


def _made(trigger: Trigger, one: Settled, made: Draft | None) -> DecisionMade:
    return DecisionMade(
        transition=trigger.transition,
        place=trigger.place if trigger.transition else None,
        outcome="issued" if made else "none",
        reason=one.reason,
        coupon=as_issued(made) if made else None,
    )
