"""What the yield rule last said of each last-minute deal; written by operations.yields alone."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from offers.models.promotions import Offer


class DealState(models.Model):
    """One row a deal that was published: its present price, what to expect, and whether it still tells people."""

    offer = models.OneToOneField(Offer, on_delete=models.CASCADE, related_name="deal_state")
    is_open = models.BooleanField(default=True)  # reviewed from time to time; not after its end
    due_at = models.DateTimeField()  # of the next review
    reviewed_at = models.DateTimeField()
    claimed_seen = models.PositiveIntegerField(
        default=0
    )  # Capacity.claimed at the review: more or fewer asks for another

    depth_bp = models.PositiveIntegerField(default=0)
    held_until = models.DateTimeField()  # the depth does not change before
    bid_price_minor = models.IntegerField(default=0)
    # of a unit when 1, 2, … lots of `bid_lot` units are left: a decision reads that of the stock it sees; more: the last
    bids_minor = ArrayField(models.IntegerField(), default=list)
    bid_lot = models.PositiveIntegerField(default=1)

    send_now = models.PositiveIntegerField(
        default=0
    )  # at the review; what is left of it stands in Capacity.wave_left
    wave_number = models.PositiveIntegerField(default=0)
    wave_opened_at = models.DateTimeField(null=True, blank=True)
    worth_sending = models.PositiveIntegerField(default=0)
    protected_units = models.PositiveIntegerField(default=0)

    expected_sold = models.FloatField(default=0.0)
    expected_left = models.FloatField(default=0.0)
    left_low = models.PositiveIntegerField(default=0)  # with `left_high`: 80 % of the ways that it may go
    left_high = models.PositiveIntegerField(default=0)
    expected_margin_minor = models.BigIntegerField(default=0)
    margin_doing_nothing_minor = models.BigIntegerField(default=0)
    ladder = models.JSONField(default=list)  # [{"at", "depth_bp"}, …], now first

    # What sales taught. `shown`, [{"at", "depth_bp"}, …]: the prices so far, null while it was not under way; `seen`,
    # [{"depth_bp", "hours", "sold"}, …]: what the tills told of each, which later deals of the category learn from.
    shown = models.JSONField(default=list)
    seen = models.JSONField(default=list)
    category = models.CharField(
        max_length=64, blank=True, default=""
    )  # of the target; empty: several, or none
    units_per_hour = models.FloatField(null=True, blank=True)  # null: nothing learned, the marketer's
    elasticity = models.FloatField(null=True, blank=True)

    is_stopped = models.BooleanField(default=False)
    stop_reason = models.CharField(max_length=16, blank=True, default="")  # rules.yields.stopping.StopReason

    class Meta:
        indexes = [
            # reader: the review's claim
            models.Index(fields=["due_at"], name="deal_due", condition=Q(is_open=True)),
            # reader: the review, past deals of a category
            models.Index(
                fields=["category", "-reviewed_at"],
                name="deal_past_of_category",
                condition=Q(is_open=False) & ~Q(seen=[]),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="deal_depth_at_most_whole", condition=Q(depth_bp__lte=10_000)),
            models.CheckConstraint(
                name="deal_stop_has_its_reason",
                condition=Q(is_stopped=False, stop_reason="") | (Q(is_stopped=True) & ~Q(stop_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return f"deal of offer {self.offer_id}"
