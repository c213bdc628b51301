"""POST /v1/events as a plain ASGI application: a view would cost several thread hops, a consumer a channel and a route."""

import logging

import msgspec
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.utils import timezone

from customers.api.credentials import (
    CustomerCredential,
    MissingScope,
    authenticate_bearer,
    authenticate_key,
    bearer_digest,
)
from customers.api.parsers import MAX_BODY_BYTES, TooLarge, parse_json
from customers.api.problems import MEDIA_TYPE, RETRY_AFTER_S, Problem, problem_of
from offers.api.events.coalescer import TooBusy
from offers.api.events.deciding import Answer, Incoming
from offers.api.events.door import decide, in_thread
from offers.api.events.parsing import events_of
from offers.api.events.wire import well_formed_body

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_OK = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class _HungUp(Exception):
    """The phone is gone; nobody waits for an answer."""


async def events_door(scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Take 1 to 500 events of one phone. Every answer is JSON, every refusal problem+json."""
    try:
        body = _encode({"results": await _answer(scope, receive)})
        status, headers = 200, _OK
    except _HungUp:
        return
    except Exception as error:
        problem = _problem(error)
        status, body = problem.status_code, _encode(problem.body)
        told = {"content-type": MEDIA_TYPE, "cache-control": "no-store", **problem.headers}
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in told.items()]
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _answer(scope: HTTPScope, receive: ASGIReceiveCallable) -> Answer:
    headers = dict(scope["headers"])  # in lower case, says ASGI
    if scope["method"] != "POST":
        raise Problem(status=405, headers={"Allow": "POST"})
    raw = await _body(receive, declared=headers.get(b"content-length", b""))
    authorization = headers.get(b"authorization", b"").decode("latin-1")
    is_json = headers.get(b"content-type", b"").split(b";")[0].strip().lower() == b"application/json"
    events = well_formed_body(raw) if is_json else None
    if events is not None and not _is_key(authorization):
        # Whose token it is, is looked up with those of the whole batch.
        return await decide(Incoming(events=events, digest=bearer_digest(authorization)))
    credential = await in_thread(lambda: _authenticate(authorization))
    if not is_json:
        raise Problem(status=415, detail="Send application/json.")
    return await decide(Incoming(events=events_of(parse_json(raw)), credential=credential))


async def _body(receive: ASGIReceiveCallable, *, declared: bytes) -> bytes:
    """Return the request's body, never holding more than the limit. Raises TooLarge, before reading where it says so."""
    if declared.isdigit() and (len(declared) > 18 or int(declared) > MAX_BODY_BYTES):
        raise TooLarge(max_bytes=MAX_BODY_BYTES)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _HungUp
        chunk: bytes = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise TooLarge(max_bytes=MAX_BODY_BYTES)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _is_key(authorization: str) -> bool:
    return authorization[:8].lower() == "api-key "


def _authenticate(authorization: str) -> CustomerCredential:
    """Return whose phone is calling. Raises InvalidCredentials; MissingScope for a valid API key."""
    now = timezone.now()
    if _is_key(authorization):
        authenticate_key(authorization, now=now)
        raise MissingScope(detail="This call needs a customer's token.")
    return authenticate_bearer(authorization, now=now)


def _problem(error: Exception) -> Problem:
    if isinstance(error, TooBusy):
        return Problem(
            status=503, detail="Too many events are waiting.", headers={"Retry-After": str(RETRY_AFTER_S)}
        )
    problem = problem_of(error)
    if problem is None:
        log.error("unhandled exception in the events' door", exc_info=error)
        return Problem(status=500)
    return problem
