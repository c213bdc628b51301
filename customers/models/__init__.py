"""Who the customers are, what they allow, what they bought, and the credentials of every caller."""

from customers.models.consents import Consent, ConsentSource, Purpose
from customers.models.credentials import ApiKey, BearerToken, IdempotencyRecord, Scope
from customers.models.customer import Channel, Customer, CustomerRef, Language
from customers.models.devices import Device, Platform, PushTokenClaim
from customers.models.profile import Affinity, AffinityKind, Profile, UsualRhythm
from customers.models.purchases import Purchase, PurchaseLine, ReceiptClaim

__all__ = [
    "Affinity",
    "AffinityKind",
    "ApiKey",
    "BearerToken",
    "Channel",
    "Consent",
    "ConsentSource",
    "Customer",
    "CustomerRef",
    "Device",
    "IdempotencyRecord",
    "Language",
    "Platform",
    "Profile",
    "Purchase",
    "PurchaseLine",
    "Purpose",
    "PushTokenClaim",
    "ReceiptClaim",
    "Scope",
    "UsualRhythm",
]
