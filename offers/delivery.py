"""Delivery's two halves: take (claim → look again) and settle (guard → retire → write down → drop); between them: send.

`deliver_due` runs them for one batch, one after the other; offers/lane_worker.py runs them side by side. Whatever step a
worker dies in, its messages are claimed again after LEASE at the latest, and sent under the same ids.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Any

import structlog
from django.db import Error as DatabaseError

from customers.operations.dead_addresses import retire_addresses
from offers import locks
from offers.operations.dropping import drop_messages
from offers.queries.due import expired_messages
from offers.rules.second_look import DropReason
from offers.stages.deliver import (
    Answer,
    Deaths,
    Lanes,
    Looked,
    look_again,
    record_answers,
    release_messages,
)
from offers.stages.deliver.gate import judge, notify_workers

LEASE = timedelta(seconds=50)  # a worker that dies leaves its messages to the others after this

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch in a worker's hands."""

    looked: Looked
    claimed: int  # messages

    @property
    def handled(self) -> int:
        """Return how many messages this batch did something about: all but those put back while sending is stopped."""
        return self.claimed - len(self.looked.held)


def take(*, lane: str, clock: Callable[[], datetime], limit: int, params: Mapping[str, Any]) -> Taken:
    """Claim up to `limit` of the lane's due messages, and look at each again; what is not to be sent is dealt with.

    clock: the present instant, aware UTC. params: settings.RAYON. The same number of statements whatever the limit;
    one transaction more for each reason to drop and each lane to move to.
    """
    now = clock()
    claimed = locks.claim_due_messages(lane=lane, now=now, lease_until=now + LEASE, limit=limit)
    if not claimed:
        return Taken(Looked(), claimed=0)
    looked = look_again(claimed, lane=lane, now=clock(), params=params)
    release_messages(looked.held)
    for other, messages in sorted(looked.moved.items()):
        release_messages(messages, lane=other)
    _drop(looked.dropped, now=clock())
    return Taken(looked, claimed=len(claimed))


def settle(
    answers: Sequence[Answer],
    malformed: Mapping[int, int],
    *,
    lane: str,
    now: datetime,
    chance: Callable[[], float] = random,
) -> datetime | None:
    """Write down what came of messages of one lane; return when the first of those queued again is due.

    malformed: attempts by id of messages that nothing could be made of. Addresses are retired only on a provider's own
    word, and only while its lane is not stopped for calling too many of them dead.
    """
    is_stopped, is_new = judge(answers, lane=lane, now=now)
    if is_new:
        notify_workers()
        _log.error("lane_stopped_by_dead_addresses", lane=lane)
    if not is_stopped:
        retire_addresses(Deaths.among(answers).addresses)
    leftover = record_answers(answers, malformed, now=now, chance=chance)
    try:
        _drop(leftover.dropped, now=now)
    except DatabaseError as error:
        # The rest is written, and must not be written twice. These stay leased: the next worker drops them.
        _log.warning("drop_left_to_lease", lane=lane, error=type(error).__name__)
    return leftover.next_due_at


def deliver_due(
    *,
    lanes: Lanes,
    lane: str,
    clock: Callable[[], datetime],
    limit: int,
    params: Mapping[str, Any],
    chance: Callable[[], float] = random,
) -> int:
    """Deliver up to `limit` of a lane's due messages; return how many were taken on.

    No transaction is open while something is sent.
    """
    taken = take(lane=lane, clock=clock, limit=limit, params=params)
    if taken.looked.parcels or taken.looked.malformed:
        answers = lanes.send(taken.looked.parcels, clock=clock)
        settle(answers, taken.looked.malformed, lane=lane, now=clock(), chance=chance)
    return taken.handled


def drop_expired(*, clock: Callable[[], datetime], limit: int) -> int:
    """Drop up to `limit` messages whose time is over and which no worker holds, whatever their lane; return how many.

    A lane that is closed, or that nobody runs, gives back in time what its messages hold.
    """
    now = clock()
    return drop_messages(expired_messages(now=now, limit=limit), reason=DropReason.EXPIRED.value, now=now)


def _drop(messages: Mapping[str, Sequence[int]], *, now: datetime) -> None:
    # One transaction a reason: each takes its locks in order, all of them together would not.
    for reason, message_ids in sorted(messages.items()):
        dropped = drop_messages(message_ids, reason=reason, now=now)
        _log.info("messages_dropped", reason=reason, messages=dropped)
