"""What the purchase history says of a customer: decayed affinity weights and a few counts.

The weights are additive sums (customers.rules.affinity), so that they can be kept up to date receipt by
receipt and rebuilt from the ledger to the same values. See docs/algorithms/affinity.md.
"""

from django.db import models

from customers.models.customer import Customer


class AffinityKind(models.TextChoices):
    PRODUCT = "product", "Product"  # key: gtin
    BRAND = "brand", "Brand"  # key: customers.rules.affinity.brand_key of the brand's name
    CATEGORY = "category", "Category"  # key: the category's ref


class Affinity(models.Model):
    """Decayed spend of one customer on one product, brand or category."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="affinities", db_index=False
    )
    kind = models.CharField(max_length=8, choices=AffinityKind)
    key = models.CharField(max_length=128)
    weight = models.FloatField()  # sum of minor units x 2^((purchased_at - epoch) / half-life)
    purchases = models.PositiveIntegerField()  # receipts with a positive quantity of it
    last_bought_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "kind", "key"], name="affinity_once")]

    def __str__(self) -> str:
        return f"{self.kind} affinity {self.pk}"


class Profile(models.Model):
    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="profile")
    weight = models.FloatField(default=0)  # the same sum over everything bought: the denominator of a share
    purchases = models.PositiveIntegerField(default=0)
    spend_minor = models.BigIntegerField(default=0)
    first_purchase_at = models.DateTimeField(null=True, blank=True)
    last_purchase_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"profile of customer {self.customer_id}"
