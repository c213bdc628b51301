"""One batch of the outbox, from the claim to the last word: claim → look again → send → write down → drop."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import random
from typing import Any

import structlog

from customers.operations.dead_addresses import retire_addresses
from offers import locks
from offers.operations.dropping import drop_messages
from offers.stages.deliver import Deaths, Lanes, look_again, record_answers, release_messages

LEASE = timedelta(seconds=60)  # a worker that dies leaves its messages to the others after this

_log = structlog.get_logger(__name__)


def deliver_due(
    *,
    lanes: Lanes,
    clock: Callable[[], datetime],
    limit: int,
    params: Mapping[str, Any],
    chance: Callable[[], float] = random,
) -> int:
    """Deliver up to `limit` messages that are due; return how many were taken on.

    clock: the present instant, aware UTC; time passes while providers are waited for. params: settings.RAYON.
    Effects: no transaction is open while something is sent. Whatever step this dies in, its messages are claimed
    again after LEASE at the latest, and sent under the same ids.
    """
    now = clock()
    claimed = locks.claim_due_messages(now=now, lease_until=now + LEASE, limit=limit)
    if not claimed:
        return 0
    looked = look_again(claimed, now=clock(), params=params)
    release_messages(looked.held)
    _drop(looked.dropped, now=clock())
    answers = lanes.send(looked.parcels, clock=clock)
    retire_addresses(Deaths.among(answers).addresses)
    leftover = record_answers(answers, looked.malformed, now=clock(), chance=chance)
    _drop(leftover.dropped, now=clock())
    return len(claimed) - len(looked.held)


def _drop(messages: Mapping[str, Sequence[int]], *, now: datetime) -> None:
    # One transaction a reason: each takes its locks in order, all of them together would not.
    for reason, message_ids in sorted(messages.items()):
        dropped = drop_messages(message_ids, reason=reason, now=now)
        _log.info("messages_dropped", reason=reason, messages=dropped)
