"""Writing imported receipts into the ledger."""

from collections.abc import Sequence
from datetime import datetime

from customers.models import CustomerRef
from customers.operations import CustomerUpsert, upsert_customers
from customers.operations.receipts import ReceiptIn, ReceiptResult
from offers.imports.run import Outcome
from offers.imports.seen import SeenKeys
from offers.imports.values import Given, refuse
from offers.operations.purchases import record_purchases

WHY_NOT = {
    "unknown_customer": "There is no such customer: see --create-customers.",
    "invalid": "It is dated more than a day ahead.",
}


class PurchaseWriter:
    """Records batches of receipts, and makes the customers they name where that is wanted."""

    def __init__(self, *, now: datetime, made: SeenKeys | None = None) -> None:
        """`made` given: customers who are not known are made and kept there; None: their receipts are refused."""
        self._now = now
        self._made = made
        self.customers_made = 0

    def write(self, batch: Sequence[Given[ReceiptIn]]) -> list[Outcome]:
        """Record the receipts; one outcome each, same order."""
        if self._made is not None:
            refs = {given.value.customer_ref for given in batch if given.value.customer_ref}
            self._make_customers(refs, made=self._made)
        results = record_purchases(receipts=[given.value for given in batch], now=self._now)
        return [_outcome(given, result) for given, result in zip(batch, results, strict=True)]

    def _make_customers(self, refs: set[str], *, made: SeenKeys) -> None:
        known = set(CustomerRef.objects.filter(ref__in=refs).values_list("ref", flat=True))
        missing = sorted(refs - known)
        if missing:
            upsert_customers(upserts=[CustomerUpsert(ref=ref, changes={}) for ref in missing], now=self._now)
            # a dry run makes the same customer once a batch: counted once
            self.customers_made += sum(made.add(ref) for ref in missing)


def _outcome(given: Given[ReceiptIn], result: ReceiptResult) -> Outcome:
    if result.error is not None:
        code = result.error if result.error != "invalid" else "dated_ahead"
        return refuse(line=given.line, key=given.key, code=code, message=WHY_NOT[result.error])
    if result.status == "duplicate":
        return "same"
    return "changed" if result.is_correction else "new"
