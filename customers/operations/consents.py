"""The consent ledger and its summary on the customer's row, kept together."""

from datetime import datetime

from django.db import transaction

from customers.locks import lock_customer
from customers.models import Consent
from customers.operations.errors import UnknownCustomer


@transaction.atomic
def record_consent(
    *, customer_id: int, purpose: str, granted: bool, text_version: str, source: str, now: datetime
) -> Consent:
    """Append one word of the customer; their newest word on the purpose holds from now on.

    Raises UnknownCustomer.
    """
    customer = lock_customer(customer_id=customer_id)
    if customer is None:
        raise UnknownCustomer
    consent = Consent.objects.create(
        customer=customer,
        purpose=purpose,
        granted=granted,
        text_version=text_version,
        source=source,
        recorded_at=now,
    )
    others = set(customer.granted) - {purpose}
    customer.granted = sorted(others | {purpose} if granted else others)
    customer.save(update_fields=["granted"])
    return consent
