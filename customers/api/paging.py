"""Lists in pages: {"results", "next", "previous"}, by the row's id, so that a page never shifts under its reader."""

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from customers.api.problems import invalid_problem

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_CURSOR = re.compile(r"([np]):([0-9]{1,19})")
MAX_ID = 2**63 - 1

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    backwards: bool
    after_id: int  # exclusive

    def text(self) -> str:
        plain = f"{'p' if self.backwards else 'n'}:{self.after_id}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def parse_cursor(text: str) -> Cursor:
    """Return the cursor. Raises ValueError for a text that `Cursor.text` did not make."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, UnicodeError):
        raise ValueError("not a cursor") from None
    match = _CURSOR.fullmatch(plain)
    if match is None or int(match[2]) > MAX_ID:
        raise ValueError("not a cursor")
    return Cursor(backwards=match[1] == "p", after_id=int(match[2]))


def paged(
    *,
    request: Request,
    queryset: "QuerySet[M]",
    render: Callable[[Sequence[M]], Sequence[Any]],
    newest_first: bool = False,
) -> Response:
    """Answer one page of the queryset, ordered by id; `render` gets the page's rows at once.

    Query parameters: `limit` (1 to 200, 50 without it) and `cursor`. Raises the 400 of a bad one.
    """
    limit, cursor = _limit(request), _cursor(request)
    backwards = cursor is not None and cursor.backwards
    descending = newest_first != backwards
    if cursor is not None:
        queryset = queryset.filter(**{"id__lt" if descending else "id__gt": cursor.after_id})
    rows = list(queryset.order_by("-id" if descending else "id")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    if backwards:
        rows.reverse()
    has_next, has_previous = (bool(rows), more) if backwards else (more, cursor is not None and bool(rows))
    return Response(
        {
            "results": render(rows),
            "next": _url(request, Cursor(backwards=False, after_id=rows[-1].pk)) if has_next else None,
            "previous": _url(request, Cursor(backwards=True, after_id=rows[0].pk)) if has_previous else None,
        }
    )


def _limit(request: Request) -> int:
    given = request.query_params.get("limit")
    if given is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[0-9]{1,4}", given) or not 1 <= int(given) <= MAX_LIMIT:
        raise invalid_problem(field="limit", message=f"A whole number from 1 to {MAX_LIMIT}.")
    return int(given)


def _cursor(request: Request) -> Cursor | None:
    given = request.query_params.get("cursor")
    if given is None:
        return None
    try:
        return parse_cursor(given)
    except ValueError:
        raise invalid_problem(field="cursor", message="Not a cursor of this list.") from None


def _url(request: Request, cursor: Cursor) -> str:
    return str(replace_query_param(request.build_absolute_uri(), "cursor", cursor.text()))
