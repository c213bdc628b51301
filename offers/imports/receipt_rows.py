"""Receipts from consecutive lines: pure, without database."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from customers.operations.receipts import LineIn, ReceiptIn
from offers.imports import fields
from offers.imports.rows import Row
from offers.imports.values import BadValue, Given, Refusal, Remark

NEEDED_COLUMNS = (
    "receipt",
    "store",
    "customer",
    "purchased_at",
    "currency",
    "gtin",
    "quantity",
    "unit_price_minor",
)
HEAD_COLUMNS = ("receipt", "store", "customer", "purchased_at", "currency")  # the same on each of its lines
MAX_LINES = 1_000
MAX_UNIT_PRICE_MINOR = 10**9


@dataclass(slots=True)
class _Open:
    """A receipt whose lines are being read."""

    first: Row
    lines: list[LineIn] = field(default_factory=list)
    wrongs: list[Remark] = field(default_factory=list)
    count: int = 0


def receipts_from_rows(
    rows: Iterable[Row | Refusal], *, moved: Callable[[datetime], datetime] = lambda at: at
) -> Iterator[Given[ReceiptIn] | Refusal]:
    """Yield one receipt for each run of lines with the same store and receipt; `moved` is applied to its time.

    A receipt with a broken line is refused as a whole: half of it would be a wrong one. So is one between whose lines
    stands a line that could not be read at all; between two receipts, such a line is refused alone. At most one
    receipt is held.
    """
    current: _Open | None = None
    unread: Refusal | None = None
    for row in rows:
        if isinstance(row, Refusal):
            yield row
            unread = row
            continue
        if current is not None and _key(row) != _key(current.first):
            yield _closed(current, moved)
            current = None
        if current is None:
            current = _Open(first=row)
        elif unread is not None:
            torn = BadValue(
                "line_unreadable", f"Line {unread.remarks[0].line}, amid this receipt, cannot be read."
            )
            current.wrongs.append(_remark(row, torn))
        unread = None
        _add(current, row)
    if current is not None:
        yield _closed(current, moved)


def _key(row: Row) -> tuple[str, str]:
    return row.values["store"], row.values["receipt"]


def _shown(row: Row) -> str:
    return "/".join(_key(row))


def _add(current: _Open, row: Row) -> None:
    current.count += 1
    if current.count > MAX_LINES:
        if current.count == MAX_LINES + 1:
            message = f"A receipt has at most {MAX_LINES} lines."
            current.wrongs.append(_remark(row, BadValue("too_many_lines", message)))
        return
    try:
        for column in HEAD_COLUMNS:
            if row.values[column] != current.first.values[column]:
                raise BadValue(f"{column}_differs", f"{column} is not the one of the receipt's first line.")
        current.lines.append(_line(row))
    except BadValue as error:
        current.wrongs.append(_remark(row, error))


def _line(row: Row) -> LineIn:
    values = row.values
    category = values.get("category", "")
    return LineIn(
        gtin=fields.gtin(fields.needed(values, "gtin")),
        quantity=fields.quantity(fields.needed(values, "quantity")),
        unit_price_minor=fields.whole(
            fields.needed(values, "unit_price_minor"), column="unit_price_minor", largest=MAX_UNIT_PRICE_MINOR
        ),
        category_ref=fields.ref(category, column="category", max_chars=64) if category else "",
        brand=fields.text(values.get("brand", ""), column="brand", max_chars=128),
    )


def _closed(current: _Open, moved: Callable[[datetime], datetime]) -> Given[ReceiptIn] | Refusal:
    values = current.first.values
    wrongs = list(current.wrongs)
    try:
        receipt = fields.text(fields.needed(values, "receipt"), column="receipt", max_chars=128)
        store = fields.ref(fields.needed(values, "store"), column="store")
        customer = fields.ref(values["customer"], column="customer") if values["customer"] else None
        at = moved(fields.instant(fields.needed(values, "purchased_at"), column="purchased_at"))
        currency = fields.currency(fields.needed(values, "currency"))
    except BadValue as error:
        wrongs.insert(0, _remark(current.first, error))
    if wrongs:
        return Refusal(remarks=tuple(wrongs), lines=current.count)
    return Given(
        line=current.first.line,
        key=_shown(current.first),
        lines=current.count,
        value=ReceiptIn(
            store_ref=store,
            receipt=receipt,
            customer_ref=customer,
            purchased_at=at,
            currency=currency,
            lines=tuple(current.lines),
        ),
    )


def _remark(row: Row, error: BadValue) -> Remark:
    return Remark(line=row.line, key=_shown(row), code=error.code, message=error.message)
