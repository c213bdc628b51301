"""What every local provider received, on one page: it reads their wire logs through their own control doors."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from .controls import PREFIX
from .http import Receive, Request, Response, Scope, Send, json_response, respond
from .http_server import HttpServer
from .page import page
from .phones import MAX_LOG

READ_WITHIN_S = 5.0


class Silent(Exception):
    """A provider that does not answer; the text is its name."""


@dataclass(slots=True)
class Source:
    """One provider's log, from the entry after the last one read."""

    base_url: str
    client: httpx.AsyncClient
    seen: int = 0

    @classmethod
    def at(cls, base_url: str, *, ca_file: Path | None = None) -> "Source":
        """Return a provider's log before its first entry. `ca_file`: of one that speaks HTTP/2 over TLS."""
        trust = ssl.create_default_context(cafile=str(ca_file)) if ca_file else False
        client = httpx.AsyncClient(
            base_url=base_url, verify=trust, http2=bool(ca_file), trust_env=False, timeout=READ_WITHIN_S
        )
        return cls(base_url=base_url, client=client)

    async def fresh(self) -> list[dict[str, Any]]:
        """Return the entries that were not read yet, oldest first; raises httpx.HTTPError."""
        answer = await self.client.get(f"{PREFIX}log", params={"since": self.seen})
        entries: list[dict[str, Any]] = answer.raise_for_status().json()
        if entries:
            self.seen = entries[-1]["seq"]
        return entries


@dataclass(slots=True)
class Board:
    """The page, and a log like a provider's own whose entries say by `provider` where they were read."""

    sources: Mapping[str, Source]  # by the provider's name, in the order of the page
    _entries: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MAX_LOG))
    _count: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one reader at a time: nothing is read twice

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(
            scope, receive, send, answer=self._answer, too_large=json_response({"error": "large"}, status=413)
        )

    async def _answer(self, request: Request) -> Response:
        if (request.method, request.path) == ("GET", "/"):
            language = request.headers.get("accept-language", "")
            shown = page(language, providers=tuple(self.sources))
            return Response(body=shown.encode(), content_type="text/html; charset=utf-8")
        if (request.method, request.path) == ("GET", f"{PREFIX}providers"):
            return json_response({name: source.base_url for name, source in self.sources.items()})
        if (request.method, request.path) == ("GET", f"{PREFIX}log"):
            return await self._log(request)
        return json_response({"error": "not found"}, status=404)

    async def _log(self, request: Request) -> Response:
        """Answer the entries after `since`; 502 with the name of a provider that does not answer."""
        try:
            since = int(request.query.get("since", "0"))
            await self._read()
        except ValueError:
            return json_response({"error": "since is a number"}, status=400)
        except Silent as error:
            return json_response({"error": f"{error} does not answer"}, status=502)
        return json_response([entry for entry in self._entries if entry["seq"] > since])

    async def _read(self) -> None:
        async with self._turn:
            for name, source in self.sources.items():
                try:
                    entries = await source.fresh()
                except httpx.HTTPError as error:
                    raise Silent(name) from error
                for entry in entries:
                    self._count += 1
                    self._entries.append({**entry, "seq": self._count, "provider": name})


class BoardServer(HttpServer):
    """The board, bound at construction; see serving.Server."""

    def __init__(self, *, host: str, port: int, sources: Mapping[str, Source]) -> None:
        """Bind the address; raises OSError."""
        self._sources = sources
        super().__init__(host=host, port=port, app_at=lambda _: Board(sources))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up on the providers too."""
        await super().shutdown(sockets)
        for source in self._sources.values():
            await source.client.aclose()
