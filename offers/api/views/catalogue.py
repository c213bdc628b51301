"""Categories and products for the back office."""

from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.credentials import HasScope
from customers.api.fields import is_gtin
from customers.api.paging import paged
from customers.api.problems import Problem, invalid_problem, not_found_problem
from customers.api.serializers import url_ref
from customers.api.views import BackOfficeView
from customers.models import Scope
from offers.api import schema
from offers.api.answers import found, gone, known_ref, put_answer
from offers.api.bulk import NDJSON_PARSERS, Bulk, bulk_answer
from offers.api.serializers import catalogue as shapes
from offers.operations import catalogue as operations
from offers.queries import promotions as queries

WRITERS = (HasScope(Scope.CATALOGUE_WRITE),)
READERS = (
    HasScope(Scope.CATALOGUE_WRITE, read_with=(Scope.STORES_WRITE, Scope.OFFERS_WRITE, Scope.REPORTS_READ)),
)


class CategoryListView(BackOfficeView):
    permission_classes = READERS

    @schema.list_schema(
        operation="categories_list", out=shapes.CategoryOut, name="Category", summary="All categories"
    )
    def get(self, request: Request) -> Response:
        return paged(
            request=request,
            queryset=queries.list_categories(),
            render=lambda rows: [shapes.render_category(row) for row in rows],
        )


class CategoryView(BackOfficeView):
    permission_classes = READERS

    @schema.get_schema(operation="categories_get", out=shapes.CategoryOut, summary="One category")
    def get(self, request: Request, ref: str) -> Response:
        category = found(queries.list_categories().filter(ref=known_ref(ref)).first())
        return Response(shapes.render_category(category))

    @schema.put_schema(
        operation="categories_put",
        body=shapes.CategoryBody,
        out=shapes.CategoryOut,
        summary="Create or update a category",
    )
    def put(self, request: Request, ref: str) -> Response:
        key = url_ref(ref, max_chars=shapes.MAX_CATEGORY_REF_CHARS)
        category = shapes.category_in(key, self.body(shapes.CategoryBody))
        [outcome] = operations.put_categories(categories=[category], now=self.now)
        return put_answer(outcome, render=shapes.render_category)

    @schema.delete_schema(operation="categories_delete", summary="Delete a category that nothing points to")
    def delete(self, request: Request, ref: str) -> Response:
        try:
            return gone(operations.remove_category(ref=known_ref(ref)))
        except operations.CategoryInUse as error:
            raise Problem(status=409, code="in_use", detail=str(error.__doc__)) from None


class CategoryBulkView(BackOfficeView):
    permission_classes = WRITERS
    parser_classes = NDJSON_PARSERS

    @schema.bulk_schema(
        operation="categories_bulk",
        line=shapes.CategoryLine,
        key="ref",
        name="Category",
        summary="Put many categories, parents before their children",
    )
    def post(self, request: Request) -> StreamingHttpResponse:
        return bulk_answer(
            request,
            Bulk(
                name="ref",
                serializer=shapes.CategoryLine,
                read=shapes.category_in,
                write=lambda categories: operations.put_categories(categories=categories, now=self.now),
            ),
        )


class ProductListView(BackOfficeView):
    permission_classes = READERS

    @schema.list_schema(
        operation="products_list", out=shapes.ProductOut, name="Product", summary="All products"
    )
    def get(self, request: Request) -> Response:
        return paged(
            request=request,
            queryset=queries.list_products(),
            render=lambda rows: [shapes.render_product(row) for row in rows],
        )


class ProductView(BackOfficeView):
    permission_classes = READERS

    @schema.get_schema(operation="products_get", out=shapes.ProductOut, summary="One product")
    def get(self, request: Request, gtin: str) -> Response:
        product = found(queries.list_products().filter(gtin=_known_gtin(gtin)).first())
        return Response(shapes.render_product(product))

    @schema.put_schema(
        operation="products_put",
        body=shapes.ProductBody,
        out=shapes.ProductOut,
        summary="Create or update a product",
    )
    def put(self, request: Request, gtin: str) -> Response:
        if not is_gtin(gtin):
            message = "Not a GTIN-8, 12, 13 or 14 with a right check digit."
            raise invalid_problem(field="gtin", code="invalid_gtin", message=message)
        product = shapes.product_in(gtin, self.body(shapes.ProductBody))
        [outcome] = operations.put_products(products=[product], now=self.now)
        return put_answer(outcome, render=shapes.render_product)

    @schema.delete_schema(
        operation="products_delete", summary="Delete a product; receipts and offers keep its GTIN"
    )
    def delete(self, request: Request, gtin: str) -> Response:
        return gone(operations.remove_product(gtin=_known_gtin(gtin), now=self.now))


class ProductBulkView(BackOfficeView):
    permission_classes = WRITERS
    parser_classes = NDJSON_PARSERS

    @schema.bulk_schema(
        operation="products_bulk",
        line=shapes.ProductLine,
        key="gtin",
        name="Product",
        summary="Put many products",
    )
    def post(self, request: Request) -> StreamingHttpResponse:
        return bulk_answer(
            request,
            Bulk(
                name="gtin",
                serializer=shapes.ProductLine,
                read=shapes.product_in,
                write=lambda products: operations.put_products(products=products, now=self.now),
            ),
        )


def _known_gtin(gtin: str) -> str:
    if not is_gtin(gtin):
        raise not_found_problem()
    return gtin
