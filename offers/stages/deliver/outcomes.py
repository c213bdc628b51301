"""What an answer makes of its message: sent, dead, dropped, or queued again, and when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from offers.gateways.port import Outcome, Receipt
from offers.rules.backoff import retry_due
from offers.rules.breaker import Sign
from offers.rules.second_look import DropReason

LANE_WAIT = timedelta(seconds=60)  # someone has to repair the lane first
LANE_SLOWED = "LANE_SLOWED"  # a gateway's own word for what it did not send, since the lane rests


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """A message's next state; `reason` with dead and dropped, `due_at` with queued."""

    state: str  # offers.models.MessageState
    reason: str = ""
    due_at: datetime | None = None
    lane: str | None = None  # None: as before


def next_step(
    receipt: Receipt,
    *,
    attempts: int,
    expires_at: datetime,
    now: datetime,
    chance: float,
    next_lane: str | None = None,
    has_device: bool = True,
) -> Next:
    """Return what becomes of a message.

    attempts: tries so far, this one counted. chance: a draw from [0, 1) for the wait. next_lane: of the push, should the
    phone's open socket not answer. has_device: False for e-mail and SMS, which have one address.
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
            if not has_device:
                return Next(state="dropped", reason=DropReason.DEAD_ADDRESS.value)
            return Next(state="queued", due_at=now)
        case Outcome.OFFERED:
            return Next(state="queued", due_at=receipt.retry_at or now, lane=next_lane)
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


def sign_of(receipt: Receipt) -> Sign:
    """Return what an answer says of its provider.

    A quota, and trouble of a third party, are answers of a provider that is well; the former makes the gateway itself
    rest the lane.
    """
    if receipt.outcome is Outcome.LANE_STOPPED:
        return Sign.STOPPED
    if receipt.outcome is Outcome.TRY_LATER:
        if receipt.provider_code == LANE_SLOWED:
            return Sign.NEUTRAL
        is_distress = receipt.status is None or receipt.status >= 500 or receipt.status == 408
        return Sign.FAILED if is_distress else Sign.NEUTRAL
    if receipt.outcome in (Outcome.EXPIRED, Outcome.OFFERED):
        return Sign.NEUTRAL
    return Sign.WELL
