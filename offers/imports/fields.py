"""Text of a file to values, with the rules of the wire contract. Each raises BadValue with a code and a sentence."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import available_timezones

from customers.api.fields import MAX_REF_CHARS, is_gtin, is_ref
from customers.api.instants import parse_instant
from offers.imports.values import BadValue

DEFAULT_CURRENCY = "EUR"
MAX_QUANTITY = Decimal(1_000_000)
MAX_URL_CHARS = 500

_WHOLE = re.compile(r"[0-9]{1,12}")
_DECIMAL = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,3}0*)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_WEB = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)
_ZONES = frozenset(available_timezones())


def needed(values: Mapping[str, str], column: str) -> str:
    """Return the column's text, which is not empty."""
    text = values.get(column, "")
    if not text:
        raise BadValue(f"{column}_missing", f"The column {column} is empty.")
    return text


def text(given: str, *, column: str, max_chars: int) -> str:
    """Return text that a column can hold: not longer, no control characters."""
    if len(given) > max_chars:
        raise BadValue(f"{column}_too_long", f"{column} is longer than {max_chars} characters.")
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in given):
        raise BadValue(f"invalid_{column}", f"{column} has control characters.")
    return given


def ref(given: str, *, column: str, max_chars: int = MAX_REF_CHARS) -> str:
    if not is_ref(given, max_chars=max_chars):
        raise BadValue(
            f"invalid_{column}",
            f"{column} is 1 to {max_chars} characters without slashes or control characters.",
        )
    return given


def gtin(given: str) -> str:
    if not is_gtin(given):
        raise BadValue("invalid_gtin", "Not a GTIN-8, 12, 13 or 14 with a right check digit.")
    return given


def whole(given: str, *, column: str, largest: int) -> int:
    """Return a whole number from 0 to `largest`."""
    if not _WHOLE.fullmatch(given) or int(given) > largest:
        raise BadValue(f"invalid_{column}", f"{column} is a whole number from 0 to {largest}.")
    return int(given)


def quantity(given: str) -> Decimal:
    """Return a number other than 0, of at most three decimals, up to a million either way."""
    if not _DECIMAL.fullmatch(given):
        raise BadValue("invalid_quantity", "quantity is a number such as 2, 0.345 or -1.")
    value = Decimal(given)
    if value == 0 or abs(value) > MAX_QUANTITY:
        raise BadValue("invalid_quantity", f"quantity is not 0, and at most {MAX_QUANTITY:,} either way.")
    return value


def currency(given: str) -> str:
    """Return the currency; none given: euros."""
    if given and not _CURRENCY.fullmatch(given):
        raise BadValue("invalid_currency", "currency is three capital letters such as EUR.")
    return given or DEFAULT_CURRENCY


def instant(given: str, *, column: str) -> datetime:
    try:
        return parse_instant(given)
    except ValueError:
        raise BadValue(
            f"invalid_{column}", f"{column} is a time with an offset such as 2026-11-22T10:03:07+01:00."
        ) from None


def web_address(given: str, *, column: str) -> str:
    if given and (len(given) > MAX_URL_CHARS or not _WEB.fullmatch(given)):
        raise BadValue(f"invalid_{column}", f"{column} is a web address of up to {MAX_URL_CHARS} characters.")
    return given


def time_zone(given: str) -> str:
    if given not in _ZONES:
        raise BadValue("unknown_time_zone", "Not a time zone of the IANA database, such as Europe/Paris.")
    return given
