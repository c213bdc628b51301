"""Every refusal of the API as RFC 9457 problem+json, with the stable codes of the wire contract."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import psycopg
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2  # after 503: a restart of the database or a failover takes seconds

CODES = {
    400: "invalid",
    401: "invalid_credentials",
    403: "missing_scope",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "unprocessable",
    429: "throttled",
    500: "internal",
    503: "unavailable",
}
DATABASE_IS_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
# What PostgreSQL or the driver cannot store: a NUL, a number out of range, half a surrogate pair.
CANNOT_BE_STORED = (DataError, psycopg.DataError, UnicodeEncodeError)


def problem_body(
    *,
    status: int,
    code: str = "",
    title: str = "",
    detail: str = "",
    errors: Sequence[Mapping[str, Any]] = (),
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the members of a problem, for REST answers and socket frames alike.

    `code` and `title` default to those of the status. `errors` is left out where empty; `extra` adds members.
    """
    code = code or CODES.get(status, "error")
    body: dict[str, Any] = {
        "type": f"urn:rayon:problem:{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = [dict(error) for error in errors]
    return {**body, **(extra or {})}


class Problem(exceptions.APIException):
    """A refusal with a name. Raise it anywhere below a door; sockets send `body`.

    `errors`: {"field": "events.3.location.lat", "code", "message"} each; `extra`: further members of the body.
    """

    def __init__(
        self,
        *,
        status: int,
        code: str = "",
        title: str = "",
        detail: str = "",
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code or CODES.get(status, "error")
        super().__init__(detail=detail or HTTPStatus(status).phrase, code=self.code)
        self.status_code = status
        self.headers = dict(headers or {})
        self.body = problem_body(
            status=status, code=self.code, title=title, detail=detail, errors=errors, extra=extra
        )


def not_found_problem(*, detail: str = "") -> Problem:
    """Return the 404 of what does not exist and of what is not the caller's: the two look the same."""
    return Problem(status=404, detail=detail)


def invalid_problem(*, field: str, code: str = "invalid", message: str) -> Problem:
    """Return the 400 of one bad field."""
    return Problem(status=400, errors=[{"field": field, "code": code, "message": message}])


def problem_of(exc: Exception) -> Problem | None:
    """Return the problem an exception stands for; None for an incident, which is a 500."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, DATABASE_IS_AWAY):
        return Problem(
            status=503, detail="Try again in a moment.", headers={"Retry-After": str(RETRY_AFTER_S)}
        )
    if isinstance(exc, CANNOT_BE_STORED):
        return Problem(status=400, detail="A value in the request cannot be stored.")
    if isinstance(exc, Http404):
        return not_found_problem()
    if isinstance(exc, PermissionDenied):
        return Problem(status=403)
    if isinstance(exc, RequestDataTooBig):
        return Problem(status=413)
    if isinstance(exc, UnreadablePostError):
        return Problem(status=400, code="malformed_json", detail="The body ended early.")
    if isinstance(exc, exceptions.APIException):
        return _of_api_exception(exc)
    return None


def _of_api_exception(exc: exceptions.APIException) -> Problem:
    if isinstance(exc, exceptions.ValidationError):
        return Problem(status=400, errors=list(flatten_errors(exc.detail)))
    if isinstance(exc, exceptions.ParseError):
        return Problem(status=400, code="malformed_json")
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return Problem(status=401, headers={"WWW-Authenticate": getattr(exc, "auth_header", "Bearer")})
    if isinstance(exc, exceptions.Throttled):
        return Problem(status=429, headers={"Retry-After": str(max(1, int(getattr(exc, "wait", None) or 1)))})
    return Problem(status=exc.status_code, detail=str(exc.detail))


def flatten_errors(detail: Any, *, path: str = "") -> Iterator[dict[str, str]]:
    """Yield one {"field", "code", "message"} per error of DRF's nested ones; fields as dotted paths."""
    if isinstance(detail, Mapping):
        for name, below in detail.items():
            own = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from flatten_errors(below, path=path if own else _joined(path, str(name)))
    elif isinstance(detail, list | tuple):
        for index, below in enumerate(detail):
            leaf = isinstance(below, str)
            yield from flatten_errors(below, path=path if leaf else _joined(path, str(index)))
    else:
        yield {"field": path, "code": getattr(detail, "code", None) or "invalid", "message": str(detail)}


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Answer every exception of a view; what is not understood is logged and is a 500 without a word of it."""
    problem = problem_of(exc)
    if problem is None:
        log.error("unhandled exception in a door", exc_info=exc)
        request = context.get("request")
        got_request_exception.send(sender=None, request=getattr(request, "_request", request))
        problem = Problem(status=500)
    return Response(
        problem.body, status=problem.status_code, headers=problem.headers, content_type=MEDIA_TYPE
    )


def _page(request: HttpRequest, *, status: int) -> HttpResponse:
    if request.path.startswith("/v1/"):
        return JsonResponse(problem_body(status=status), status=status, content_type=MEDIA_TYPE)
    return HttpResponse(f"{status} {HTTPStatus(status).phrase}\n", status=status, content_type="text/plain")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return _page(request, status=400)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404, and the last route under /v1/ (while debugging, handler404 is not asked)."""
    return _page(request, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    return _page(request, status=500)
