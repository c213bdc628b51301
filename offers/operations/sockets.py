"""What the sockets' doors write down: who holds one open, and which coupons arrived through it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from channels_postgres.models import Message as LayerMessage
from django.db import connection

from offers.models import OpenSocket, SocketServer
from offers.rules.coupon_codes import normalise

# A phone that comes back by another process takes its row along; one of an erased customer gets none.
_OPEN = """
    INSERT INTO offers_opensocket (customer_id, device_id, server_id, opened_at)
    SELECT c.id, %(device)s, v.id, %(now)s
      FROM customers_customer c, offers_socketserver v
     WHERE c.id = %(customer)s AND c.erased_at IS NULL AND v.id = %(server)s
    ON CONFLICT (customer_id, device_id) DO UPDATE SET server_id = EXCLUDED.server_id, opened_at = EXCLUDED.opened_at
"""

_CLOSE = """
    DELETE FROM offers_opensocket s
     USING unnest(%s::bigint[], %s::text[]) AS t(customer_id, device_id)
     WHERE s.customer_id = t.customer_id AND s.device_id = t.device_id AND s.server_id = %s
"""

# One statement: of an acknowledgement and the worker's own last word, whichever comes second finds the message finished.
_ACKNOWLEDGE = """
    WITH waiting AS (
        SELECT m.id FROM offers_outboxmessage m JOIN offers_coupon c ON c.id = m.coupon_id
         WHERE c.customer_id = %(customer)s AND c.code = ANY(%(codes)s) AND m.state IN ('queued', 'sending')
         ORDER BY m.id
           FOR NO KEY UPDATE OF m
    ), sent AS (
        UPDATE offers_outboxmessage m
           SET state = 'sent', channel = 'socket', reason = '', lease_until = NULL, finished_at = %(now)s,
               accepted_at = %(now)s
          FROM waiting w
         WHERE m.id = w.id
        RETURNING m.id, m.customer_id, m.attempts
    )
    INSERT INTO offers_receipt (message_id, customer_id, device_id, platform, attempt, outcome, provider_code,
                                provider_message_id, at)
    SELECT s.id, s.customer_id,
           (SELECT d.id FROM customers_device d
             WHERE d.customer_id = s.customer_id AND d.device_id = %(device)s FOR KEY SHARE),
           'socket', s.attempts, 'accepted', '', '', %(now)s
      FROM sent s
    RETURNING message_id
"""


def start_server(*, channel: str, alive_until: datetime) -> int:
    """Write down a server process and return its primary key."""
    return SocketServer.objects.create(channel=channel, alive_until=alive_until).pk


def renew_server(*, server_id: int, channel: str, alive_until: datetime, now: datetime) -> bool:
    """Say that the process lives and is reached by this channel; False if others have given it up.

    Effects: forgets processes that died, their sockets, and what nobody fetched from the channel layer.
    """
    SocketServer.objects.filter(alive_until__lt=now).exclude(pk=server_id).delete()
    LayerMessage.objects.filter(expire__lt=now).delete()
    return bool(SocketServer.objects.filter(pk=server_id).update(channel=channel, alive_until=alive_until))


def stop_server(*, server_id: int) -> None:
    """Forget the process and its sockets."""
    SocketServer.objects.filter(pk=server_id).delete()


def open_socket(*, customer_id: int, device_id: str, server_id: int, now: datetime) -> bool:
    """Write down that a phone is reached through this process; its newest socket counts.

    Returns False if the customer was erased, or the process is taken for dead.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"customer": customer_id, "device": device_id, "server": server_id, "now": now})
        return cursor.rowcount > 0


def open_sockets(phones: Collection[tuple[int, str]], *, server_id: int, now: datetime) -> None:
    """Write down phones (customer id, device id) that have no row yet."""
    OpenSocket.objects.bulk_create(
        [
            OpenSocket(customer_id=customer_id, device_id=device_id, server_id=server_id, opened_at=now)
            for customer_id, device_id in phones
        ],
        ignore_conflicts=True,
    )


def close_sockets(phones: Sequence[tuple[int, str]], *, server_id: int) -> None:
    """Forget phones (customer id, device id) that have not come back by another process."""
    if not phones:
        return
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, [[one for one, _ in phones], [one for _, one in phones], server_id])


def acknowledge(*, customer_id: int, device_id: str, codes: Sequence[str], now: datetime) -> int:
    """Finish the messages of the customer's coupons with these codes as sent by socket; return how many were waiting.

    Codes that are nobody's, another's, or finished before change nothing. A message that a worker holds may still go
    out as a push: it carries the tag that makes twice look like once.
    Effects: a receipt per message; locks the messages in the order of their ids.
    """
    symbols = sorted({found for code in codes if (found := normalise(code))})
    if not symbols:
        return 0
    values: dict[str, Any] = {
        "customer": customer_id,
        "device": device_id,
        "codes": symbols,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ACKNOWLEDGE, values)
        return len(cursor.fetchall())
