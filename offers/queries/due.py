"""When the worker has something to do next."""

from datetime import datetime

from django.db.models import Min

from offers.models import MessageState, OutboxMessage, Presence, SendingSwitch


def next_message_at() -> datetime | None:
    """Return when the next message is due or the next lease passes; None without any, or while sending is stopped."""
    if SendingSwitch.objects.filter(is_stopped=True).exists():
        return None
    queued = OutboxMessage.objects.filter(state=MessageState.QUEUED).aggregate(at=Min("due_at"))["at"]
    leased = OutboxMessage.objects.filter(state=MessageState.SENDING).aggregate(at=Min("lease_until"))["at"]
    return min((at for at in (queued, leased) if at is not None), default=None)


def next_deadline_at() -> datetime | None:
    """Return when the next dwell or silence falls due; None without any."""
    due: datetime | None = Presence.objects.filter(due_at__isnull=False).aggregate(at=Min("due_at"))["at"]
    return due
