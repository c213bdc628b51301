"""Idempotency-Key: the first answer to a keyed request is kept for 72 h and given again, byte for byte.

The whole request runs in one transaction under an advisory lock of its key, and its answer is stored in the same
transaction. So an answer exists exactly if its effects do, and a process that dies leaves neither behind, nor anything to clean up: the
database frees the lock with the connection.

Kept are answers that say what happened, refusals by name (404, 409, 422) included. Not kept are those that say that
nothing was tried: 400, 401, 403, 413, 415, 429 and 5xx; the same key may be sent again with a body that is right.
"""

import functools
import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from customers.api.problems import Problem, invalid_problem
from customers.models import IdempotencyRecord

HEADER = "Idempotency-Key"
MAX_KEY_CHARS = 255
NOTHING_WAS_TRIED = frozenset({400, 401, 403, 413, 415, 429})

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def idempotent(method: View) -> View:
    """Give a view's method the Idempotency-Key header; without the header it runs as it is.

    The method must not open a durable transaction, nor touch the network.
    """
    return _wrapped(method, required=False)


def idempotency_required(method: View) -> View:
    """Like `idempotent`, and 400 `invalid` without the header."""
    return _wrapped(method, required=True)


def _wrapped(method: Any, *, required: bool) -> Any:
    @functools.wraps(method)
    def run(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        key = _key(request, required=required)
        if key is None:
            return method(view, request, *args, **kwargs)
        handler = functools.partial(method, view, request, *args, **kwargs)
        return _run_once(view=view, request=request, key=key, handler=handler, now=view.now)

    run.idempotency = "required" if required else "optional"  # type: ignore[attr-defined]  # reader: the schema
    return run


def _key(request: Request, *, required: bool) -> str | None:
    given = request.headers.get(HEADER)
    if given is None:
        if required:
            raise invalid_problem(field=HEADER, code="required", message="This header is needed.")
        return None
    if not 1 <= len(given) <= MAX_KEY_CHARS or "\0" in given:
        raise invalid_problem(field=HEADER, message=f"1 to {MAX_KEY_CHARS} characters.")
    return given


def _run_once(
    *, view: Any, request: Request, key: str, handler: Callable[[], Any], now: datetime
) -> HttpResponseBase:
    credential = request.auth.key
    digest = _digest(request)
    with transaction.atomic():
        if not _lock(credential=credential, key=key):
            raise Problem(
                status=409,
                code="idempotency_in_flight",
                detail="The first request with this key is still at work; try again.",
                headers={"Retry-After": "1"},
            )
        known = _known(credential=credential, key=key, now=now)
        if known is not None:
            return _replay(known, digest=digest)
        response = _answer(view=view, request=request, handler=handler)
        if response.status_code < 500 and response.status_code not in NOTHING_WAS_TRIED:
            IdempotencyRecord.objects.create(
                credential=credential,
                key=key,
                digest=digest,
                status=response.status_code,
                content_type=response.headers.get("Content-Type", ""),
                body=response.content,
                created_at=now,
            )
        return response


def _digest(request: Request) -> bytes:
    """Return the SHA-256 of method, path and the parsed body; white space and the order of keys do not count."""
    body = json.dumps(request.data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n{body}".encode()).digest()


def _lock(*, credential: str, key: str) -> bool:
    """Whether this transaction alone now works on the key, until it ends."""
    name = hashlib.sha256(f"idempotency\n{credential}\n{key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(name[:8], "big", signed=True)])
        return bool(cursor.fetchone()[0])


def _known(*, credential: str, key: str, now: datetime) -> IdempotencyRecord | None:
    known = IdempotencyRecord.objects.filter(credential=credential, key=key).first()
    if known is None:
        return None
    if known.created_at <= now - timedelta(hours=settings.RAYON["idempotency_retention_hours"]):
        known.delete()
        return None
    return known


def _replay(known: IdempotencyRecord, *, digest: bytes) -> HttpResponse:
    if bytes(known.digest) != digest:
        raise Problem(
            status=422,
            code="idempotency_key_reused",
            detail="This key was sent before, with another body or to another address.",
        )
    return HttpResponse(bytes(known.body), status=known.status, content_type=known.content_type)


def _answer(*, view: Any, request: Request, handler: Callable[[], Any]) -> Any:
    """Return the handler's answer, rendered; a named refusal is one too, while any other error undoes everything."""
    try:
        with transaction.atomic():
            response = handler()
    except (APIException, Http404) as error:
        response = view.handle_exception(error)
    return view.finalize_response(request, response).render()
