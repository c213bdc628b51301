"""Letting a lane of delivery go on after its dead-token guard stopped it."""

from django.db import connection, transaction

from offers.models import Lane
from offers.operations.sending import OUTBOX_CHANNEL


def resume_lane(name: str) -> bool:
    """Let the lane's messages out again; return whether it was stopped until now.

    What the guard remembers is forgotten, so that it judges by answers to come. Wakes the workers.
    """
    with transaction.atomic():
        was_stopped = Lane.objects.filter(name=name, stopped_at__isnull=False).update(
            stopped_at=None, recent=""
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [OUTBOX_CHANNEL])
    return bool(was_stopped)
