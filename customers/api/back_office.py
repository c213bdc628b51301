"""The back office's doors to customers and their tokens."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers import operations, queries
from customers.api import shapes
from customers.api.credentials import HasScope
from customers.api.fields import rfc3339
from customers.api.paging import paged
from customers.api.problems import not_found_problem
from customers.api.schema import PAGE_PARAMETERS, page_of
from customers.api.serializers import url_ref
from customers.api.views import BackOfficeView
from customers.models import Customer, Scope
from customers.rules.refs import is_ref

# Reading too: a report's reader has no business with names and addresses.
CUSTOMERS = (HasScope(Scope.CUSTOMERS_WRITE),)


def known_customer(ref: str) -> Customer:
    """Return the customer with this key. Raises the 404, also for a text that can be no key."""
    customer = queries.get_customer_by_ref(ref=ref) if is_ref(ref) else None
    if customer is None:
        raise not_found_problem()
    return customer


class CustomerListView(BackOfficeView):
    permission_classes = CUSTOMERS

    @extend_schema(
        operation_id="customers_list",
        summary="All customers",
        parameters=PAGE_PARAMETERS,
        responses=page_of(shapes.CustomerOut, name="Customer"),
    )
    def get(self, request: Request) -> Response:
        return paged(
            request=request,
            queryset=queries.list_customers(),
            render=lambda customers: [shapes.render_customer(customer) for customer in customers],
        )


class OneCustomerView(BackOfficeView):
    permission_classes = CUSTOMERS

    @extend_schema(operation_id="customers_get", summary="One customer", responses=shapes.CustomerOut)
    def get(self, request: Request, ref: str) -> Response:
        return Response(shapes.render_customer(known_customer(ref)))

    @extend_schema(
        operation_id="customers_put",
        summary="Create or update a customer; what is absent keeps its value",
        request=shapes.CustomerBody,
        responses={200: shapes.CustomerOut, 201: shapes.CustomerOut},
    )
    def put(self, request: Request, ref: str) -> Response:
        changes = shapes.customer_changes(self.body(shapes.CustomerBody))
        upsert = operations.CustomerUpsert(ref=url_ref(ref), changes=changes)
        [(customer, is_new)] = operations.upsert_customers(upserts=[upsert], now=self.now)
        return Response(shapes.render_customer(customer), status=201 if is_new else 200)


class TokenView(BackOfficeView):
    permission_classes = CUSTOMERS

    @extend_schema(
        operation_id="customers_tokens",
        summary="Issue a token for a customer's device; the device's old one dies",
        request=shapes.TokenBody,
        responses={201: shapes.TokenOut},
    )
    def post(self, request: Request, ref: str) -> Response:
        customer_id = known_customer(ref).pk
        device_id = self.body(shapes.TokenBody)["device_id"]
        try:
            issued = operations.issue_token(customer_id=customer_id, device_id=device_id, now=self.now)
        except operations.UnknownCustomer:
            raise not_found_problem() from None
        body = {"token": issued.token, "expires_at": rfc3339(issued.expires_at)}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})
