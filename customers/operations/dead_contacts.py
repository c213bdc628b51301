"""E-mail addresses and numbers that a provider called dead: kept, and not written to again until they change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from customers.locks import lock_customers

# Only while the customer still has the address that the answer was about.
_RETIRE = """
    UPDATE customers_customer c
       SET email_dead_at = CASE WHEN dead.channel = 'email' THEN %s ELSE c.email_dead_at END,
           phone_dead_at = CASE WHEN dead.channel = 'sms' THEN %s ELSE c.phone_dead_at END
      FROM (SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS t(customer_id, channel, address)) AS dead
     WHERE c.id = dead.customer_id
       AND (dead.channel = 'email' AND c.email = dead.address AND c.email_dead_at IS NULL
            OR dead.channel = 'sms' AND c.phone = dead.address AND c.phone_dead_at IS NULL)
    RETURNING c.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadContact:
    customer_id: int
    channel: str  # email or sms
    address: str = field(repr=False)  # as the message was sent to


def retire_contacts(dead: Sequence[DeadContact], *, now: datetime) -> int:
    """Note that nothing arrives at these addresses; return how many were noted. Two queries a channel, one transaction.

    An address that changed meanwhile is left alone, and so is that of a customer who was erased.
    Effects: locks the customers, in the order of their ids.
    """
    if not dead:
        return 0
    noted = 0
    with transaction.atomic():
        living = lock_customers(customer_ids={each.customer_id for each in dead})
        for channel in ("email", "sms"):  # one row of a customer cannot be updated twice by one statement
            ours = [each for each in dead if each.customer_id in living and each.channel == channel]
            if ours:
                noted += _retire(ours, now=now)
    return noted


def _retire(dead: Sequence[DeadContact], *, now: datetime) -> int:
    columns = zip(*((each.customer_id, each.channel, each.address) for each in dead), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_RETIRE, [now, now, *map(list, columns)])
        return len(cursor.fetchall())
