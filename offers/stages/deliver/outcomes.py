"""What an answer makes of its message: sent, dead, dropped, or queued again, and when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from offers.gateways.port import Outcome, Receipt
from offers.rules.backoff import retry_due
from offers.rules.second_look import DropReason

LANE_WAIT = timedelta(seconds=60)  # someone has to repair the lane first


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """A message's next state; `reason` with dead and dropped, `due_at` with queued."""

    state: str  # offers.models.MessageState
    reason: str = ""
    due_at: datetime | None = None


def next_step(receipt: Receipt, *, attempts: int, expires_at: datetime, now: datetime, chance: float) -> Next:
    """Return what becomes of a message.

    attempts: tries so far, this one counted. chance: a draw from [0, 1) for the wait.
    A dead address queues the message at once: the second look finds the customer's next device, or none.
    What a socket was offered is queued for the push; its acknowledgement comes before that, or not at all.
    """
    match receipt.outcome:
        case Outcome.ACCEPTED:
            return Next(state="sent")
        case Outcome.OUR_FAULT:
            return Next(state="dead", reason=(receipt.provider_code or "our_fault").lower()[:48])
        case Outcome.EXPIRED:
            return Next(state="dropped", reason=DropReason.EXPIRED.value)
        case Outcome.DEAD_TOKEN:
            return Next(state="queued", due_at=now)
        case Outcome.OFFERED:
            return Next(state="queued", due_at=receipt.retry_at or now)
        case Outcome.LANE_STOPPED:
            # Looked at once more when it expires, so that it gives back in time what it holds.
            return Next(state="queued", due_at=min(now + LANE_WAIT, expires_at))
        case Outcome.TRY_LATER:
            due_at = retry_due(attempts=attempts, asked=receipt.retry_at, now=now, chance=chance)
            if due_at >= expires_at:
                return Next(state="dropped", reason=DropReason.EXPIRED.value)
            return Next(state="queued", due_at=due_at)
        case never:
            assert_never(never)
