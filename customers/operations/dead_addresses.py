"""Push addresses that a provider called dead: they are forgotten, unless they were given again meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from customers.locks import lock_customers

# A registration that is newer than the one the answer was about wins.
_RETIRE = """
    WITH dead AS (
        SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS t(device_id, registered_at)
    ), known AS (
        SELECT d.id, d.fcm_id, d.apns_id, d.webpush_id
          FROM customers_device d JOIN dead ON dead.device_id = d.id AND dead.registered_at = d.registered_at
         WHERE d.active
    ), claims AS (
        DELETE FROM customers_pushtokenclaim c USING known k WHERE c.device_id = k.id
    ), android AS (
        DELETE FROM push_notifications_gcmdevice g USING known k WHERE g.id = k.fcm_id
    ), apple AS (
        DELETE FROM push_notifications_apnsdevice a USING known k WHERE a.id = k.apns_id
    ), web AS (
        DELETE FROM push_notifications_webpushdevice w USING known k WHERE w.id = k.webpush_id
    )
    UPDATE customers_device d SET active = false, fcm_id = NULL, apns_id = NULL, webpush_id = NULL
      FROM known k WHERE d.id = k.id
    RETURNING d.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadAddress:
    customer_id: int
    device_id: int  # primary key
    registered_at: datetime  # of the address that the provider's answer was about


def retire_addresses(dead: Sequence[DeadAddress]) -> int:
    """Deactivate these devices and forget their addresses; return how many were. Two queries, one transaction.

    A device whose address was registered again since is left alone, and so is one whose customer was erased.
    Effects: locks the customers, in the order of their ids.
    """
    if not dead:
        return 0
    with transaction.atomic():
        living = lock_customers(customer_ids={each.customer_id for each in dead})
        ours = [each for each in dead if each.customer_id in living]
        with connection.cursor() as cursor:
            cursor.execute(
                _RETIRE, [[each.device_id for each in ours], [each.registered_at for each in ours]]
            )
            return len(cursor.fetchall())
