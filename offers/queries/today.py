"""What happened in a period, counted for the staff's first page: each count is one query on an index."""

from datetime import datetime

from django.db.models import Count

from offers.models import Decision, LocationEvent, OutboxMessage


def count_events(*, since: datetime) -> int:
    return LocationEvent.objects.filter(received_at__gte=since).count()


def count_decisions(*, since: datetime) -> dict[str, int]:
    """Return how many decisions came out with each reason, the most frequent first."""
    rows = Decision.objects.filter(decided_at__gte=since).values_list("reason")
    return dict(rows.annotate(number=Count("id")).order_by("-number", "reason"))


def count_messages(*, since: datetime) -> dict[str, int]:
    """Return how many messages of the period's decisions stand in each state."""
    rows = OutboxMessage.objects.filter(coupon__decision__decided_at__gte=since).values_list("state")
    return dict(rows.annotate(number=Count("id")).order_by("state"))
