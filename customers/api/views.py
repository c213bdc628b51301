"""The base of every REST door: credentials, strict JSON, problems, one clock reading per request."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, cast

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.api.credentials import (
    ApiKeyAuthentication,
    BearerAuthentication,
    CustomerCredential,
    CustomerOnly,
    InvalidCredentials,
    KeyCredential,
)
from customers.api.parsers import MAX_BODY_BYTES, StrictJsonParser
from customers.api.schema import RayonSchema
from customers.api.serializers import StrictSerializer
from customers.api.throttling import CredentialThrottle
from customers.operations.errors import UnknownCustomer


class AlwaysTheFirst(DefaultContentNegotiation):
    """Every answer under /v1/ is JSON, whatever was asked for: a client that accepts only HTML gets no 406."""

    def select_renderer(
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """A door. Set `permission_classes`; read `self.now`, `self.body(...)`, `request.auth`."""

    authentication_classes = (BearerAuthentication, ApiKeyAuthentication)
    parser_classes = (StrictJsonParser,)
    renderer_classes = (JSONRenderer,)
    throttle_classes = (CredentialThrottle,)
    content_negotiation_class = AlwaysTheFirst
    schema = RayonSchema()
    max_body_bytes: ClassVar[int] = MAX_BODY_BYTES
    now: datetime  # when the request came in, UTC

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self.now = timezone.now()
        _declare_length(request)
        return super().initialize_request(request, *args, **kwargs)

    def body(self, serializer_class: type[StrictSerializer], **kwargs: Any) -> Any:
        """Return the request's body, validated. Raises ValidationError."""
        serializer = serializer_class(data=self.request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class CustomerView(ApiView):
    """A phone's door."""

    permission_classes = (CustomerOnly,)

    @property
    def caller(self) -> CustomerCredential:
        return cast(CustomerCredential, self.request.auth)  # CustomerOnly saw to it

    def handle_exception(self, exc: Exception) -> Response:
        """Answer 401 where the customer was erased while this request was on its way."""
        return super().handle_exception(InvalidCredentials() if isinstance(exc, UnknownCustomer) else exc)


class BackOfficeView(ApiView):
    """A door for API keys; set `permission_classes = (HasScope(...),)`."""

    @property
    def caller(self) -> KeyCredential:
        return cast(KeyCredential, self.request.auth)  # HasScope saw to it


def _declare_length(request: HttpRequest) -> None:
    """Measure a chunked body, which has no Content-Length, since DRF takes such a body for an empty one."""
    stream = getattr(request, "_stream", None)
    if request.META.get("CONTENT_LENGTH") or not request.META.get("HTTP_TRANSFER_ENCODING"):
        return
    if stream is not None and stream.seekable():
        position = stream.tell()
        request.META["CONTENT_LENGTH"] = str(stream.seek(0, io.SEEK_END) - position)
        stream.seek(position)
