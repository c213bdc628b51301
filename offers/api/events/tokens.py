"""Whose tokens came with a batch of requests; one query, prepared like the pipeline's own."""

from collections.abc import Collection
from datetime import datetime

from customers.api.credentials import CustomerCredential
from offers.cursors import blobs, hot_cursor


def credentials_of(digests: Collection[bytes], *, now: datetime) -> dict[bytes, CustomerCredential]:
    """Return who the tokens with these digests speak for, by digest; one that does not hold is absent."""
    if not digests:
        return {}
    with hot_cursor() as cursor:
        cursor.execute(
            """
            SELECT t.digest, t.id, t.customer_id, t.device_id
            FROM customers_bearertoken t JOIN customers_customer c ON c.id = t.customer_id AND c.erased_at IS NULL
            WHERE t.digest = ANY(%s) AND t.expires_at > %s
            """,
            [blobs(digests), now],
        )
        return {
            bytes(row[0]): CustomerCredential(token_id=row[1], customer_id=row[2], device_id=row[3])
            for row in cursor.fetchall()
        }
