"""A customer's phones and browsers, built on django-push-notifications' device models."""

from django.db import models
from django.db.models import Q

from customers.models.customer import Customer


class Platform(models.TextChoices):
    FCM = "fcm", "Android (FCM)"
    APNS = "apns", "iOS (APNs)"
    WEBPUSH = "webpush", "Web Push"


class Device(models.Model):
    """One installation of the app. The push address lives in the library's row, never in this one.

    `device_id` is chosen by the app. `registered_at` is when the app last gave the present push address: an answer
    that calls a token dead counts only if it is newer.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="devices", db_index=False)
    device_id = models.CharField(max_length=128)
    platform = models.CharField(max_length=8, choices=Platform)
    fcm = models.OneToOneField(
        "push_notifications.GCMDevice", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    apns = models.OneToOneField(
        "push_notifications.APNSDevice", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    webpush = models.OneToOneField(
        "push_notifications.WebPushDevice", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    active = models.BooleanField(default=True)
    app_version = models.CharField(max_length=32, blank=True, default="")
    os_version = models.CharField(max_length=32, blank=True, default="")
    registered_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    # of the positions it sent: how many nobody can have been at, and how many were the very ones before
    implausible_fixes = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    repeated_fixes = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "device_id"], name="device_once_per_customer"),
            models.CheckConstraint(
                name="device_address_matches_platform",
                condition=Q(platform="fcm", apns__isnull=True, webpush__isnull=True)
                | Q(platform="apns", fcm__isnull=True, webpush__isnull=True)
                | Q(platform="webpush", fcm__isnull=True, apns__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.platform} device {self.pk}"


class PushTokenClaim(models.Model):
    """Which customer a push address belongs to now; a token that moves leaves its old owner."""

    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of platform + address
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    device = models.OneToOneField(Device, on_delete=models.CASCADE, related_name="claim")

    def __str__(self) -> str:
        return f"push address of device {self.device_id}"
