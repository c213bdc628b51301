"""What the purchase history says of a customer: decayed affinity weights, rhythms and a few counts; and what is usual.

The weights are additive sums (customers.rules.affinity), so that they can be kept up to date receipt by
receipt and rebuilt from the ledger to the same values. See docs/algorithms/profile.md.
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
    # with `purchases`, the sums of a gamma rhythm: its intervals add up to last - first
    first_bought_at = models.DateTimeField(null=True, blank=True)  # null: never, only returned
    last_bought_at = models.DateTimeField()
    listed_lines = models.PositiveIntegerField(db_default=0)  # bought while the usual price was known
    discounted_lines = models.PositiveIntegerField(db_default=0)  # of these, for less

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
    listed_lines = models.PositiveIntegerField(db_default=0)
    discounted_lines = models.PositiveIntegerField(db_default=0)

    def __str__(self) -> str:
        return f"profile of customer {self.customer_id}"


class UsualRhythm(models.Model):
    """How often those who buy a product, brand or category more than once buy it: what a customer's own rhythm leans on.

    Made anew by customers.operations.rhythms; nobody's own row can be told from it.
    """

    kind = models.CharField(max_length=8, choices=AffinityKind)
    key = models.CharField(max_length=128)
    intervals = models.PositiveBigIntegerField()  # over all customers
    days = models.FloatField()  # the intervals' sum

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="usual_rhythm_once")]

    def __str__(self) -> str:
        return f"usual rhythm of {self.kind} {self.key}"
