"""How outcomes become HTTP."""

from collections.abc import Callable
from typing import Any, TypeVar

from rest_framework.response import Response

from customers.api.fields import is_ref
from customers.api.problems import Problem, not_found_problem
from offers.operations.outcomes import Refused, Written, Wrong

T = TypeVar("T")
STATUS = {"invalid": 400, "not_found": 404}  # every other refusal is a conflict with what is there


def put_answer(outcome: Written[T] | Refused, *, render: Callable[[T], Any]) -> Response:
    """Answer 201 or 200 with the whole object. Raises the problem of a refusal."""
    if isinstance(outcome, Refused):
        raise refusal_problem(outcome)
    return Response(render(outcome.row), status=201 if outcome.is_new else 200)


def refusal_problem(refused: Refused) -> Problem:
    """Return the problem that tells every reason of a refusal."""
    whole = [wrong for wrong in refused.wrongs if not wrong.field]
    return Problem(
        status=STATUS.get(refused.code, 409),
        code=refused.code,
        detail=whole[0].message if whole else "",
        errors=refusal_errors(refused),
    )


def refusal_errors(refused: Refused) -> list[dict[str, Any]]:
    return [_error(wrong) for wrong in refused.wrongs if wrong.field]


def _error(wrong: Wrong) -> dict[str, Any]:
    error = {"field": wrong.field, "code": wrong.code, "message": wrong.message}
    if wrong.messages is not None:
        return {**error, "rule": wrong.rule, "messages": dict(wrong.messages)}
    return error


def known_ref(ref: str) -> str:
    """Return the outside key of a URL that names something. Raises the 404 of one that cannot be a key."""
    if not is_ref(ref):
        raise not_found_problem()
    return ref


def found(row: T | None) -> T:
    """Return the row. Raises the 404 of what is not there or not the caller's."""
    if row is None:
        raise not_found_problem()
    return row


def gone(was_there: bool) -> Response:
    """Answer a deletion: 204, or the 404 of what was not there."""
    if not was_there:
        raise not_found_problem()
    return Response(status=204)
