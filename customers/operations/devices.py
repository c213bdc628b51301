"""Customers' phones and browsers, and the push address of each.

A push address belongs to one device of one customer: PushTokenClaim says whose it is. Registered by somebody else (the phone
changed hands, or another customer signed in on it), it leaves its old owner, so that nobody gets another's offers.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice

from customers.locks import lock_customer, lock_customers, lock_push_address
from customers.models import Device, Platform, PushTokenClaim
from customers.operations.errors import UnknownCustomer
from customers.operations.push_addresses import browser_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAddress:
    platform: str  # customers.models.Platform
    token: str = field(repr=False)  # registration token; of a Web Push subscription, its endpoint
    p256dh: str = field(default="", repr=False)  # Web Push only: the browser's public key, base64url
    auth: str = field(default="", repr=False)  # Web Push only: the shared secret, base64url

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(f"{self.platform}\n{self.token}".encode()).digest()


@transaction.atomic
def register_device(
    *,
    customer_id: int,
    device_id: str,
    address: PushAddress,
    app_version: str = "",
    os_version: str = "",
    now: datetime,
) -> tuple[Device, bool]:
    """Register, or renew, the push address of a customer's device; return (device, whether it is new).

    A known device with another address has rotated its token: the old address is forgotten. An address that another
    device held leaves it: that device is deactivated. Raises UnknownCustomer.
    """
    lock_push_address(digest=address.digest)
    holder = (
        PushTokenClaim.objects.filter(digest=address.digest).values_list("customer_id", flat=True).first()
    )
    living = lock_customers(customer_ids={customer_id, holder or customer_id})
    if customer_id not in living:
        raise UnknownCustomer
    device, is_new = _device(customer_id=customer_id, device_id=device_id, platform=address.platform, now=now)
    claim = PushTokenClaim.objects.select_related("device").filter(digest=address.digest).first()
    if claim is not None and claim.device_id != device.pk:
        _forget_address(device=claim.device)
        claim.device.active = False
        claim.device.save(update_fields=["active"])
        claim = None
    device.app_version, device.os_version = app_version, os_version
    device.last_seen_at = now
    device.registered_at = now  # confirmed: an answer about what was sent before says nothing any more
    if claim is None or not _has_address(device):
        _forget_address(device=device)
        _attach(device=device, address=address)
        PushTokenClaim.objects.create(digest=address.digest, customer_id=customer_id, device=device)
    else:
        _renew(device=device, address=address)
    device.active = True
    device.save()
    return device, is_new


@transaction.atomic
def remove_device(*, customer_id: int, device_id: str) -> bool:
    """Forget the device and its push address; return whether there was one."""
    if lock_customer(customer_id=customer_id) is None:
        return False
    device = Device.objects.filter(customer_id=customer_id, device_id=device_id).first()
    if device is None:
        return False
    _forget_address(device=device)
    device.delete()
    return True


def touch_device(*, customer_id: int, device_id: str, now: datetime) -> None:
    """Note that the device was heard of now. One statement; unknown devices are ignored."""
    Device.objects.filter(customer_id=customer_id, device_id=device_id, last_seen_at__lt=now).update(
        last_seen_at=now
    )


def _device(*, customer_id: int, device_id: str, platform: str, now: datetime) -> tuple[Device, bool]:
    known = Device.objects.filter(customer_id=customer_id, device_id=device_id).first()
    if known is None:
        return (
            Device.objects.create(
                customer_id=customer_id,
                device_id=device_id,
                platform=platform,
                registered_at=now,
                last_seen_at=now,
            ),
            True,
        )
    if known.platform != platform:
        _forget_address(device=known)
        known.platform = platform
    return known, False


def _address_rows(device: Device) -> list[GCMDevice | APNSDevice | WebPushDevice]:
    return [row for row in (device.fcm, device.apns, device.webpush) if row is not None]


def _has_address(device: Device) -> bool:
    return bool(_address_rows(device))


def _forget_address(*, device: Device) -> None:
    """Delete the library's row and the claim; the caller holds the customer's lock."""
    rows = _address_rows(device)
    device.fcm = device.apns = device.webpush = None
    device.save(update_fields=["fcm", "apns", "webpush"])
    for row in rows:
        row.delete()
    PushTokenClaim.objects.filter(device=device).delete()


def _attach(*, device: Device, address: PushAddress) -> None:
    if address.platform == Platform.FCM:
        device.fcm = GCMDevice.objects.create(registration_id=address.token, cloud_message_type="FCM")
    elif address.platform == Platform.APNS:
        device.apns = APNSDevice.objects.create(registration_id=address.token)
    else:
        device.webpush = WebPushDevice.objects.create(
            registration_id=address.token,
            p256dh=address.p256dh,
            auth=address.auth,
            browser=browser_of(address.token),
        )


def _renew(*, device: Device, address: PushAddress) -> None:
    """Make the known address usable again, where a provider had called it dead, and keep a browser's newest keys."""
    for row in _address_rows(device):
        row.active = True
        if isinstance(row, WebPushDevice):
            row.p256dh, row.auth = address.p256dh, address.auth
        row.save()
