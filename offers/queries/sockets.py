"""What the sockets' doors read: whose credentials still hold, coupons to offer, and a store's news."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customers.models import BearerToken
from offers.models import Coupon, CouponState, Decision, MessageState, OutboxMessage

MAX_NEWS = 1000


def list_dead_tokens(digests: Collection[bytes], *, now: datetime) -> set[bytes]:
    """Return which of these tokens (SHA-256) are expired, replaced, revoked, or of somebody who was erased. One query."""
    alive = BearerToken.objects.filter(
        digest__in=list(digests), expires_at__gt=now, customer__erased_at__isnull=True
    ).values_list("digest", flat=True)
    return set(digests) - {bytes(digest) for digest in alive}


def list_waiting_coupons(message_ids: Collection[UUID], *, now: datetime) -> dict[UUID, Coupon]:
    """Return the coupons whose messages (ids of the outbox's messages) still wait for their phone, by message id."""
    waiting = OutboxMessage.objects.filter(
        message_id__in=message_ids,
        state__in=[MessageState.QUEUED, MessageState.SENDING],
        expires_at__gt=now,
        coupon__state=CouponState.ISSUED,
    )
    rows = waiting.select_related("coupon", "coupon__offer", "coupon__store", "coupon__aisle").order_by("id")
    return {row.message_id: row.coupon for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreNews:
    """A decision as a store's staff see it: nothing in it says whose it is."""

    decision_id: int
    decided_at: datetime
    store_id: int
    store_ref: str
    aisle_ref: str | None
    transition: str
    outcome: str
    reason: str
    offer_ref: str | None


def list_store_news(store_ids: Sequence[int], *, since: datetime) -> list[StoreNews]:
    """Return what was decided in these stores from `since` on, the oldest first; at most MAX_NEWS, the newest. One query."""
    decisions = Decision.objects.filter(decided_at__gte=since, store_id__in=store_ids).exclude(transition="")
    rows = decisions.order_by("-decided_at", "-id").values_list(
        "id",
        "decided_at",
        "store_id",
        "store__ref",
        "aisle__ref",
        "transition",
        "outcome",
        "reason",
        "offer__ref",
    )[:MAX_NEWS]
    return [
        StoreNews(
            decision_id=row[0],
            decided_at=row[1],
            store_id=row[2],
            store_ref=row[3],
            aisle_ref=row[4],
            transition=row[5],
            outcome=row[6],
            reason=row[7],
            offer_ref=row[8],
        )
        for row in reversed(rows)
    ]
