"""The one switch that stops all sending at once, and who threw it and why."""

from datetime import datetime

from django.db import connection, transaction

from offers.models import SendingSwitch

OUTBOX_CHANNEL = "rayon_outbox"  # what the delivery worker listens to


class NoReason(ValueError):
    """Sending is not stopped or resumed without somebody's name and a reason."""


def stop_sending(*, who: str, why: str, now: datetime) -> bool:
    """Stop all sending; return whether it was on until now.

    Messages wait where they are and go stale; what is with a provider already cannot be called back. Raises NoReason.
    """
    return _throw(is_stopped=True, who=who, why=why, now=now)


def resume_sending(*, who: str, why: str, now: datetime) -> bool:
    """Send again; return whether it was stopped until now. What is still worth its arrival goes out. Raises NoReason."""
    return _throw(is_stopped=False, who=who, why=why, now=now)


def _throw(*, is_stopped: bool, who: str, why: str, now: datetime) -> bool:
    if not who.strip() or not why.strip():
        raise NoReason("Both who and why must be given.")
    with transaction.atomic():
        SendingSwitch.objects.get_or_create(id=1)
        was_other = SendingSwitch.objects.filter(id=1, is_stopped=not is_stopped).update(
            is_stopped=is_stopped, why=why.strip()[:300], changed_by=who.strip()[:150], changed_at=now
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [OUTBOX_CHANNEL])
    return bool(was_other)
