"""Reviews of last-minute deals: what each costs now, how many may be told, and whether it stops; docs/algorithms/yield.md."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from offers import locks
from offers.models import Capacity, DealState, Offer
from offers.operations.dropping import drop_messages
from offers.operations.yields.facts import DealFacts, gather, instant
from offers.operations.yields.judging import Judged, judge
from offers.operations.yields.teaching import taught
from offers.operations.yields.writing import shown_with, write
from offers.rules.yields.stopping import StopReason

__all__ = ["close_deal", "drop_stopped", "instant", "open_deal", "preview_deal", "review_deals"]

BATCH = 1_000  # deals of one transaction
DROP_REASON = "deal_stopped"

# After these nobody is to hear of the deal any more, not even who waits for a message. The other stops come of what
# coupons hold, those of waiting messages among them: to take these back would end the stop again.
CANCELLING = (StopReason.BY_STAFF, StopReason.OVER, StopReason.TOO_LATE, StopReason.NOT_WORTH_IT)

_WAITING = """
    SELECT m.id FROM offers_outboxmessage m
      JOIN offers_coupon c ON c.id = m.coupon_id
      JOIN offers_dealstate d ON d.offer_id = c.offer_id
     WHERE m.state = 'queued' AND d.stop_reason = ANY(%s)
     ORDER BY m.id LIMIT %s
"""


def review_deals(*, now: datetime, params: Mapping[str, Any], limit: int = BATCH) -> int:
    """Review the deals that are due, or whose units were claimed since the last review; return how many.

    params: settings.RAYON. Transactions of up to `limit` deals, each of as many statements as for one deal; deals that
    another review holds are left to it. What waits to be sent on a deal that has stopped is dropped afterwards.
    """
    reviewed = 0
    while True:
        with transaction.atomic():
            found = locks.claim_due_deals(now=now, limit=limit)
            _review(found, now=now, params=params)
        reviewed += len(found)
        if len(found) < limit:
            break
    drop_stopped(now=now)
    return reviewed


def open_deal(*, offer: Offer, now: datetime) -> None:
    """Start a deal that goes live, or start it anew with its changed terms, and review it at once.

    Must run inside the transaction that holds the offer (offers.locks.lock_offer), before it locks the targets.
    """
    anew = {
        "is_open": True,
        "due_at": now,
        "reviewed_at": now,
        "held_until": now,
        "wave_opened_at": None,
        "is_stopped": False,
        "stop_reason": "",
    }
    DealState.objects.update_or_create(offer=offer, defaults=anew)
    _review([offer.pk], now=now, params=settings.RAYON)


def preview_deal(
    *,
    deal: Mapping[str, Any],
    minutes_after_issue: int,
    trigger_places: str,
    trigger_on: str,
    claimed: int,
    now: datetime,
    offer: Offer | None = None,
    category: str = "",
) -> Judged:
    """Return what a deal (Offer.deal) would do if it were published at `now`. Writes nothing.

    claimed: its units that are sold or held by coupons already. offer: the one that is changed, whose sales teach; None:
    a new one. category: ref, of the target.
    """
    state = None if offer is None else DealState.objects.filter(offer=offer).first()
    facts = DealFacts(
        offer_id=0 if offer is None else offer.pk,
        deal=deal,
        is_live=True,
        valid_until=instant(deal["deadline"]),
        minutes_after_issue=minutes_after_issue,
        trigger_places=trigger_places,
        trigger_on=trigger_on,
        units=deal["units"],
        claimed=claimed,
        wave_left=0,
        depth_bp=0,
        held_until=now,
        wave_number=0,
        wave_opened_at=None,
        stop_reason="",
        redeemed=0,
        expired=0,
        ages_min=(),
        lives_min=(),
        category=category,
        shown=() if state is None else state.shown,
    )
    [judged] = judge(taught([facts], now=now), now=now, params=settings.RAYON)
    return judged


def close_deal(*, offer: Offer, now: datetime) -> None:
    """End the reviews of a deal that is no longer live, or no deal any more; a deal gives nothing more.

    Must run inside the transaction that holds the offer: what the deal showed ends here.
    """
    shown = DealState.objects.filter(offer=offer).values_list("shown", flat=True).first()
    if shown is not None:
        DealState.objects.filter(offer=offer).update(is_open=False, shown=shown_with(shown, None, now=now))
        Capacity.objects.filter(offer=offer).update(wave_left=None if offer.deal is None else 0)


def drop_stopped(*, now: datetime, limit: int = BATCH) -> int:
    """Drop what waits to be sent on deals that have stopped for good; return how many messages."""
    dropped = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, [list(CANCELLING), limit])
            waiting = [message_id for (message_id,) in cursor.fetchall()]
        dropped += drop_messages(waiting, reason=DROP_REASON, now=now)
        if len(waiting) < limit:
            return dropped


def _review(offer_ids: Collection[int], *, now: datetime, params: Mapping[str, Any]) -> None:
    """Review deals whose rows this transaction holds; one that cannot be reviewed any more is closed."""
    if not offer_ids:
        return
    facts = taught(gather(list(offer_ids), now=now), now=now)
    write(judge(facts, now=now, params=params), now=now)
    gone = set(offer_ids) - {one.offer_id for one in facts}
    if gone:
        DealState.objects.filter(offer_id__in=gone).update(is_open=False)
