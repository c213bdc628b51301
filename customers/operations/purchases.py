"""Receipts from the tills into the ledger, and into the profiles, in one transaction.

The natural key is (store, receipt). The same body again changes nothing; another body for the key corrects it. The claim of
the key is inserted before its purchase (the foreign key is checked at commit), so two tills that send the same receipt at
once meet at the claim, and one of them waits.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from customers.locks import lock_customers
from customers.models import CustomerRef
from customers.operations.ledger import Known, Write, claim_keys, release_keys, write_receipts
from customers.operations.profiles import add_to_profiles, rebuild_profiles
from customers.operations.receipts import Key, ProductCodes, ReceiptIn, ReceiptResult

# A receipt from further ahead is a till's broken clock, and would outweigh everything else that was bought.
MAX_CLOCK_LEAD = timedelta(days=1)


@transaction.atomic
def record_purchases(
    receipts: Sequence[ReceiptIn],
    *,
    now: datetime,
    catalogue: Mapping[str, ProductCodes] | None = None,
    sensitive: Set[str] = frozenset(),
) -> list[ReceiptResult]:
    """Write receipts to the ledger and bring profiles up to date; return one result per receipt, same order.

    `catalogue`, by gtin, fills what a line leaves empty; lines of `sensitive` categories, by ref, or of products that it
    calls sensitive are kept, and no profile is made of them. Rejected are `unknown_customer`, and as `invalid` a receipt dated
    more than a day ahead of `now`; neither stops its neighbours. A key given twice is taken in the order given.
    The number of statements does not depend on the number of receipts or lines.
    """
    customer_ids = _customer_ids(receipts)
    refused = [_refusal(receipt, customer_ids=customer_ids, now=now) for receipt in receipts]
    standing = [receipt for receipt, no in zip(receipts, refused, strict=True) if no is None]
    known = claim_keys(keys={receipt.key for receipt in standing})
    judged, latest = _judge(standing, known=known)
    writes = [
        Write(receipt=receipt, customer_id=customer_ids.get(receipt.customer_ref or ""), known=known[key])
        for key, receipt in latest.items()
    ]
    erased = _without_erased(writes)
    standing_writes = [write for write in writes if write.receipt.key not in erased]
    _write(standing_writes, catalogue=catalogue or {}, sensitive=sensitive, now=now)
    answers = iter(_rejected(result) if _key(result) in erased else result for result in judged)
    return [no if no is not None else next(answers) for no in refused]


def _customer_ids(receipts: Sequence[ReceiptIn]) -> dict[str, int]:
    refs = {receipt.customer_ref for receipt in receipts if receipt.customer_ref}
    return dict(CustomerRef.objects.filter(ref__in=refs).values_list("ref", "customer_id"))


def _refusal(receipt: ReceiptIn, *, customer_ids: Mapping[str, int], now: datetime) -> ReceiptResult | None:
    result = ReceiptResult(store_ref=receipt.store_ref, receipt=receipt.receipt, status="rejected")
    if receipt.purchased_at > now + MAX_CLOCK_LEAD:
        return replace(result, error="invalid")
    if receipt.customer_ref is not None and receipt.customer_ref not in customer_ids:
        return replace(result, error="unknown_customer")
    return None


def _judge(
    receipts: Sequence[ReceiptIn], *, known: Mapping[Key, Known]
) -> tuple[list[ReceiptResult], dict[Key, ReceiptIn]]:
    """Return one result per receipt, and the body to write under each key whose body changes."""
    digests = {key: found.digest for key, found in known.items()}
    latest: dict[Key, ReceiptIn] = {}
    results = []
    for receipt in receipts:
        before, after = digests[receipt.key], receipt.digest
        digests[receipt.key] = after
        if after != before:
            latest[receipt.key] = receipt
        results.append(
            ReceiptResult(
                store_ref=receipt.store_ref,
                receipt=receipt.receipt,
                status="duplicate" if after == before else "accepted",
                is_correction=before is not None and after != before,
            )
        )
    changed = {key: receipt for key, receipt in latest.items() if digests[key] != known[key].digest}
    return results, changed


def _without_erased(writes: Sequence[Write]) -> set[Key]:
    """Lock the customers of the writes, former ones too; return the keys whose customer was erased meanwhile."""
    former = {write.known.customer_id for write in writes}
    wanted = {write.customer_id for write in writes} | former
    living = lock_customers(customer_ids=[found for found in wanted if found is not None])
    erased = [write for write in writes if write.customer_id is not None and write.customer_id not in living]
    fresh = [write.receipt.key for write in erased if write.is_new]
    if fresh:
        release_keys(keys=fresh)
    return {write.receipt.key for write in erased}


def _write(
    writes: Sequence[Write], *, catalogue: Mapping[str, ProductCodes], sensitive: Set[str], now: datetime
) -> None:
    lines = write_receipts(writes=writes, catalogue=catalogue, sensitive=sensitive, now=now)
    corrected = [write for write in writes if not write.is_new]
    rebuilt = _people(
        [write.customer_id for write in corrected] + [write.known.customer_id for write in corrected]
    )
    add_to_profiles(lines=[line for line in lines if line.customer_id not in rebuilt])
    if rebuilt:
        rebuild_profiles(customer_ids=rebuilt)


def _people(customer_ids: Collection[int | None]) -> set[int]:
    return {found for found in customer_ids if found is not None}


def _key(result: ReceiptResult) -> Key:
    return result.store_ref, result.receipt


def _rejected(result: ReceiptResult) -> ReceiptResult:
    return replace(result, status="rejected", error="unknown_customer", is_correction=False)
