"""The outbox: a row here is the promise to send; receipts are what came of each try."""

import uuid

from django.db import models
from django.db.models import Q

from customers.models import Channel, Customer, Device
from offers.models.coupons import Coupon


class MessageState(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"  # leased by a worker until lease_until
    SENT = "sent", "Sent"
    DROPPED = "dropped", "Dropped"  # by a rule, on the second look
    DEAD = "dead", "Dead letter"  # our fault or given up


SOCKET = "socket"  # the channel of a message whose phone acknowledged it, and the platform of its receipts


class OutboxMessage(models.Model):
    """One message for one coupon. `message_id` is the tag that makes twice look like once on the phone."""

    message_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="messages")
    coupon = models.OneToOneField(Coupon, on_delete=models.CASCADE, related_name="message")
    channel = models.CharField(
        max_length=8, choices=[*Channel.choices, (SOCKET, "Socket")], default=Channel.PUSH
    )
    # the phone that sent the event, else the one last seen; null once that device is gone
    device = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.SET_NULL, related_name="messages"
    )
    # who claims it: where it was last seen to go (offers.rules.lanes); the second look moves it when that has changed
    lane = models.CharField(max_length=8, default="fcm", db_default="fcm")
    state = models.CharField(max_length=8, choices=MessageState, default=MessageState.QUEUED)
    reason = models.CharField(max_length=48, blank=True, default="")  # why dropped or dead
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()  # too late to be worth its arrival
    lease_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)  # by the provider, or by the app on its socket
    # on the app's word, as is opened_at; of a mail also on its provider's
    delivered_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(
        null=True, blank=True
    )  # on a mail provider's word: bounced, or called spam

    class Meta:
        indexes = [
            # reader: a lane's claim
            models.Index(fields=["lane", "due_at", "id"], name="outbox_queued", condition=Q(state="queued")),
            # reader: the rescue of messages whose worker died
            models.Index(fields=["lane", "lease_until"], name="outbox_leased", condition=Q(state="sending")),
            # reader: the sweep of what nobody sent in time
            models.Index(fields=["expires_at"], name="outbox_to_expire", condition=Q(state="queued")),
        ]

    def __str__(self) -> str:
        return f"message {self.message_id}"


class Receipt(models.Model):
    """One try to send to one device, and the provider's answer."""

    message = models.ForeignKey(OutboxMessage, on_delete=models.CASCADE, related_name="receipts")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="receipts", db_index=False)
    device = models.ForeignKey(Device, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    platform = models.CharField(max_length=8)
    attempt = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=16)  # offers.gateways.port.Outcome
    provider_code = models.CharField(max_length=64, blank=True, default="")
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    provider_message_id = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        indexes = [
            # reader: a message's life
            models.Index(fields=["customer", "message"], name="receipt_of_message"),
            # reader: what a mail provider tells of a mail afterwards
            models.Index(
                fields=["provider_message_id"], name="receipt_of_mail", condition=Q(platform="email")
            ),
        ]

    def __str__(self) -> str:
        return f"receipt {self.pk}"


class SendingSwitch(models.Model):
    """The one switch that stops all sending at once: a single row, id 1."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    is_stopped = models.BooleanField(default=False)
    why = models.CharField(max_length=300, blank=True, default="")
    changed_by = models.CharField(max_length=150, blank=True, default="")
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "sending switch"
        constraints = [models.CheckConstraint(name="sending_switch_is_one_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return "sending stopped" if self.is_stopped else "sending"
