"""POST /v1/events as a Channels consumer: under ASGI a view would cost several thread hops."""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from channels.generic.http import AsyncHttpConsumer
from django.utils import timezone

from customers.api.credentials import (
    CustomerCredential,
    MissingScope,
    authenticate_bearer,
    authenticate_key,
)
from customers.api.parsers import MAX_BODY_BYTES, TooLarge, parse_json
from customers.api.problems import MEDIA_TYPE, RETRY_AFTER_S, Problem, problem_of
from offers.api.events.coalescer import TooBusy
from offers.api.events.door import decide, in_thread
from offers.events import events_of

log = logging.getLogger(__name__)


class _HungUp(Exception):
    """The phone is gone; nobody waits for an answer."""


class EventsConsumer(AsyncHttpConsumer):
    """Takes 1 to 500 events of one phone. Every answer is JSON, every refusal problem+json."""

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        # Without the base class's loop: it opens a channel and closes connections in a thread for each message.
        self.scope, self.base_send = scope, send
        try:
            status, body, headers = 200, await self._answer(receive), {}
        except _HungUp:
            return
        except Exception as error:
            problem = _problem(error)
            status, body, headers = problem.status_code, problem.body, problem.headers
        await self._send_json(status=status, body=body, headers=headers)

    async def _answer(self, receive: ASGIReceiveCallable) -> dict[str, Any]:
        headers = {name.lower(): value for name, value in self.scope["headers"]}
        if self.scope["method"] != "POST":
            raise Problem(status=405, headers={"Allow": "POST"})
        raw = await _body(receive, declared=headers.get(b"content-length", b""))
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        credential = await in_thread(lambda: _authenticate(authorization))
        if headers.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
            raise Problem(status=415, detail="Send application/json.")
        return {"results": await decide(events_of(parse_json(raw)), credential=credential)}

    async def _send_json(self, *, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        sent = {
            "Content-Type": "application/json" if status == 200 else MEDIA_TYPE,
            "Cache-Control": "no-store",
            **headers,
        }
        await self.send_response(
            status,
            msgspec.json.encode(body),
            headers=[(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
        )


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


def _authenticate(authorization: str) -> CustomerCredential:
    """Return whose phone is calling. Raises InvalidCredentials; MissingScope for a valid API key."""
    now = timezone.now()
    if authorization[:8].lower() == "api-key ":
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
