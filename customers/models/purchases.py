"""The purchase ledger. Purchases keep the outside codes the till sent (store, gtin, category, brand)."""

from django.db import models
from django.db.models import Q

from customers.models.customer import Customer


class Purchase(models.Model):
    """One receipt. `customer` is null for a receipt without a loyalty card."""

    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="purchases", db_index=False
    )
    store_ref = models.CharField(max_length=128)
    receipt = models.CharField(max_length=128)
    purchased_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    digest = models.BinaryField(max_length=32)  # SHA-256 of the canonical body: same again, or a correction
    received_at = models.DateTimeField()

    class Meta:
        indexes = [
            # reader: profile rebuild and export, both by customer in time order
            models.Index(fields=["customer", "purchased_at"], name="purchase_of_customer"),
            # reader: what sold in a store since a deal began
            models.Index(fields=["store_ref", "purchased_at"], name="purchase_of_store"),
        ]

    def __str__(self) -> str:
        return f"receipt {self.pk}"


class PurchaseLine(models.Model):
    """One line; `quantity` may be weighed (decimal) or returned (negative)."""

    purchase = models.ForeignKey(Purchase, on_delete=models.CASCADE, related_name="lines", db_index=False)
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    position = models.PositiveIntegerField()
    gtin = models.CharField(max_length=14)
    quantity = models.DecimalField(max_digits=12, decimal_places=3)
    unit_price_minor = models.BigIntegerField()
    # the catalogue's price on the day the receipt came in; null: unknown. Kept, so that a rebuild finds the same.
    list_price_minor = models.BigIntegerField(null=True, blank=True)
    category_ref = models.CharField(max_length=64, blank=True, default="")
    brand = models.CharField(max_length=128, blank=True, default="")
    # of goods that nobody is to be known by: no profile is made of it. Kept, so that a rebuild finds the same.
    is_sensitive = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["purchase", "position"], name="purchase_line_position"),
            models.CheckConstraint(
                name="purchase_line_price_not_negative", condition=Q(unit_price_minor__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.pk}"


class ReceiptClaim(models.Model):
    """Natural key of a receipt, claimed once; another body for it is a correction of the same purchase."""

    store_ref = models.CharField(max_length=128)
    receipt = models.CharField(max_length=128)
    purchase = models.OneToOneField(Purchase, on_delete=models.CASCADE, related_name="claim")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store_ref", "receipt"], name="receipt_once_per_store")
        ]

    def __str__(self) -> str:
        return f"claim of receipt {self.purchase_id}"
