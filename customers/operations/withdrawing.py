"""Consent that is taken back without a login: by a link in a message, or by a STOP that a phone sent."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from customers.locks import lock_customers
from customers.models import Customer

LINK = "unsubscribe-link"  # text_version: what the customer answered to
STOP = "sms-stop"
SOURCE = "web"

# Only where it was granted: a link that is followed twice, or by a machine, says nothing new.
_WITHDRAW = """
    WITH granted AS (
        SELECT id FROM customers_customer WHERE id = ANY(%(customers)s) AND %(purpose)s = ANY(granted)
    ), said AS (
        INSERT INTO customers_consent (customer_id, purpose, granted, text_version, source, recorded_at)
        SELECT id, %(purpose)s, false, %(text_version)s, %(source)s, %(now)s FROM granted ORDER BY id
    )
    UPDATE customers_customer c SET granted = array_remove(c.granted, %(purpose)s)
      FROM granted WHERE c.id = granted.id
    RETURNING c.id
"""


def withdraw_consent(*, customer_ids: Collection[int], purpose: str, text_version: str, now: datetime) -> int:
    """Append the withdrawal for each of these customers who had consented; return how many had. Two queries.

    Who is unknown or erased is passed over. Effects: locks the customers, in the order of their ids.
    """
    with transaction.atomic():
        living = lock_customers(customer_ids=customer_ids)
        if not living:
            return 0
        values: dict[str, Any] = {
            "customers": sorted(living),
            "purpose": purpose,
            "text_version": text_version,
            "source": SOURCE,
            "now": now,
        }
        with connection.cursor() as cursor:
            cursor.execute(_WITHDRAW, values)
            return len(cursor.fetchall())


def withdraw_sms_of(number: str, *, now: datetime) -> int:
    """Take back the SMS consent of every customer with this number (E.164); return how many had given it."""
    found = Customer.objects.filter(phone=number, erased_at__isnull=True).values_list("id", flat=True)
    return withdraw_consent(customer_ids=list(found), purpose="sms", text_version=STOP, now=now)
