"""Receipts from the tills: each judged alone, one result each."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.credentials import HasScope, store_allowed
from customers.api.idempotency import idempotent
from customers.api.problems import flatten_errors
from customers.api.views import BackOfficeView
from customers.models import Scope
from customers.operations.receipts import ReceiptIn, ReceiptResult
from offers.api.serializers.purchases import (
    PurchasesBody,
    PurchasesOut,
    ReceiptBody,
    ReceiptList,
    receipt_in,
)
from offers.operations.purchases import record_purchases


class PurchasesView(BackOfficeView):
    permission_classes = (HasScope(Scope.PURCHASES_WRITE),)
    max_body_bytes = 16 * 1024 * 1024

    @extend_schema(
        operation_id="purchases_record",
        summary="Record receipts; another body for a known receipt corrects it",
        request=PurchasesBody,
        responses={200: PurchasesOut},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = self.body(ReceiptList)["purchases"]
        judged = [self._judge(receipt) for receipt in given]
        good = [receipt for receipt in judged if isinstance(receipt, ReceiptIn)]
        recorded = iter(record_purchases(receipts=good, now=self.now) if good else ())
        results = [_result(next(recorded)) if isinstance(one, ReceiptIn) else one for one in judged]
        return Response({"results": results})

    def _judge(self, given: Any) -> ReceiptIn | dict[str, Any]:
        """Return the receipt, or the result that refuses it."""
        serializer = ReceiptBody(data=given)
        try:
            serializer.is_valid(raise_exception=True)
        except ValidationError as error:
            return _refused(given, error="invalid", errors=list(flatten_errors(error.detail)))
        receipt = receipt_in(serializer.validated_data)
        if not store_allowed(self.caller, receipt.store_ref):
            return _refused(given, error="not_found", errors=[])
        return receipt


def _result(result: ReceiptResult) -> dict[str, Any]:
    return {
        "receipt": result.receipt,
        "store": result.store_ref,
        "status": result.status,
        "error": result.error,
        "corrected": result.is_correction,
        "errors": [],
    }


def _refused(given: Any, *, error: str, errors: list[dict[str, str]]) -> dict[str, Any]:
    known = given if isinstance(given, dict) else {}
    return {
        "receipt": known.get("receipt") if isinstance(known.get("receipt"), str) else None,
        "store": known.get("store") if isinstance(known.get("store"), str) else None,
        "status": "rejected",
        "error": error,
        "corrected": False,
        "errors": errors,
    }
