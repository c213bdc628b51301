"""The SMS gateway's door to us: what phones sent back. A STOP takes the consent to SMS back."""

import base64
import binascii
from collections.abc import Mapping
from typing import IO, Any, cast

from django.conf import settings
from django.utils.crypto import constant_time_compare
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.credentials import InvalidCredentials
from customers.api.parsers import read_limited
from customers.api.problems import invalid_problem, not_found_problem
from customers.api.views import ApiView
from customers.operations.withdrawing import withdraw_sms_of
from customers.rules.stop_words import is_stop
from offers.gateways.settings import SmsSettings
from offers.gateways.sms_dialects import DIALECTS

MAX_BODY_BYTES = 64 * 1024


class AnyBody(BaseParser):
    """The body as it came: its form is the dialect's business."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return read_limited(stream, declared=None, max_bytes=MAX_BODY_BYTES)


class InboundKey(BaseAuthentication):
    """SMS_INBOUND_KEY as a bearer token, or as the password of basic authentication, which callbacks can carry."""

    def authenticate(self, request: Request) -> None:
        """Raises the 404 of a door that is off, InvalidCredentials for another key."""
        key = _settings().inbound_key
        if not key:
            raise not_found_problem()
        if not constant_time_compare(_shown(request.headers.get("authorization", "")), key):
            raise InvalidCredentials

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SmsInboundView(ApiView):
    authentication_classes = (InboundKey,)
    permission_classes = ()
    parser_classes = (AnyBody,)

    @extend_schema(exclude=True)  # for the gateway alone, in the gateway's words
    def post(self, request: Request) -> Response:
        """Answer the same whether or not the number is a customer's."""
        body = cast(bytes, request.data or b"")  # AnyBody saw to it; an empty one never reaches it
        found = DIALECTS[_settings().provider].inbound(body)
        if found is None:
            raise invalid_problem(field="", message="Not an SMS in the gateway's dialect.")
        stopped = is_stop(found.text)
        if stopped:
            withdraw_sms_of(found.sender, now=self.now)
        return Response({"stopped": stopped})


def _settings() -> SmsSettings:
    sms: SmsSettings = settings.PROVIDERS.sms
    return sms


def _shown(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
