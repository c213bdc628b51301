"""A product from a line: pure, without database."""

from collections.abc import Iterable, Iterator

from offers.imports import fields
from offers.imports.rows import Row
from offers.imports.values import BadValue, Given, Refusal, refuse
from offers.operations.catalogue import CategoryIn, ProductIn

NEEDED_COLUMNS = ("gtin", "name")
CATEGORY_COLUMNS = ("ref", "name", "parent")
MAX_CATEGORY_REF_CHARS = 64
MAX_PRICE_MINOR = 2**31 - 1


def products_from_rows(rows: Iterable[Row | Refusal]) -> Iterator[Given[ProductIn] | Refusal]:
    """Yield the products of lines `gtin,name,brand,category,price_minor,currency,image_url`; two are needed."""
    for row in rows:
        yield row if isinstance(row, Refusal) else _product(row)


def categories_from_rows(rows: Iterable[Row | Refusal]) -> Iterator[Given[CategoryIn] | Refusal]:
    """Yield the categories of lines `ref,name,parent`; an empty parent stands at the top."""
    for row in rows:
        yield row if isinstance(row, Refusal) else _category(row)


def _product(row: Row) -> Given[ProductIn] | Refusal:
    values = row.values
    key = values["gtin"]
    category, price = values.get("category", ""), values.get("price_minor", "")
    try:
        product = ProductIn(
            gtin=fields.gtin(fields.needed(values, "gtin")),
            name=fields.text(fields.needed(values, "name"), column="name", max_chars=300),
            brand=fields.text(values.get("brand", ""), column="brand", max_chars=128) or None,
            category=_category_ref(category, column="category") if category else None,
            price_minor=fields.whole(price, column="price_minor", largest=MAX_PRICE_MINOR) if price else None,
            currency=fields.currency(values.get("currency", "")),
            image_url=fields.web_address(values.get("image_url", ""), column="image_url"),
        )
    except BadValue as error:
        return refuse(line=row.line, key=key, code=error.code, message=error.message)
    return Given(line=row.line, key=key, value=product)


def _category(row: Row) -> Given[CategoryIn] | Refusal:
    values = row.values
    parent = values["parent"]
    try:
        category = CategoryIn(
            ref=_category_ref(fields.needed(values, "ref"), column="ref"),
            name=fields.text(fields.needed(values, "name"), column="name", max_chars=200),
            parent=_category_ref(parent, column="parent") if parent else None,
        )
    except BadValue as error:
        return refuse(line=row.line, key=values["ref"], code=error.code, message=error.message)
    return Given(line=row.line, key=category.ref, value=category)


def _category_ref(given: str, *, column: str) -> str:
    return fields.ref(given, column=column, max_chars=MAX_CATEGORY_REF_CHARS)
