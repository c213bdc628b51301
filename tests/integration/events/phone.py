"""A phone that calls the events' door as a server would, message by message."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asgiref.typing import HTTPScope
from django.utils import timezone

from customers.api.credentials import token_digest
from customers.models import BearerToken, Customer
from offers.api.events.rest import events_door


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


def make_token(customer: Customer, *, token: str = "a-token", device_id: str = "phone") -> str:
    now = timezone.now()
    BearerToken.objects.create(
        digest=token_digest(token),
        customer=customer,
        device_id=device_id,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    return token


def call(
    body: Any,
    *,
    token: str | None = "a-token",
    authorization: str | None = None,
    method: str = "POST",
    content_type: str | None = "application/json",
    declared: int | None = None,
    chunks: list[bytes] | None = None,
) -> Answer:
    """Send a body (bytes as they are, anything else as JSON) and return the answer."""
    return calls([call_later(**locals())])[0]


def calls(waiting: list[Any]) -> list[Answer]:
    """Return the answers to several calls that are on the way at once."""

    async def all_of_them() -> list[Answer]:
        return list(await asyncio.gather(*waiting))

    return asyncio.run(all_of_them())


async def call_later(
    body: Any,
    *,
    token: str | None = "a-token",
    authorization: str | None = None,
    method: str = "POST",
    content_type: str | None = "application/json",
    declared: int | None = None,
    chunks: list[bytes] | None = None,
) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    parts = [raw] if chunks is None else list(chunks)
    if authorization is None and token is not None:
        authorization = f"Bearer {token}"
    headers = []
    if authorization is not None:
        headers.append((b"authorization", authorization.encode("latin-1")))
    if content_type is not None:
        headers.append((b"content-type", content_type.encode()))
    if chunks is None:
        headers.append((b"content-length", str(len(raw) if declared is None else declared).encode()))
    return await _exchange(method=method, headers=headers, parts=parts)


async def _exchange(*, method: str, headers: list[tuple[bytes, bytes]], parts: list[bytes]) -> Answer:
    scope: HTTPScope = {"type": "http", "method": method, "path": "/v1/events", "headers": headers}  # type: ignore[typeddict-item]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await events_door(scope, receive, send)
    start, *rest = sent
    return Answer(
        status=start["status"],
        headers={name.decode().lower(): value.decode() for name, value in start["headers"]},
        body=json.loads(b"".join(each["body"] for each in rest)),
    )
