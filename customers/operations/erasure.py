"""Erasure of what `customers` holds on one person.

Gone: tokens, devices with their push addresses, answers kept for idempotency, purchases, profile, and every personal
field. Kept: the row itself under a pseudonym, so that what other tables count stays true, and the consent ledger, which proves
what was allowed when, and no longer says by whom.
"""

import secrets
from datetime import datetime

from django.db import transaction
from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice

from customers.locks import lock_customer
from customers.models import (
    Affinity,
    BearerToken,
    Customer,
    CustomerRef,
    Device,
    IdempotencyRecord,
    Profile,
    Purchase,
    PurchaseLine,
    PushTokenClaim,
    ReceiptClaim,
)


@transaction.atomic
def erase_customer(*, customer_id: int, now: datetime) -> bool:
    """Erase the customer; return whether there was one to erase. At once, and for good."""
    customer = lock_customer(customer_id=customer_id)
    if customer is None:
        return False
    _erase_credentials(customer_id=customer_id)
    _erase_devices(customer_id=customer_id)
    _erase_purchases(customer_id=customer_id)
    CustomerRef.objects.filter(customer_id=customer_id).delete()
    _pseudonym(customer=customer, now=now).save()
    return True


def _erase_credentials(*, customer_id: int) -> None:
    tokens = BearerToken.objects.filter(customer_id=customer_id)
    names = [f"token:{token_id}" for token_id in tokens.values_list("id", flat=True)]
    IdempotencyRecord.objects.filter(credential__in=names).delete()
    tokens.delete()


def _erase_devices(*, customer_id: int) -> None:
    devices = list(Device.objects.filter(customer_id=customer_id).values_list("fcm", "apns", "webpush"))
    PushTokenClaim.objects.filter(customer_id=customer_id).delete()
    Device.objects.filter(customer_id=customer_id).delete()
    GCMDevice.objects.filter(id__in=[fcm for fcm, _, _ in devices if fcm]).delete()
    APNSDevice.objects.filter(id__in=[apns for _, apns, _ in devices if apns]).delete()
    WebPushDevice.objects.filter(id__in=[web for _, _, web in devices if web]).delete()


def _erase_purchases(*, customer_id: int) -> None:
    # by their ids, not by a join, which a planner without statistics may take for a join of whole tables
    receipts = list(Purchase.objects.filter(customer_id=customer_id).values_list("id", flat=True))
    PurchaseLine.objects.filter(purchase_id__in=receipts).delete()
    ReceiptClaim.objects.filter(purchase_id__in=receipts).delete()
    Purchase.objects.filter(id__in=receipts).delete()
    Affinity.objects.filter(customer_id=customer_id).delete()
    Profile.objects.filter(customer_id=customer_id).delete()


def _pseudonym(*, customer: Customer, now: datetime) -> Customer:
    """Return the row as it stays: every field at its default but the ids, the dates, and a ref that says nothing."""
    return Customer(
        id=customer.pk,
        ref=f"erased-{secrets.token_hex(12)}",
        channels=[],
        created_at=customer.created_at,
        updated_at=now,
        erased_at=now,
    )
