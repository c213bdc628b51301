"""Strict fields: what the contract says, or a named error; nothing is coerced."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import available_timezones

from django.core.validators import EmailValidator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from stdnum import ean

from customers.api.instants import parse_instant
from customers.rules.refs import MAX_REF_CHARS, is_ref

MAX_SAFE_INTEGER = 2**53 - 1  # what every JSON reader keeps exactly

_DIGITS = re.compile(r"[0-9]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOCAL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_CURRENCY = re.compile(r"[A-Z]{3}")


class TextField(serializers.CharField):
    """Text; trimmed unless `trim_whitespace=False`; numbers are not text; no NUL."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A JSON integer (3.0 counts as one, as in JSON Schema); no booleans, no text."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", -MAX_SAFE_INTEGER)
        kwargs.setdefault("max_value", MAX_SAFE_INTEGER)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            return int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class FiniteFloatField(serializers.FloatField):
    """A finite JSON number; no booleans, no text."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        try:
            value = float(data)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class LatField(FiniteFloatField):
    """Degrees WGS 84, -90 to 90."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=-90, max_value=90, **kwargs)


class LonField(FiniteFloatField):
    """Degrees WGS 84, -180 to 180."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=-180, max_value=180, **kwargs)


class StrictBooleanField(serializers.BooleanField):
    """true or false, and nothing like them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(serializers.Field):
    """RFC 3339 with an offset, to an aware UTC datetime, and back with a Z."""

    default_error_messages: ClassVar = {"invalid": "Not an RFC 3339 time with an offset."}

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            return parse_instant(data)
        except ValueError:
            self.fail("invalid")

    def to_representation(self, value: datetime) -> str:
        return rfc3339(value)


def rfc3339(value: datetime) -> str:
    """Return the instant in UTC, ending in Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "example": "21:00"})
class LocalTimeField(serializers.Field):
    """HH:MM on the customer's clock."""

    default_error_messages: ClassVar = {"invalid": "Not a time such as 21:00."}

    def to_internal_value(self, data: Any) -> time:
        if not isinstance(data, str) or not _LOCAL_TIME.fullmatch(data):
            self.fail("invalid")
        return time.fromisoformat(data)

    def to_representation(self, value: time) -> str:
        return value.strftime("%H:%M")


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


class TimeZoneField(TextField):
    """A name of the IANA time zone database."""

    default_error_messages: ClassVar = {"unknown_time_zone": "Not an IANA time zone."}

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name not in _time_zones():
            self.fail("unknown_time_zone")
        return name


class GtinField(TextField):
    """GTIN-8, 12, 13 or 14, as digits, with a right check digit; kept as given."""

    default_error_messages: ClassVar = {
        "invalid_gtin": "Not a GTIN-8, 12, 13 or 14 with a right check digit."
    }

    def to_internal_value(self, data: Any) -> str:
        gtin = super().to_internal_value(data)
        if not is_gtin(gtin):
            self.fail("invalid_gtin")
        return gtin


def is_gtin(text: str) -> bool:
    """Whether the text is a GTIN-8, 12, 13 or 14 whose check digit is right."""
    return bool(_DIGITS.fullmatch(text)) and len(text) in (8, 12, 13, 14) and ean.is_valid(text)


class MoneyMinorField(WholeNumberField):
    """Money in minor units, 0 or more."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", 0)
        super().__init__(**kwargs)


class CurrencyField(TextField):
    """Three capital letters of ISO 4217."""

    default_error_messages: ClassVar = {"invalid_currency": "Not a currency such as EUR."}

    def to_internal_value(self, data: Any) -> str:
        currency = super().to_internal_value(data)
        if not _CURRENCY.fullmatch(currency):
            self.fail("invalid_currency")
        return currency


class RefField(TextField):
    """A key chosen by the retailer: 1 to 128 characters, none of them a control character or a slash."""

    default_error_messages: ClassVar = {
        "invalid_ref": "1 to 128 characters without slashes or control characters."
    }

    def __init__(self, **kwargs: Any) -> None:
        self.max_chars = kwargs.pop("max_length", MAX_REF_CHARS)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        ref = super().to_internal_value(data)
        if not is_ref(ref, max_chars=self.max_chars):
            self.fail("invalid_ref")
        return ref


class StrictUuidField(serializers.UUIDField):
    """A UUID in its usual form: text of 8-4-4-4-12 hexadecimal digits."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid", value="it")
        return UUID(data)


@extend_schema_field(OpenApiTypes.NUMBER)
class QuantityField(serializers.Field):
    """A JSON number of up to three decimals, not 0: weighed, or negative when returned; to a Decimal."""

    default_error_messages: ClassVar = {"invalid": "Not a number, other than 0, of at most three decimals."}
    largest = 1_000_000

    def __init__(self, *, negative_allowed: bool = True, **kwargs: Any) -> None:
        self.negative_allowed = negative_allowed
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        if not -self.largest <= data <= self.largest or data == 0:
            self.fail("invalid")
        exact = Decimal(repr(data))
        if exact != round(exact, 3) or (exact < 0 and not self.negative_allowed):
            self.fail("invalid")
        return exact

    def to_representation(self, value: Decimal) -> int | float:
        return int(value) if value == value.to_integral_value() else float(value)


class TextListField(serializers.ListField):
    """A list of texts, each once, in the order given."""

    def __init__(self, *, max_items: int = 100, max_chars: int = 64, **kwargs: Any) -> None:
        super().__init__(child=TextField(max_length=max_chars), max_length=max_items, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class EmailAddressField(TextField):
    """An e-mail address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)
        self.validators.append(EmailValidator())


class EnumField(serializers.ChoiceField):
    """One of a few texts; 1 is not "1"."""

    def __init__(self, choices: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(choices=choices, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", input="This")
        return data
