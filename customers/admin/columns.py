"""Columns and lines of the staff's pages: a value of a row under a label, for those who may see it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html

from customers.admin.words import both

Column = Callable[[Any], Any]
INSTANT = "j M Y, H:i"


def column(
    path: str, *, en: str, fr: str, needs: str = "", order: bool = True, read: Column | None = None
) -> Column:
    """Return a column that shows what stands at `path` (dots as in a lookup) or what `read` makes of the row.

    needs: a permission without which the column is left out.
    """

    def show(row: Any) -> Any:
        value = read(row) if read is not None else value_at(row, path)
        return said_at(value) if isinstance(value, datetime) else value

    show.__name__ = path
    display = admin.display(description=both(en=en, fr=fr), ordering=path if order else None)(show)
    display.needs = needs  # type: ignore[attr-defined]  # what permitted() asks for
    return display


def said_at(instant: datetime) -> str:
    """Return an instant on the staff's clock, as their language writes it."""
    return date_format(timezone.localtime(instant), INSTANT)


def linked(path: str, *, en: str, fr: str, needs: str) -> Column:
    """Return a column that leads to the page of a related row, for those with `needs` only."""

    def link(row: Any) -> Any:
        related = value_at(row, path)
        if related is None:
            return None
        meta = related._meta
        url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[related.pk])
        return format_html('<a href="{}" class="underline">{}</a>', url, related)

    return column(path, en=en, fr=fr, needs=needs, read=link)


def value_at(row: Any, path: str) -> Any:
    """Return the value at a path such as customer__ref; None as soon as a step is empty."""
    for step in path.split("__"):
        row = getattr(row, step, None)
        if row is None:
            return None
    return row


def permitted(columns: Sequence[Any], *, request: HttpRequest) -> list[Any]:
    """Return the columns that this person may see, same order."""
    return [one for one in columns if may_see(one, request=request)]


def may_see(one: Any, *, request: HttpRequest) -> bool:
    needs = getattr(one, "needs", "")
    return not needs or request.user.has_perm(needs)
