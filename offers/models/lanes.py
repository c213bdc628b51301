"""What all workers know of a lane of delivery."""

from django.db import models


class Lane(models.Model):
    """One provider's lane; a row once there is something to know. Written by offers.stages.deliver.gate alone."""

    name = models.CharField(max_length=8, primary_key=True)  # offers.rules.lanes.LANES
    # The dead-token guard: the last answers about addresses, oldest first, "1" for a dead one, "0" for a good one.
    recent = models.CharField(max_length=200, blank=True, default="", db_default="")
    stopped_at = models.DateTimeField(null=True, blank=True)  # nothing is claimed until staff resume it
    # The breaker: closed to messages until then, and afterwards open to one that probes; null: open to all.
    open_until = models.DateTimeField(null=True, blank=True)
    openings = models.PositiveSmallIntegerField(default=0, db_default=0)  # in a row
    cause = models.CharField(max_length=64, blank=True, default="", db_default="")  # the last answer before
    # The bucket of a lane with a rate.
    tokens = models.FloatField(default=0.0, db_default=0.0)
    refilled_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
