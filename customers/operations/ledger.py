"""The purchase ledger's rows: claimed keys, receipts, lines."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from customers.models import Purchase, PurchaseLine
from customers.operations.profiles import LedgerLine
from customers.operations.receipts import Key, ProductCodes, ReceiptIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger holds under a key before this batch."""

    purchase_id: int
    customer_id: int | None
    digest: bytes | None  # None: nothing yet, the key was claimed just now


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    receipt: ReceiptIn
    customer_id: int | None
    known: Known

    @property
    def is_new(self) -> bool:
        return self.known.digest is None


def claim_keys(*, keys: Collection[Key]) -> dict[Key, Known]:
    """Claim the keys that are free, and lock the receipts of those that are not, until the transaction ends."""
    found: dict[Key, Known] = {}
    missing = set(keys)
    while missing:  # a second round only where a customer's receipts were erased between the two statements
        found |= _claim(keys=missing)
        missing -= found.keys()
        if missing:
            found |= _locked(keys=missing)
            missing -= found.keys()
    return found


def release_keys(*, keys: Collection[Key]) -> None:
    """Give up keys that this transaction claimed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM customers_receiptclaim
            WHERE (store_ref, receipt) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
            """,
            [[key[0] for key in keys], [key[1] for key in keys]],
        )


def _claim(*, keys: Collection[Key]) -> dict[Key, Known]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_receiptclaim (store_ref, receipt, purchase_id)
            SELECT store_ref, receipt, nextval(pg_get_serial_sequence('customers_purchase', 'id'))
            FROM (SELECT * FROM unnest(%s::text[], %s::text[]) AS given(store_ref, receipt) ORDER BY 1, 2) AS given
            ON CONFLICT (store_ref, receipt) DO NOTHING
            RETURNING store_ref, receipt, purchase_id
            """,
            [[key[0] for key in keys], [key[1] for key in keys]],
        )
        return {
            (store_ref, receipt): Known(purchase_id=purchase_id, customer_id=None, digest=None)
            for store_ref, receipt, purchase_id in cursor.fetchall()
        }


def _locked(*, keys: Collection[Key]) -> dict[Key, Known]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT claim.store_ref, claim.receipt, bought.id, bought.customer_id, bought.digest
            FROM unnest(%s::text[], %s::text[]) AS given(store_ref, receipt)
            JOIN customers_receiptclaim AS claim USING (store_ref, receipt)
            JOIN customers_purchase AS bought ON bought.id = claim.purchase_id
            ORDER BY bought.id
            FOR NO KEY UPDATE OF bought
            """,
            [[key[0] for key in keys], [key[1] for key in keys]],
        )
        return {
            (store_ref, receipt): Known(purchase_id=row_id, customer_id=customer_id, digest=bytes(digest))
            for store_ref, receipt, row_id, customer_id, digest in cursor.fetchall()
        }


def write_receipts(
    *, writes: Sequence[Write], catalogue: Mapping[str, ProductCodes], sensitive: Set[str], now: datetime
) -> list[LedgerLine]:
    """Insert new receipts and replace corrected ones, lines included; return the lines of known customers."""
    purchases = [_purchase(write, now=now) for write in writes]
    Purchase.objects.bulk_create([row for row, write in zip(purchases, writes, strict=True) if write.is_new])
    corrected = [row for row, write in zip(purchases, writes, strict=True) if not write.is_new]
    if corrected:
        Purchase.objects.bulk_update(
            corrected, ["customer", "purchased_at", "currency", "digest", "received_at"]
        )
        PurchaseLine.objects.filter(purchase_id__in=[row.pk for row in corrected]).delete()
    lines = [
        line
        for purchase, write in zip(purchases, writes, strict=True)
        for line in _lines(write=write, purchase=purchase, catalogue=catalogue, sensitive=sensitive)
    ]
    PurchaseLine.objects.bulk_create(lines)
    return [
        _ledger_line(line, customer_id=line.customer_id) for line in lines if line.customer_id is not None
    ]


def _purchase(write: Write, *, now: datetime) -> Purchase:
    receipt = write.receipt
    return Purchase(
        id=write.known.purchase_id,
        customer_id=write.customer_id,
        store_ref=receipt.store_ref,
        receipt=receipt.receipt,
        purchased_at=receipt.purchased_at,
        currency=receipt.currency,
        digest=receipt.digest,
        received_at=now,
    )


def _lines(
    *, write: Write, purchase: Purchase, catalogue: Mapping[str, ProductCodes], sensitive: Set[str]
) -> list[PurchaseLine]:
    unknown = ProductCodes()
    return [
        PurchaseLine(
            purchase=purchase,
            customer_id=write.customer_id,
            position=position,
            gtin=line.gtin,
            quantity=line.quantity,
            unit_price_minor=line.unit_price_minor,
            category_ref=line.category_ref or codes.category_ref,
            brand=line.brand or codes.brand,
            list_price_minor=_list_price(codes, currency=write.receipt.currency),
            is_sensitive=codes.is_sensitive or line.category_ref in sensitive,
        )
        for position, line in enumerate(write.receipt.lines)
        for codes in [catalogue.get(line.gtin, unknown)]
    ]


def _list_price(codes: ProductCodes, *, currency: str) -> int | None:
    return codes.price_minor if codes.currency == currency else None


def _ledger_line(line: PurchaseLine, *, customer_id: int) -> LedgerLine:
    return LedgerLine(
        customer_id=customer_id,
        purchase_id=line.purchase_id,
        purchased_at=line.purchase.purchased_at,
        gtin=line.gtin,
        brand=line.brand,
        category_ref=line.category_ref,
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        list_price_minor=line.list_price_minor,
        is_sensitive=line.is_sensitive,
    )
