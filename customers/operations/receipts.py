"""What a till sends, and what it is told: frozen values of the purchases call."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

Key = tuple[str, str]  # (store, receipt): the natural key


@dataclass(frozen=True, slots=True, kw_only=True)
class LineIn:
    gtin: str
    quantity: Decimal  # not 0; at most 3 decimals, 9 digits before them; negative: returned
    unit_price_minor: int  # 0 to 10^9
    category_ref: str = ""  # at most 64 characters; empty: filled from the catalogue
    brand: str = ""  # at most 128 characters; empty: filled from the catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptIn:
    """One receipt as the till sent it."""

    store_ref: str
    receipt: str
    customer_ref: str | None  # None: no loyalty card
    purchased_at: datetime  # aware
    currency: str
    lines: tuple[LineIn, ...]

    @property
    def key(self) -> Key:
        return self.store_ref, self.receipt

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 of the body as sent: what the catalogue fills in does not count."""
        lines = [
            [line.gtin, str(line.quantity.normalize()), line.unit_price_minor, line.category_ref, line.brand]
            for line in self.lines
        ]
        at = self.purchased_at.astimezone(UTC).isoformat()
        return hashlib.sha256(json.dumps([self.customer_ref, at, self.currency, lines]).encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCodes:
    """What the catalogue knows of a product; empty: nothing."""

    brand: str = ""
    category_ref: str = ""
    price_minor: int | None = None  # the usual price of a unit; None: unknown
    currency: str = ""  # of the price
    is_sensitive: bool = False  # nobody is to be known by having bought it


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptResult:
    store_ref: str
    receipt: str
    status: Literal["accepted", "duplicate", "rejected"]
    error: Literal["unknown_customer", "invalid"] | None = None
    is_correction: bool = False
