"""Doors to a person that both apps stand behind: erasure reaches what either holds."""

from collections.abc import Sequence
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from customers import operations
from customers.api import back_office, me, shapes
from customers.api.fields import InstantField, rfc3339
from customers.api.problems import not_found_problem
from customers.api.views import ApiView, BackOfficeView
from offers.api import schema
from offers.api.bulk import NDJSON_PARSERS, Bulk, bulk_answer
from offers.operations.erasure import erase_customer
from offers.operations.outcomes import Written

ERASED = inline_serializer(name="Erased", fields={"erased_at": InstantField()})


class MeView(me.MeView):
    @extend_schema(
        operation_id="me_delete",
        summary="Erase the caller: tokens die at once, queued messages are cancelled",
        responses={202: ERASED},
    )
    def delete(self, request: Request) -> Response:
        return _erase(self, customer_id=self.caller.customer_id)


class CustomerView(back_office.OneCustomerView):
    @extend_schema(
        operation_id="customers_delete",
        summary="Erase a customer: tokens die at once, queued messages are cancelled",
        responses={202: ERASED},
    )
    def delete(self, request: Request, ref: str) -> Response:
        return _erase(self, customer_id=back_office.known_customer(ref).pk)


class CustomerBulkView(BackOfficeView):
    permission_classes = back_office.CUSTOMERS
    parser_classes = NDJSON_PARSERS

    @schema.bulk_schema(
        operation="customers_bulk",
        line=shapes.CustomerLine,
        key="ref",
        name="Customer",
        summary="Put many customers",
    )
    def post(self, request: Request) -> StreamingHttpResponse:
        return bulk_answer(
            request,
            Bulk(name="ref", serializer=shapes.CustomerLine, read=_upsert, write=self._write),
        )

    def _write(self, upserts: Sequence[operations.CustomerUpsert]) -> list[Written[Any]]:
        written = operations.upsert_customers(upserts=upserts, now=self.now)
        return [Written(row=customer, is_new=is_new) for customer, is_new in written]


def _upsert(ref: str, data: dict[str, Any]) -> operations.CustomerUpsert:
    return operations.CustomerUpsert(ref=ref, changes=shapes.customer_changes(data))


def _erase(view: ApiView, *, customer_id: int) -> Response:
    if not erase_customer(customer_id=customer_id, now=view.now):
        raise not_found_problem()
    return Response({"erased_at": rfc3339(view.now)}, status=202)
