"""Credentials of phones and back offices, hashed at rest, and the memory of idempotent requests."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from rest_framework_api_key.models import AbstractAPIKey

from customers.models.customer import Customer


class Scope(models.TextChoices):
    STORES_WRITE = "stores:write", "Stores: write"
    CATALOGUE_WRITE = "catalogue:write", "Catalogue: write"
    CUSTOMERS_WRITE = "customers:write", "Customers: write"
    PURCHASES_WRITE = "purchases:write", "Purchases: write"
    OFFERS_WRITE = "offers:write", "Offers: write"
    REDEMPTIONS_WRITE = "redemptions:write", "Redemptions: write"
    REPORTS_READ = "reports:read", "Reports: read"
    SIMULATIONS_RUN = "simulations:run", "Simulations: run"


class ApiKey(AbstractAPIKey):
    """A till's or back office's key. `store_refs` empty: every store; else no other store can be touched."""

    scopes = ArrayField(models.CharField(max_length=32, choices=Scope), default=list, blank=True)
    store_refs = ArrayField(models.CharField(max_length=128), default=list, blank=True)

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"


class BearerToken(models.Model):
    """A phone's opaque token: one per customer and device; only its SHA-256 is kept."""

    digest = models.BinaryField(max_length=32, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="tokens", db_index=False)
    device_id = models.CharField(max_length=128)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "device_id"], name="bearer_token_one_per_device")
        ]

    def __str__(self) -> str:
        return f"token {self.pk}"


class IdempotencyRecord(models.Model):
    """The first answer to a keyed request, replayed byte for byte for 72 h.

    A row stands only for an answered request: one still at work holds an advisory lock (customers.api.idempotency).
    """

    credential = models.CharField(max_length=64)  # "key:<prefix>" or "token:<id>"
    key = models.CharField(max_length=255)
    digest = models.BinaryField(max_length=32)  # SHA-256 of method, path and body
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    content_type = models.CharField(max_length=64, blank=True, default="")
    body = models.BinaryField(blank=True, default=b"")
    created_at = models.DateTimeField(db_index=True)  # reader: the daily purge

    class Meta:
        constraints = [models.UniqueConstraint(fields=["credential", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"idempotency record {self.pk}"
