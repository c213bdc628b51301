"""What the customers' doors read and answer."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from rest_framework import serializers

from customers.api import fields
from customers.api.fields import rfc3339
from customers.api.serializers import StrictSerializer
from customers.models import Channel, Consent, ConsentSource, Customer, Device, Language, Purpose

MAX_CAP_PER_DAY = 100
MAX_CAP_PER_WEEK = 500
EMPTY_WHEN_NULL = (
    "name",
    "email",
    "phone",
    "loyalty_card",
    "time_zone",
)  # text columns, for which nothing is ""


class CustomerBody(StrictSerializer):
    """All optional; what is absent keeps its value, and null empties it."""

    name = fields.TextField(required=False, allow_null=True, allow_blank=True, max_length=200)
    email = fields.EmailAddressField(required=False, allow_null=True, allow_blank=True)
    phone = fields.TextField(required=False, allow_null=True, allow_blank=True, max_length=32)
    birth_year = fields.WholeNumberField(required=False, allow_null=True, min_value=1900, max_value=2100)
    language = fields.EnumField(Language.values, required=False)
    time_zone = fields.TimeZoneField(required=False, allow_null=True)
    loyalty_card = fields.TextField(required=False, allow_null=True, allow_blank=True, max_length=64)


class CustomerLine(CustomerBody):
    ref = fields.RefField()


class CustomerOut(serializers.Serializer[Any]):
    ref = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    birth_year = serializers.IntegerField(allow_null=True)
    language = serializers.ChoiceField(choices=Language.values)
    time_zone = serializers.CharField(allow_null=True)
    loyalty_card = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class MeOut(CustomerOut):
    granted = serializers.ListField(child=serializers.CharField(), help_text="Purposes of consent.")


class TokenBody(StrictSerializer):
    device_id = fields.RefField()


class TokenOut(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="Told once; only its hash is kept.")
    expires_at = serializers.DateTimeField()


class QuietHours(StrictSerializer):
    """From `from` until before `to`, on the customer's clock; may cross midnight. Equal ends: the whole day."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": fields.LocalTimeField(), "to": fields.LocalTimeField()}  # `from` is a keyword


class PreferencesBody(StrictSerializer):
    """What is absent keeps its value. `quiet_hours` null: none; a cap of null: the house's."""

    language = fields.EnumField(Language.values, required=False)
    time_zone = fields.TimeZoneField(required=False)
    topics = fields.TextListField(required=False)
    keywords = fields.TextListField(required=False)
    muted_brands = fields.TextListField(required=False, max_chars=128)
    muted_categories = fields.TextListField(required=False)
    quiet_hours = QuietHours(required=False, allow_null=True)
    max_pushes_per_day = fields.WholeNumberField(
        required=False, allow_null=True, min_value=0, max_value=MAX_CAP_PER_DAY
    )
    max_pushes_per_week = fields.WholeNumberField(
        required=False, allow_null=True, min_value=0, max_value=MAX_CAP_PER_WEEK
    )
    channels = serializers.ListField(child=fields.EnumField(Channel.values), required=False, max_length=3)
    paused_until = fields.InstantField(required=False, allow_null=True)


class PreferencesOut(serializers.Serializer[Any]):
    """The terms that hold now, the house's where the customer set none."""

    language = serializers.ChoiceField(choices=Language.values)
    time_zone = serializers.CharField(allow_null=True)
    topics = serializers.ListField(child=serializers.CharField())
    keywords = serializers.ListField(child=serializers.CharField())
    muted_brands = serializers.ListField(child=serializers.CharField())
    muted_categories = serializers.ListField(child=serializers.CharField())
    quiet_hours = QuietHours(allow_null=True)
    max_pushes_per_day = serializers.IntegerField()
    max_pushes_per_week = serializers.IntegerField()
    channels = serializers.ListField(child=serializers.ChoiceField(choices=Channel.values))
    paused_until = serializers.DateTimeField(allow_null=True)


class ConsentBody(StrictSerializer):
    purpose = fields.EnumField(Purpose.values)
    granted = fields.StrictBooleanField()
    text_version = fields.TextField(max_length=64)
    source = fields.EnumField(ConsentSource.values)


class ConsentOut(serializers.Serializer[Any]):
    purpose = serializers.ChoiceField(choices=Purpose.values)
    granted = serializers.BooleanField()
    text_version = serializers.CharField()
    source = serializers.ChoiceField(choices=ConsentSource.values)
    recorded_at = serializers.DateTimeField()


def customer_changes(validated: dict[str, Any]) -> dict[str, Any]:
    """Return what operations write, of a validated CustomerBody."""
    return {
        name: "" if value is None and name in EMPTY_WHEN_NULL else value for name, value in validated.items()
    }


def render_customer(customer: Customer) -> dict[str, Any]:
    return {
        "ref": customer.ref,
        "name": customer.name or None,
        "email": customer.email or None,
        "phone": customer.phone or None,
        "birth_year": customer.birth_year,
        "language": customer.language,
        "time_zone": customer.time_zone or None,
        "loyalty_card": customer.loyalty_card or None,
        "created_at": rfc3339(customer.created_at),
        "updated_at": rfc3339(customer.updated_at),
    }


def render_me(customer: Customer) -> dict[str, Any]:
    return {**render_customer(customer), "granted": sorted(customer.granted)}


def preference_changes(validated: dict[str, Any]) -> dict[str, Any]:
    """Return what operations write, of a validated PreferencesBody."""
    changes = dict(validated)
    if changes.get("quiet_hours") is not None:
        changes["quiet_hours"] = (changes["quiet_hours"]["from"], changes["quiet_hours"]["to"])
    if "channels" in changes:
        changes["channels"] = list(dict.fromkeys(changes["channels"]))
    return changes


def render_preferences(customer: Customer) -> dict[str, Any]:
    house = settings.RAYON
    per_day, per_week = customer.max_pushes_per_day, customer.max_pushes_per_week
    return {
        "language": customer.language,
        "time_zone": customer.time_zone or None,
        "topics": customer.topics,
        "keywords": customer.keywords,
        "muted_brands": customer.muted_brands,
        "muted_categories": customer.muted_categories,
        "quiet_hours": _quiet_hours(customer),
        "max_pushes_per_day": house["max_pushes_per_day"] if per_day is None else per_day,
        "max_pushes_per_week": house["max_pushes_per_week"] if per_week is None else per_week,
        "channels": customer.channels,
        "paused_until": rfc3339(customer.paused_until) if customer.paused_until else None,
    }


def _quiet_hours(customer: Customer) -> dict[str, str] | None:
    quiet = (settings.RAYON["quiet_from"], settings.RAYON["quiet_until"])
    if customer.has_own_quiet_hours:
        if customer.quiet_from is None or customer.quiet_until is None:
            return None
        quiet = (customer.quiet_from, customer.quiet_until)
    return {"from": quiet[0].strftime("%H:%M"), "to": quiet[1].strftime("%H:%M")}


def render_consents(consents: Sequence[Consent]) -> list[dict[str, Any]]:
    return [
        {
            "purpose": consent.purpose,
            "granted": consent.granted,
            "text_version": consent.text_version,
            "source": consent.source,
            "recorded_at": rfc3339(consent.recorded_at),
        }
        for consent in consents
    ]


def render_devices(devices: Sequence[Device]) -> list[dict[str, Any]]:
    return [
        {
            "device_id": device.device_id,
            "platform": device.platform,
            "active": device.active,
            "last_seen_at": rfc3339(device.last_seen_at),
        }
        for device in devices
    ]
