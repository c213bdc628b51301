"""Reads for the doors of `customers`."""

from django.db.models import QuerySet

from customers.models import Consent, Customer, Device


def get_customer(*, customer_id: int) -> Customer | None:
    """Return the customer; None where there is none, or an erased one."""
    return Customer.objects.filter(id=customer_id, erased_at__isnull=True).first()


def get_customer_by_ref(*, ref: str) -> Customer | None:
    """Return the customer with the retailer's key; None where nobody has it now."""
    return Customer.objects.filter(refs__ref=ref, erased_at__isnull=True).first()


def list_customers() -> QuerySet[Customer]:
    """Return everybody who is not erased, unordered."""
    return Customer.objects.filter(erased_at__isnull=True)


def list_consents(*, customer_id: int) -> QuerySet[Consent]:
    """Return the customer's words on every purpose, unordered."""
    return Consent.objects.filter(customer_id=customer_id)


def list_devices(*, customer_id: int) -> QuerySet[Device]:
    """Return the customer's phones and browsers, unordered."""
    return Device.objects.filter(customer_id=customer_id)
