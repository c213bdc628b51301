"""Offers: condition + benefit + where + when + limits, and the capacity they share out."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from offers.models.catalogue import Category
from offers.models.places import Store


class OfferState(models.TextChoices):
    DRAFT = "draft", "Draft"
    LIVE = "live", "Live"
    PAUSED = "paused", "Paused"
    ENDED = "ended", "Ended"


class BenefitKind(models.TextChoices):
    PERCENT = "percent", "Percent off"  # value in basis points
    AMOUNT = "amount", "Amount off"  # value in minor units
    PRICE = "price", "Fixed price"  # value in minor units


class TriggerPlaces(models.TextChoices):
    AISLE = "aisle", "Aisle"
    STORE = "store", "Store"


class TriggerOn(models.TextChoices):
    ENTER = "enter", "Enter"
    DWELL = "dwell", "Dwell"


class Objective(models.TextChoices):
    REWARD = "reward", "Reward"
    MARGIN = "margin", "Margin"


class Offer(models.Model):
    """What may be given. Exactly one target; `revision` rises with each change after publishing."""

    ref = models.CharField(max_length=128, unique=True)
    state = models.CharField(max_length=8, choices=OfferState, default=OfferState.DRAFT)
    revision = models.PositiveIntegerField(default=1)
    title = models.JSONField(default=dict)  # {"fr": …, "en": …}
    body = models.JSONField(default=dict)
    image_url = models.URLField(max_length=500, blank=True, default="")

    benefit_kind = models.CharField(max_length=8, choices=BenefitKind)
    benefit_value = models.PositiveIntegerField()  # basis points for percent, else minor units
    currency = models.CharField(max_length=3, default="EUR")

    target_gtins = ArrayField(models.CharField(max_length=14), default=list, blank=True)
    target_category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    target_brand = models.CharField(max_length=128, blank=True, default="")

    all_stores = models.BooleanField(default=True)
    stores = models.ManyToManyField(Store, through="OfferStore", blank=True, related_name="offers")
    trigger_places = models.CharField(max_length=8, choices=TriggerPlaces, default=TriggerPlaces.AISLE)
    trigger_on = models.CharField(max_length=8, choices=TriggerOn, default=TriggerOn.ENTER)
    within_m = models.PositiveIntegerField(null=True, blank=True)
    # categories whose aisles may fire it (target, its subtree and its ancestors), kept by operations.targets;
    # empty: any aisle of its stores
    aisle_categories = models.ManyToManyField(Category, blank=True, related_name="+")

    min_affinity_share = models.FloatField(null=True, blank=True)  # null: above zero; 0: everybody
    bought_within_days = models.PositiveIntegerField(null=True, blank=True)
    never_bought = models.BooleanField(default=False)
    segments = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    topics = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    answers_needs = models.BooleanField(default=False)

    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    minutes_after_issue = models.PositiveIntegerField(default=60)  # a coupon's life

    per_customer = models.PositiveIntegerField(null=True, blank=True)
    per_customer_per_days = models.PositiveIntegerField(null=True, blank=True)

    deal = models.JSONField(null=True, blank=True)
    objective = models.CharField(max_length=8, choices=Objective, default=Objective.REWARD)
    unit_cost_minor = models.PositiveIntegerField(null=True, blank=True)
    # what a unit costs without the offer, found at publishing where it is weighed by its margin
    unit_price_minor = models.PositiveIntegerField(null=True, blank=True)
    holdout_share = models.FloatField(default=0.1)
    priority = models.IntegerField(default=0)

    published_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [
            # reader: candidates stage, offers of every store
            models.Index(
                fields=["trigger_places", "trigger_on", "valid_until"],
                name="offer_live_everywhere",
                condition=Q(state="live", all_stores=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="offer_valid_period", condition=Q(valid_from__lt=F("valid_until"))),
            models.CheckConstraint(
                name="offer_percent_at_most_whole",
                condition=~Q(benefit_kind="percent") | Q(benefit_value__lte=10_000),
            ),
            models.CheckConstraint(
                name="offer_holdout_is_a_share", condition=Q(holdout_share__gte=0, holdout_share__lte=1)
            ),
            models.CheckConstraint(
                name="offer_min_affinity_is_a_share",
                condition=Q(min_affinity_share__isnull=True)
                | Q(min_affinity_share__gte=0, min_affinity_share__lte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"offer {self.ref}"


class OfferStore(models.Model):
    """Where an offer with a list of stores holds."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="offer_stores")
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="offer_stores")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "offer"], name="offer_once_per_store")]

    def __str__(self) -> str:
        return f"offer {self.offer_id} in store {self.store_id}"


class OfferAffinityKey(models.Model):
    """Which purchases count towards an offer's relevance; kept by operations.targets.

    `is_exact` marks the target itself (product, category subtree or brand); a gtin's brand is a wider circle:
    it makes the offer relevant, but does not count as having bought the target.
    """

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="affinity_keys")
    kind = models.CharField(max_length=8)  # customers.models.AffinityKind
    key = models.CharField(max_length=128)
    is_exact = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["offer", "kind", "key"], name="offer_affinity_key_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} key of offer {self.offer_id}"


class OfferLegal(models.Model):
    """What the legal guard looks at (offers.rules.legal.facts_json); kept by operations.legal, judged at each decision."""

    offer = models.OneToOneField(Offer, on_delete=models.CASCADE, related_name="legal")
    facts = models.JSONField()

    def __str__(self) -> str:
        return f"legal facts of offer {self.offer_id}"


class Capacity(models.Model):
    """Units and budget an offer has left to give; changed only by offers.locks, in one statement."""

    offer = models.OneToOneField(Offer, on_delete=models.CASCADE, related_name="capacity")
    units = models.PositiveIntegerField(null=True, blank=True)  # null: no limit
    claimed = models.PositiveIntegerField(default=0)
    wave_left = models.PositiveIntegerField(
        null=True, blank=True
    )  # of a deal: may be given now; null: no waves
    budget_minor = models.PositiveBigIntegerField(null=True, blank=True)
    spent_minor = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "capacities"
        constraints = [
            models.CheckConstraint(
                name="capacity_never_oversold", condition=Q(units__isnull=True) | Q(claimed__lte=F("units"))
            ),
            models.CheckConstraint(
                name="budget_never_overspent",
                condition=Q(budget_minor__isnull=True) | Q(spent_minor__lte=F("budget_minor")),
            ),
        ]

    def __str__(self) -> str:
        return f"capacity of offer {self.offer_id}"
