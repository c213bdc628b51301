"""Decisions with their losers, exposures, and the coupons that were issued."""

from django.db import models
from django.db.models import Q

from customers.models import Customer
from offers.models.places import Aisle, Store
from offers.models.promotions import Offer
from offers.models.visits import OF_CUSTOMER, UNCHECKED, LocationEvent, Visit


class CouponState(models.TextChoices):
    ISSUED = "issued", "Issued"
    RESERVED = "reserved", "Reserved"
    REDEEMED = "redeemed", "Redeemed"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"


class Coupon(models.Model):
    """One customer's personal right to an offer. `terms` is the offer's revision as it was shown."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="coupons", db_index=False)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="coupons")
    revision = models.PositiveIntegerField()
    code = models.CharField(max_length=24)
    state = models.CharField(max_length=8, choices=CouponState, default=CouponState.ISSUED)
    # {"title", "body", "image_url", "benefit", "target", "notice", "reference_prices"} in the API's shapes, in the
    # customer's language
    terms = models.JSONField()
    reason = models.CharField(max_length=300)  # why this customer got it, a sentence in their language
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="coupons", db_index=False)
    aisle = models.ForeignKey(
        Aisle, null=True, blank=True, on_delete=models.SET_NULL, related_name="coupons", db_index=False
    )
    issued_at = models.DateTimeField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=32, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "code"], name="coupon_code_of_customer"),
            models.CheckConstraint(
                name="coupon_valid_period", condition=Q(valid_from__lt=models.F("valid_until"))
            ),
        ]
        indexes = [
            # readers: the wallet, and the per-customer limit of an offer
            models.Index(fields=["customer", "offer", "issued_at"], name="coupon_of_customer"),
            # reader: the badge of a push, coupons not opened yet
            models.Index(
                fields=["customer", "valid_until"],
                name="coupon_unopened",
                condition=Q(state="issued", opened_at__isnull=True),
            ),
            # reader: the sweep that expires coupons
            models.Index(fields=["valid_until"], name="coupon_to_expire", condition=Q(state="issued")),
        ]

    def __str__(self) -> str:
        return f"coupon {self.pk}"


class CouponCode(models.Model):
    """Which coupon a code belongs to: unique over all customers, what a till looks up."""

    code = models.CharField(max_length=24, unique=True)  # 16 symbols, no groups
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)
    coupon = models.OneToOneField(Coupon, on_delete=models.CASCADE, related_name="claim")

    def __str__(self) -> str:
        return f"code of coupon {self.coupon_id}"


class Decision(models.Model):
    """What was decided on one transition of one customer, why, and who lost.

    `candidates` is a list, best first, of {"offer": ref, "revision", "reason", "affinity_share", …}: every
    offer that was looked at, with the first reason against it.
    """

    customer = models.ForeignKey(Customer, related_name="decisions", **OF_CUSTOMER)
    # null: a dwell deadline fired. Events and visits are purged on their own calendar, so nothing is checked.
    event = models.ForeignKey(LocationEvent, null=True, blank=True, related_name="decisions", **UNCHECKED)
    event_uid = models.UUIDField(
        null=True, blank=True
    )  # the event's own id: what a repeated event is answered by
    visit = models.ForeignKey(Visit, null=True, blank=True, related_name="decisions", **UNCHECKED)
    store = models.ForeignKey(Store, null=True, blank=True, related_name="+", **UNCHECKED)
    aisle = models.ForeignKey(Aisle, null=True, blank=True, related_name="+", **UNCHECKED)
    transition = models.CharField(
        max_length=8, blank=True, default=""
    )  # enter, dwell, exit; empty: none came of it
    outcome = models.CharField(max_length=8)  # issued, none
    reason = models.CharField(max_length=24)
    offer = models.ForeignKey(
        Offer, null=True, blank=True, on_delete=models.SET_NULL, related_name="decisions", db_index=False
    )
    coupon = models.OneToOneField(
        Coupon, null=True, blank=True, on_delete=models.SET_NULL, related_name="decision"
    )
    candidates = models.JSONField(default=list)
    decided_at = models.DateTimeField()

    class Meta:
        indexes = [
            # readers: /v1/me/decisions and the customer's page in the admin
            models.Index(fields=["customer", "-id"], name="decision_of_customer"),
            # reader: the answer to a repeated event
            models.Index(fields=["customer", "event_uid"], name="decision_of_event"),
            models.Index(fields=["decided_at"], name="decision_decided"),  # reader: the retention purge
        ]

    def __str__(self) -> str:
        return f"decision {self.pk}"


class Arm(models.TextChoices):
    TREATED = "treated", "Treated"
    HOLDOUT = "holdout", "Hold-out"


class Exposure(models.Model):
    """A customer was offered something or, in the hold-out, would have been. Counts against the caps of both arms."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="exposures", db_index=False)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="exposures")
    revision = models.PositiveIntegerField()
    arm = models.CharField(max_length=8, choices=Arm)
    decision = models.OneToOneField(Decision, on_delete=models.CASCADE, related_name="exposure")
    coupon = models.OneToOneField(
        Coupon, null=True, blank=True, on_delete=models.SET_NULL, related_name="exposure"
    )
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+", db_index=False)
    store_visit_entered_at = models.DateTimeField()  # with customer and store: the store visit it happened in
    exposed_at = models.DateTimeField()
    voided_at = models.DateTimeField(
        null=True, blank=True
    )  # its message was dropped: the caps were given back

    class Meta:
        indexes = [
            models.Index(fields=["customer", "exposed_at"], name="exposure_of_customer")
        ]  # reader: the caps

    def __str__(self) -> str:
        return f"exposure {self.pk}"


class FeedbackKind(models.TextChoices):
    DELIVERED = "delivered", "Delivered"
    OPENED = "opened", "Opened"
    DISMISSED = "dismissed", "Dismissed"
    USEFUL = "useful", "Useful"
    NOT_INTERESTED = "not_interested", "Not interested"
    COMPLAINT = "complaint", "Complaint"


class Feedback(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="feedback", db_index=False)
    coupon = models.ForeignKey(Coupon, on_delete=models.CASCADE, related_name="feedback", db_index=False)
    kind = models.CharField(max_length=16, choices=FeedbackKind)
    note = models.CharField(max_length=1000, blank=True, default="")
    given_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "feedback"
        indexes = [models.Index(fields=["customer", "coupon"], name="feedback_of_coupon")]

    def __str__(self) -> str:
        return f"feedback {self.pk}"
