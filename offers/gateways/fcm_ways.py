"""The ways to FCM: HTTP/2 over a connection of our own, or httpx where that cannot go (plain addresses, proxies).

docs/decisions/0012-apns-gateway.md says what the connection is; 0005 which way is taken when.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from hpack import HeaderTuple, NeverIndexedHeaderTuple

from .fitting import CannotBuild
from .http import Answer, new_trust, post
from .http2_connection import MAX_BODY_BYTES
from .http2_shared import SharedConnection

CONTENT_TYPE = "application/json; charset=UTF-8"


class Way(Protocol):
    """One way to send a message's request."""

    async def post(self, body: bytes, *, token: str) -> Answer:
        """Return the answer; raises NoAnswer, and CannotBuild for a request that is too large for the way."""
        ...

    async def look(self) -> None:
        """Find out whether an idle connection still lives, where nobody else does."""
        ...

    async def aclose(self) -> None: ...


def is_proxied(url: str) -> bool:
    """Whether the environment wants requests to this https address to go through a proxy (HTTPS_PROXY, NO_PROXY)."""
    proxies = getproxies()
    host = urlsplit(url).hostname or ""
    return bool(proxies.get("https") or proxies.get("all")) and not proxy_bypass(host)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverHttpx:
    """HTTP/1.1 to a plain address; through a proxy, what the two ends agree on. The client is closed by its owner."""

    client: httpx.AsyncClient
    path: str
    timeout_s: float

    async def post(self, body: bytes, *, token: str) -> Answer:
        headers = {"authorization": f"Bearer {token}", "content-type": CONTENT_TYPE}
        return await post(self.client, self.path, timeout_s=self.timeout_s, content=body, headers=headers)

    async def look(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


@dataclass(slots=True, kw_only=True)
class OverHttp2:
    """One shared connection with many streams. What FCM says it did not process is sent once more."""

    base_url: str  # https
    path: str
    timeout_s: float
    ca_file: Path | None
    _connection: SharedConnection = field(init=False)
    _before: list[HeaderTuple] = field(init=False)
    _after: list[HeaderTuple] = field(init=False)

    def __post_init__(self) -> None:
        url = urlsplit(self.base_url)
        assert url.hostname is not None
        self._connection = SharedConnection(
            gateway="fcm",
            host=url.hostname,
            port=url.port or 443,
            trust=new_trust(self.ca_file),
            timeout_s=self.timeout_s,
        )
        self._before = [
            HeaderTuple(b":method", b"POST"),
            HeaderTuple(b":scheme", b"https"),
            HeaderTuple(b":authority", url.netloc.rpartition("@")[2].encode("idna")),
            HeaderTuple(b":path", (url.path + self.path).encode()),
        ]
        self._after = [
            HeaderTuple(b"content-type", CONTENT_TYPE.encode()),
            HeaderTuple(b"user-agent", b"rayon"),
        ]

    async def post(self, body: bytes, *, token: str) -> Answer:
        if len(body) > MAX_BODY_BYTES:
            # Texts and data were made to fit: it is the token.
            raise CannotBuild("TOKEN_TOO_LARGE")
        # Kept out of the table that both ends keep: it is not to be guessed from how well a header packs.
        ours = NeverIndexedHeaderTuple(b"authorization", f"Bearer {token}".encode())
        return await self._connection.post([*self._before, ours, *self._after], body)

    async def look(self) -> None:
        await self._connection.look()

    async def aclose(self) -> None:
        await self._connection.aclose()
