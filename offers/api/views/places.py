"""Stores and aisles for the back office."""

from functools import partial
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.credentials import HasScope, check_store, store_allowed
from customers.api.paging import paged
from customers.api.serializers import url_ref
from customers.api.views import BackOfficeView
from customers.models import Scope
from offers.api import schema
from offers.api.answers import found, gone, known_ref, put_answer
from offers.api.bulk import NDJSON_PARSERS, Bulk, bulk_answer
from offers.api.serializers import places as shapes
from offers.models import Aisle, Store
from offers.operations import places as operations
from offers.queries import places as queries

WRITERS = (HasScope(Scope.STORES_WRITE),)
READERS = (HasScope(Scope.STORES_WRITE, read_with=(Scope.OFFERS_WRITE, Scope.REPORTS_READ)),)


class StoreListView(BackOfficeView):
    permission_classes = READERS

    @schema.list_schema(operation="stores_list", out=shapes.StoreOut, name="Store", summary="All stores")
    def get(self, request: Request) -> Response:
        return paged(
            request=request,
            queryset=queries.list_stores(only_stores=self.caller.store_refs),
            render=lambda stores: [shapes.render_store(store) for store in stores],
        )


class StoreView(BackOfficeView):
    permission_classes = READERS

    @schema.get_schema(operation="stores_get", out=shapes.StoreOut, summary="One store")
    def get(self, request: Request, ref: str) -> Response:
        return Response(shapes.render_store(_store(self, ref)))

    @schema.put_schema(
        operation="stores_put", body=shapes.StoreBody, out=shapes.StoreOut, summary="Create or update a store"
    )
    def put(self, request: Request, ref: str) -> Response:
        check_store(request.auth, ref)
        store = shapes.store_in(url_ref(ref), self.body(shapes.StoreBody))
        [written] = operations.put_stores(stores=[store], now=self.now)
        return put_answer(written, render=shapes.render_store)

    @schema.delete_schema(operation="stores_delete", summary="Remove a store; what happened in it is kept")
    def delete(self, request: Request, ref: str) -> Response:
        check_store(request.auth, ref)
        return gone(operations.remove_store(ref=known_ref(ref), now=self.now))


class StoreBulkView(BackOfficeView):
    permission_classes = WRITERS
    parser_classes = NDJSON_PARSERS

    @schema.bulk_schema(
        operation="stores_bulk", line=shapes.StoreLine, key="ref", name="Store", summary="Put many stores"
    )
    def post(self, request: Request) -> StreamingHttpResponse:
        return bulk_answer(
            request,
            Bulk(
                name="ref",
                serializer=shapes.StoreLine,
                read=shapes.store_in,
                write=lambda stores: operations.put_stores(stores=stores, now=self.now),
                is_allowed=partial(store_allowed, request.auth),
            ),
        )


class AisleListView(BackOfficeView):
    permission_classes = READERS

    @schema.list_schema(
        operation="aisles_list", out=shapes.AisleOut, name="Aisle", summary="The aisles of a store"
    )
    def get(self, request: Request, store_ref: str) -> Response:
        store = _store(self, store_ref)
        return paged(
            request=request,
            queryset=queries.list_aisles(store=store),
            render=lambda aisles: [shapes.render_aisle(aisle, store_ref=store.ref) for aisle in aisles],
        )


class AisleView(BackOfficeView):
    permission_classes = READERS

    @schema.get_schema(operation="aisles_get", out=shapes.AisleOut, summary="One aisle")
    def get(self, request: Request, store_ref: str, ref: str) -> Response:
        store = _store(self, store_ref)
        aisle = found(queries.get_aisle(store=store, ref=known_ref(ref)))
        return Response(shapes.render_aisle(aisle, store_ref=store.ref))

    @schema.put_schema(
        operation="aisles_put",
        body=shapes.AisleBody,
        out=shapes.AisleOut,
        summary="Create or update an aisle; beacons and categories are replaced as sets",
    )
    def put(self, request: Request, store_ref: str, ref: str) -> Response:
        store = _store(self, store_ref)
        aisle = shapes.aisle_in(url_ref(ref), self.body(shapes.AisleBody))
        [outcome] = operations.put_aisles(store=store, aisles=[aisle], now=self.now)
        return put_answer(outcome, render=partial(_whole_aisle, store))

    @schema.delete_schema(operation="aisles_delete", summary="Remove an aisle and free its beacons")
    def delete(self, request: Request, store_ref: str, ref: str) -> Response:
        store = _store(self, store_ref)
        return gone(operations.remove_aisle(store=store, ref=known_ref(ref), now=self.now))


class AisleBulkView(BackOfficeView):
    permission_classes = WRITERS
    parser_classes = NDJSON_PARSERS

    @schema.bulk_schema(
        operation="aisles_bulk", line=shapes.AisleLine, key="ref", name="Aisle", summary="Put many aisles"
    )
    def post(self, request: Request, store_ref: str) -> StreamingHttpResponse:
        store = _store(self, store_ref)
        return bulk_answer(
            request,
            Bulk(
                name="ref",
                serializer=shapes.AisleLine,
                read=shapes.aisle_in,
                write=lambda aisles: operations.put_aisles(store=store, aisles=aisles, now=self.now),
            ),
        )


def _store(view: BackOfficeView, ref: str) -> Store:
    check_store(view.request.auth, ref)
    return found(queries.get_store(ref=known_ref(ref), only_stores=view.caller.store_refs))


def _whole_aisle(store: Store, aisle: Aisle) -> dict[str, Any]:
    return shapes.render_aisle(found(queries.get_aisle(store=store, ref=aisle.ref)), store_ref=store.ref)
