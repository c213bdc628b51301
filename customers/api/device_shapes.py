"""What a phone or browser says of itself: where pushes reach it."""

import base64
import re
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from rest_framework import serializers

from customers.api import fields
from customers.api.serializers import StrictSerializer
from customers.models import Platform
from customers.operations.devices import PushAddress
from customers.operations.push_addresses import is_push_service

_FCM_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_APNS_TOKEN = re.compile(r"[0-9a-fA-F]{64,200}")
POINT_BYTES = 65  # an uncompressed point: 0x04, x, y
AUTH_BYTES = 16


class EndpointField(fields.TextField):
    """An https URL of a browser's push service."""

    default_error_messages = {"unknown_push_service": "Not an https URL of a known push service."}

    def to_internal_value(self, data: Any) -> str:
        endpoint = super().to_internal_value(data)
        # The same hosts that messages are later sent to: WEBPUSH_ALLOWED_HOSTS, WEBPUSH_DEV_ORIGINS.
        webpush = settings.PROVIDERS.webpush
        if not is_push_service(
            endpoint, allowed_hosts=webpush.allowed_hosts, dev_origins=webpush.dev_origins
        ):
            self.fail("unknown_push_service")
        return endpoint


class BytesField(fields.TextField):
    """base64url of so many bytes, with or without padding."""

    def __init__(self, *, size: int, **kwargs: Any) -> None:
        self.size = size
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data).rstrip("=")
        try:
            self.check(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        except ValueError:
            self.fail("invalid")
        return text

    def check(self, raw: bytes) -> None:
        """Raise ValueError for what is not wanted here."""
        if len(raw) != self.size:
            raise ValueError


class PointField(BytesField):
    """A browser's public key: an uncompressed point on P-256. Nothing can be encrypted to any other (RFC 8291)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(size=POINT_BYTES, **kwargs)

    def check(self, raw: bytes) -> None:
        super().check(raw)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)


class SubscriptionKeys(StrictSerializer):
    p256dh = PointField()
    auth = BytesField(size=AUTH_BYTES)


class SubscriptionBody(StrictSerializer):
    """What PushSubscription.toJSON() gives in a browser."""

    endpoint = EndpointField()
    keys = SubscriptionKeys()
    expirationTime = serializers.IntegerField(required=False, allow_null=True)


class DeviceBody(StrictSerializer):
    """`token` for fcm and apns, `subscription` for webpush."""

    platform = fields.EnumField(Platform.values)
    token = fields.TextField(required=False, max_length=4096, write_only=True)
    subscription = SubscriptionBody(required=False, write_only=True)
    app_version = fields.TextField(required=False, allow_blank=True, max_length=32)
    os_version = fields.TextField(required=False, allow_blank=True, max_length=32)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_web = attrs["platform"] == Platform.WEBPUSH
        wanted, unwanted = ("subscription", "token") if is_web else ("token", "subscription")
        if unwanted in attrs:
            self._refuse(unwanted, "Not for this platform.")
        if wanted not in attrs:
            self._refuse(wanted, "Needed for this platform.", code="required")
        pattern = _APNS_TOKEN if attrs["platform"] == Platform.APNS else _FCM_TOKEN
        if not is_web and not pattern.fullmatch(attrs["token"]):
            self._refuse("token", "Not a token of this platform.")
        return attrs

    @staticmethod
    def _refuse(field: str, message: str, *, code: str = "invalid") -> None:
        raise serializers.ValidationError({field: [serializers.ErrorDetail(message, code=code)]})


class DeviceOut(serializers.Serializer[Any]):
    device_id = serializers.CharField()
    platform = serializers.ChoiceField(choices=Platform.values)
    active = serializers.BooleanField()
    last_seen_at = serializers.DateTimeField()


def push_address(validated: dict[str, Any]) -> PushAddress:
    """Return the address of a validated DeviceBody."""
    if "token" in validated:
        return PushAddress(platform=validated["platform"], token=validated["token"])
    subscription = validated["subscription"]
    return PushAddress(
        platform=validated["platform"],
        token=subscription["endpoint"],
        p256dh=subscription["keys"]["p256dh"],
        auth=subscription["keys"]["auth"],
    )
