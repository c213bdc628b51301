"""Copies of a household's receipts, in the shape of POST /v1/purchases."""

import csv
import gzip
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offers.demo import files


@dataclass(slots=True, kw_only=True)
class History:
    """What one household bought: receipts as the API takes them, and how many lines are of the story's brand."""

    receipts: list[dict[str, Any]] = field(default_factory=list)
    brand_lines: int = 0


def histories(
    *, of: Collection[str], run: str, renamed: dict[str, str], brand: str, now: datetime
) -> dict[str, History]:
    """Return the histories of these households, by ref: receipts of customers `renamed`, numbered for this run.

    Times are moved by whole weeks, so that the last purchase of all lies less than seven days before `now`.
    """
    weeks = files.weeks_to_shift(now=now)
    found = {ref: History() for ref in of}
    with gzip.open(files.PURCHASES, "rt", encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            history = found.get(row["customer"])
            if history is not None:
                history.brand_lines += row["brand"] == brand
                _add(
                    history,
                    row,
                    name=f"{row['receipt']}-{run}",
                    customer=renamed[row["customer"]],
                    weeks=weeks,
                )
    return found


def _add(history: History, row: dict[str, str], *, name: str, customer: str, weeks: int) -> None:
    receipts = history.receipts
    if not receipts or (receipts[-1]["store"], receipts[-1]["receipt"]) != (row["store"], name):
        at = files.shifted(datetime.fromisoformat(row["purchased_at"]), weeks=weeks)
        receipts.append(
            {
                "receipt": name,
                "store": row["store"],
                "customer": customer,
                "purchased_at": at.isoformat(),
                "currency": row["currency"],
                "lines": [],
            }
        )
    quantity = float(row["quantity"])
    receipts[-1]["lines"].append(
        {
            "gtin": row["gtin"],
            "quantity": int(quantity) if quantity.is_integer() else quantity,
            "unit_price_minor": int(row["unit_price_minor"]),
            "category": row["category"] or None,
            "brand": row["brand"] or None,
        }
    )
