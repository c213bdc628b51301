"""What is sold: brands, a tree of categories, products by GTIN."""

from django.db import models
from django.db.models import Q


class Brand(models.Model):
    """`key` is the folded name (customers.rules.affinity.brand_key) under which purchases are counted."""

    key = models.CharField(max_length=128, unique=True)
    name = models.CharField(max_length=128)

    def __str__(self) -> str:
        return self.name


class Goods(models.TextChoices):
    """As the law tells goods apart; the values are offers.rules.legal_values.Goods."""

    FOOD = "food", "Food"
    HOUSEHOLD = "household", "Everyday goods, not food"
    OTHER = "other", "Other goods"


class Sensitive(models.TextChoices):
    HEALTH = "health", "Health"
    PHARMACY = "pharmacy", "Pharmacy"
    RELIGION = "religion", "Religion"


class Category(models.Model):
    """`goods` and `never_targeted` hold for the subtree: the nearest `goods`, each `never_targeted` on the way up."""

    ref = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    # empty: as the category above; at the top food
    goods = models.CharField(max_length=16, choices=Goods, blank=True, default="", db_default="")
    never_targeted = models.CharField(max_length=16, choices=Sensitive, blank=True, default="", db_default="")
    # what is bought here, and below, is nobody else's business: a lock screen does not show it
    is_sensitive = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name_plural = "categories"
        # reader: the second look
        indexes = [models.Index(fields=["id"], name="category_sensitive", condition=Q(is_sensitive=True))]
        constraints = [
            models.CheckConstraint(name="category_not_its_own_parent", condition=~Q(parent=models.F("id")))
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.ref})"


class Product(models.Model):
    gtin = models.CharField(max_length=14, unique=True)
    name = models.CharField(max_length=300)
    brand = models.ForeignKey(Brand, null=True, blank=True, on_delete=models.PROTECT, related_name="products")
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.PROTECT, related_name="products"
    )
    price_minor = models.PositiveIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, default="EUR")
    image_url = models.URLField(max_length=500, blank=True, default="")
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} ({self.gtin})"


class ProductPrice(models.Model):
    """What a product cost everybody, from `since` until its next row; kept when the product goes.

    By gtin, not by product: taking a product out of the catalogue and putting it back must not wipe its past.
    """

    gtin = models.CharField(max_length=14)
    price_minor = models.PositiveIntegerField(null=True, blank=True)  # null: not sold, or no price known
    currency = models.CharField(max_length=3)
    since = models.DateTimeField()

    class Meta:
        # reader: the legal guard's lowest price of 30 days
        indexes = [models.Index(fields=["gtin", "since"], name="price_of_product")]

    def __str__(self) -> str:
        return f"price of {self.gtin}"
