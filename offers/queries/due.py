"""When the workers have something to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Min

from offers.models import MessageState, OutboxMessage, Presence

_LANES = """
    SELECT t.name,
           (SELECT min(due_at) FROM offers_outboxmessage WHERE lane = t.name AND state = 'queued'),
           (SELECT min(lease_until) FROM offers_outboxmessage WHERE lane = t.name AND state = 'sending'),
           EXISTS (SELECT FROM offers_sendingswitch WHERE is_stopped) OR l.stopped_at IS NOT NULL,
           l.open_until
      FROM unnest(%s::text[]) AS t(name) LEFT JOIN offers_lane l ON l.name = t.name
"""

_EXPIRED = """
    (SELECT id FROM offers_outboxmessage WHERE state = 'queued' AND expires_at <= %(now)s
      ORDER BY expires_at LIMIT %(limit)s)
    UNION ALL
    (SELECT id FROM offers_outboxmessage WHERE state = 'sending' AND lease_until <= %(now)s AND expires_at <= %(now)s
      LIMIT %(limit)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneNews:
    """How a lane stands."""

    name: str
    due_at: datetime | None  # the first of its messages: due, or left by a worker; None without any
    is_stopped: bool  # by the switch, or by its dead-token guard
    open_until: datetime | None  # of its breaker; None: messages go through


def lane_news(names: Sequence[str]) -> list[LaneNews]:
    """Return how these lanes stand, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LANES, [list(names)])
        rows = cursor.fetchall()
    return [
        LaneNews(
            name=name,
            due_at=min((at for at in (queued, leased) if at is not None), default=None),
            is_stopped=is_stopped,
            open_until=open_until,
        )
        for name, queued, leased, is_stopped, open_until in rows
    ]


def expired_messages(*, now: datetime, limit: int) -> list[int]:
    """Return messages whose time is over and which no worker holds, at most `limit` of either kind."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRED, {"now": now, "limit": limit})
        return [row_id for (row_id,) in cursor.fetchall()]


def next_expiry_at() -> datetime | None:
    """Return when the next message's time is over that waits; None without any."""
    waiting = OutboxMessage.objects.filter(state=MessageState.QUEUED)
    at: datetime | None = waiting.aggregate(at=Min("expires_at"))["at"]
    return at


def next_deadline_at() -> datetime | None:
    """Return when the next dwell or silence falls due; None without any."""
    due: datetime | None = Presence.objects.filter(due_at__isnull=False).aggregate(at=Min("due_at"))["at"]
    return due
