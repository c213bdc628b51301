"""Phones' events, and the visits that follow from them."""

from typing import Any

from django.contrib.gis.db import models
from django.db.models import Q

from customers.models import Customer
from offers.models.places import Aisle, Store

# Stores and aisles are never deleted, only marked removed, so rows written for every step of every phone may
# point at them without a check.
UNCHECKED: Any = {"db_constraint": False, "db_index": False, "on_delete": models.DO_NOTHING}
# A customer's row stays when they are erased, and whoever writes holds its presence, whose customer is checked.
OF_CUSTOMER: Any = {"db_constraint": False, "db_index": False, "on_delete": models.CASCADE}


class EventType(models.TextChoices):
    ENTER = "enter", "Enter"
    EXIT = "exit", "Exit"
    DWELL = "dwell", "Dwell"
    FIX = "fix", "Fix"
    BEACON = "beacon", "Beacon"


class LocationEvent(models.Model):
    """One event of a phone, on disk before it is acknowledged.

    The table is cut by day of receipt: `id` begins with that instant (offers.rules.event_ids). Each day's table has
    one index that is kept row by row, unique, on (customer, event_id): what a repeated event and a refold look up.
    `lat`, `lon` and `accuracy_m` are nulled by the retention purge after 24 h; the row itself lives 90 days.
    `verdict` names why the event was not acted on (offers.rules.eligibility.Reason); empty: it was.
    """

    customer = models.ForeignKey(Customer, related_name="location_events", **OF_CUSTOMER)
    event_id = models.UUIDField()
    digest = models.BinaryField(max_length=32)  # SHA-256 of the parsed body
    device_id = models.CharField(max_length=128)
    type = models.CharField(max_length=8, choices=EventType)
    # no database constraint: each check would lock the one store row that all its visitors share
    store = models.ForeignKey(Store, null=True, blank=True, related_name="+", **UNCHECKED)
    aisle = models.ForeignKey(Aisle, null=True, blank=True, related_name="+", **UNCHECKED)
    rssi_dbm = models.SmallIntegerField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    lon = models.FloatField(null=True, blank=True)
    accuracy_m = models.FloatField(null=True, blank=True)
    is_mock = models.BooleanField(default=False)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    verdict = models.CharField(max_length=24, blank=True, default="")

    class Meta:
        constraints = [
            # written as ranges: NaN fails them
            models.CheckConstraint(
                name="event_position_in_range",
                condition=Q(lat__isnull=True, lon__isnull=True)
                | Q(lat__range=(-90, 90), lon__range=(-180, 180)),
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.pk}"


class Visit(models.Model):
    """A customer's stay at a store, or at an aisle within it: [entered_at, exited_at).

    `last_seen_at` is as of the visit's last step; in between, Presence alone knows.
    """

    customer = models.ForeignKey(Customer, related_name="visits", **OF_CUSTOMER)
    store = models.ForeignKey(Store, related_name="visits", **UNCHECKED)
    aisle = models.ForeignKey(Aisle, null=True, blank=True, related_name="visits", **UNCHECKED)
    entered_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    dwelled_at = models.DateTimeField(null=True, blank=True)
    exited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "store", "aisle", "entered_at"], name="visit_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="visit_ends_after_it_begins",
                condition=Q(exited_at__isnull=True) | Q(exited_at__gte=models.F("entered_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"visit {self.pk}"


class Presence(models.Model):
    """Where the fold over a customer's events stands; the row that serialises all work on one customer.

    `state` is the JSON of offers.stages.visits.memory, or empty, which the database never reads; `fix` is the
    event that holds the last believed position. At `due_at` the worker looks at it: at the earliest deadline in it
    (a dwell, or the end of a silent visit) or before.
    """

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="presence")
    state = models.TextField(blank=True, default="")
    fix = models.ForeignKey(LocationEvent, null=True, blank=True, related_name="+", **UNCHECKED)
    fix_event_id = models.UUIDField(null=True, blank=True)  # its own id, by which it is looked up
    last_event_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # reader: the worker that fires dwell deadlines
        indexes = [models.Index(fields=["due_at"], name="presence_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"presence of customer {self.customer_id}"
