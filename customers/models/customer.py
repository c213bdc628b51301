"""The customer and the terms they set: language, zone, quiet hours, caps, channels, mutes, pauses."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Language(models.TextChoices):
    FR = "fr", "Français"
    EN = "en", "English"


class Channel(models.TextChoices):
    PUSH = "push", "Push"
    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"


def default_channels() -> list[str]:
    return [Channel.PUSH.value]


class Customer(models.Model):
    """One person in the retailer's loyalty scheme.

    `ref` is the retailer's key; it is made unique by CustomerRef, so that this table can be distributed
    by its own id. `granted` repeats the newest word of each purpose in the consent ledger (customers.operations
    writes both in one transaction): the decision reads one row instead of a ledger.
    """

    ref = models.CharField(max_length=128)
    name = models.CharField(max_length=200, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    phone = models.CharField(max_length=32, blank=True, default="")
    # since when a provider says that nothing will ever arrive there; null again with another address
    email_dead_at = models.DateTimeField(null=True, blank=True, editable=False)
    phone_dead_at = models.DateTimeField(null=True, blank=True, editable=False)
    birth_year = models.PositiveSmallIntegerField(null=True, blank=True)
    loyalty_card = models.CharField(max_length=64, blank=True, default="")
    language = models.CharField(max_length=2, choices=Language, default=Language.FR)
    time_zone = models.CharField(
        max_length=64, blank=True, default=""
    )  # IANA name; empty = unknown, fails closed
    segments = ArrayField(models.CharField(max_length=64), default=list, blank=True)

    topics = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    keywords = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    muted_brands = ArrayField(models.CharField(max_length=128), default=list, blank=True)
    muted_categories = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    has_own_quiet_hours = models.BooleanField(default=False)  # False: the house's quiet hours apply
    quiet_from = models.TimeField(null=True, blank=True)  # both null with has_own_quiet_hours: none wanted
    quiet_until = models.TimeField(null=True, blank=True)
    max_pushes_per_day = models.PositiveSmallIntegerField(null=True, blank=True)  # null: the house's cap
    max_pushes_per_week = models.PositiveSmallIntegerField(null=True, blank=True)
    channels = ArrayField(
        models.CharField(max_length=8, choices=Channel), default=default_channels, blank=True
    )
    paused_until = models.DateTimeField(null=True, blank=True)

    granted = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["ref"], name="customer_ref"),  # reader: admin search
            # reader: a STOP that comes in by SMS
            models.Index(fields=["phone"], name="customer_phone", condition=~Q(phone="")),
        ]
        constraints = [
            models.CheckConstraint(
                name="customer_quiet_hours_both_or_none",
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
            ),
            models.CheckConstraint(
                name="customer_birth_year_is_plausible",
                condition=Q(birth_year__isnull=True) | Q(birth_year__range=(1900, 2100)),
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class CustomerRef(models.Model):
    """The one place where a retailer's customer key is claimed; the unique constraint is the claim."""

    ref = models.CharField(max_length=128, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="refs")

    def __str__(self) -> str:
        return self.ref
