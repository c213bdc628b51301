"""The consent ledger: append-only, one row per word given or taken back."""

from django.db import models

from customers.models.customer import Customer


class Purpose(models.TextChoices):
    PUSH = "push", "Push"
    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    GEOLOCATION = "geolocation", "Geolocation"
    PROFILING = "profiling", "Use of purchase history"


class ConsentSource(models.TextChoices):
    APP = "app", "App"
    WEB = "web", "Web"
    STORE = "store", "Store"


class Consent(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="consents", db_index=False)
    purpose = models.CharField(max_length=16, choices=Purpose)
    granted = models.BooleanField()
    text_version = models.CharField(max_length=64)
    source = models.CharField(max_length=8, choices=ConsentSource)
    recorded_at = models.DateTimeField()

    class Meta:
        # reader: the customer's own list, and the newest word per purpose when Customer.granted is rebuilt
        indexes = [models.Index(fields=["customer", "purpose", "-id"], name="consent_newest")]

    def __str__(self) -> str:
        return f"consent {self.pk}: {self.purpose} {'granted' if self.granted else 'withdrawn'}"
