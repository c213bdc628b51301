"""Offers for the back office: put, publish, pause, resume, end."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.credentials import HasScope
from customers.api.idempotency import idempotent
from customers.api.paging import paged
from customers.api.serializers import url_ref
from customers.api.views import BackOfficeView
from customers.models import Scope
from offers.api import schema
from offers.api.answers import found, gone, known_ref, put_answer
from offers.api.bulk import NDJSON_PARSERS, Bulk, bulk_answer
from offers.api.serializers.offer_values import offer_in, render_offer
from offers.api.serializers.offers import OfferBody, OfferLine, OfferOut
from offers.models import Offer
from offers.operations import promotions as operations
from offers.operations import publishing
from offers.queries import promotions as queries

WRITERS = (HasScope(Scope.OFFERS_WRITE),)
READERS = (HasScope(Scope.OFFERS_WRITE, read_with=(Scope.REPORTS_READ,)),)


class OfferListView(BackOfficeView):
    permission_classes = READERS

    @schema.list_schema(operation="offers_list", out=OfferOut, name="Offer", summary="All offers")
    def get(self, request: Request) -> Response:
        return paged(
            request=request,
            queryset=queries.list_offers(only_stores=self.caller.store_refs),
            render=lambda rows: [render_offer(row) for row in rows],
        )


class OfferView(BackOfficeView):
    permission_classes = READERS
    max_body_bytes = 4 * 1024 * 1024  # thousands of stores and GTINs

    @schema.get_schema(operation="offers_get", out=OfferOut, summary="One offer")
    def get(self, request: Request, ref: str) -> Response:
        offer = queries.get_offer(ref=known_ref(ref), only_stores=self.caller.store_refs)
        return Response(render_offer(found(offer)))

    @schema.put_schema(
        operation="offers_put",
        body=OfferBody,
        out=OfferOut,
        summary="Create or update an offer; a published one is checked as at publishing",
    )
    def put(self, request: Request, ref: str) -> Response:
        offer = offer_in(url_ref(ref), self.body(OfferBody))
        [outcome] = operations.put_offers(offers=[offer], now=self.now, only_stores=self.caller.store_refs)
        return put_answer(outcome, render=_whole)

    @schema.delete_schema(
        operation="offers_delete", summary="Delete a draft; end and hide an offer that was published"
    )
    def delete(self, request: Request, ref: str) -> Response:
        return gone(
            operations.remove_offer(ref=known_ref(ref), now=self.now, only_stores=self.caller.store_refs)
        )


class OfferBulkView(BackOfficeView):
    permission_classes = WRITERS
    parser_classes = NDJSON_PARSERS

    @schema.bulk_schema(
        operation="offers_bulk", line=OfferLine, key="ref", name="Offer", summary="Put many offers"
    )
    def post(self, request: Request) -> StreamingHttpResponse:
        only_stores = self.caller.store_refs
        return bulk_answer(
            request,
            Bulk(
                name="ref",
                serializer=OfferLine,
                read=offer_in,
                write=lambda offers: operations.put_offers(
                    offers=offers, now=self.now, only_stores=only_stores
                ),
            ),
        )


class OfferMoveView(BackOfficeView):
    """A step in an offer's life; takes no body."""

    permission_classes = WRITERS
    move: ClassVar[Callable[..., Any]]

    def _move(self, ref: str) -> Response:
        outcome = type(self).move(ref=known_ref(ref), now=self.now, only_stores=self.caller.store_refs)
        return put_answer(outcome, render=_whole)


class PublishView(OfferMoveView):
    move = staticmethod(publishing.publish_offer)

    @extend_schema(
        operation_id="offers_publish", summary="Make a draft live", request=None, responses={200: OfferOut}
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        return self._move(ref)


class PauseView(OfferMoveView):
    move = staticmethod(publishing.pause_offer)

    @extend_schema(
        operation_id="offers_pause", summary="Stop giving an offer", request=None, responses={200: OfferOut}
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        return self._move(ref)


class ResumeView(OfferMoveView):
    move = staticmethod(publishing.resume_offer)

    @extend_schema(
        operation_id="offers_resume",
        summary="Give a paused offer again",
        request=None,
        responses={200: OfferOut},
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        return self._move(ref)


class EndView(OfferMoveView):
    move = staticmethod(publishing.end_offer)

    @extend_schema(
        operation_id="offers_end", summary="End an offer for good", request=None, responses={200: OfferOut}
    )
    @idempotent
    def post(self, request: Request, ref: str) -> Response:
        return self._move(ref)


def _whole(offer: Offer) -> dict[str, Any]:
    return render_offer(found(queries.get_offer(ref=offer.ref)))
