"""Whether this service can do its work."""

from datetime import datetime

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min, Q, QuerySet

from offers.models import Lane, MessageState, OutboxMessage, SendingSwitch


def count_missing_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def is_writable() -> bool:
    """Return False on a standby and on a server that was set read-only."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        return cursor.fetchone()[0] == "off"


def oldest_due_age_s(*, now: datetime) -> float:
    """Return for how long the oldest due message has waited, in seconds; 0 while sending is stopped on purpose.

    What waits for a provider whose lane is closed is not counted: servers must not be taken for ill on its account.
    """
    if SendingSwitch.objects.filter(is_stopped=True).exists():
        return 0.0
    closed = closed_lanes().values_list("name", flat=True)
    due = OutboxMessage.objects.filter(state=MessageState.QUEUED, due_at__lte=now).exclude(lane__in=closed)
    oldest = due.aggregate(oldest=Min("due_at"))["oldest"]
    return (now - oldest).total_seconds() if oldest is not None else 0.0


def closed_lanes() -> QuerySet[Lane]:
    """Return the lanes that send nothing: stopped by their guard, or with an open breaker."""
    return Lane.objects.filter(Q(stopped_at__isnull=False) | Q(open_until__isnull=False)).order_by("name")
