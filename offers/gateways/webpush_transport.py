"""HTTP that can only reach what the guard lets through: the check stands where the connection is made.

A name is resolved once for each connection, every address it has is judged, and the connection is made to one of the
judged addresses; TLS and the Host header keep the name. Whatever goes wrong above (a redirect that is followed, a URL
that is read differently), nothing else can be connected to.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from .webpush_guard import Guard

KEEPALIVE_S = 30.0
MAX_ADDRESSES = 4  # tried one after the other, sharing the time to connect

Resolver = Callable[[str, int], Awaitable[list[str]]]

_HTTPX_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.NetworkError, httpx.NetworkError),
    (httpcore.ProtocolError, httpx.ProtocolError),
)


async def system_resolver(host: str, port: int) -> list[str]:
    """Return the addresses of a name as this machine resolves it; raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(address[0]) for *_, address in found]


def guarded_client(
    *,
    guard: Guard,
    timeout_s: float,
    concurrency: int,
    trusted: ssl.SSLContext,
    resolve: Resolver = system_resolver,
    network: httpcore.AsyncNetworkBackend | None = None,
) -> httpx.AsyncClient:
    """Return a client that connects to nothing the guard refuses; a refusal leaves it as GuardRefused.

    Neither proxies nor anything else is taken from the environment, and redirects are not followed. `resolve` and
    `network` are how names are looked up and connections made.

    It speaks HTTP/1.1: a request that hangs, drips or floods then costs one connection, where in HTTP/2 it would
    hold up everybody on the origin's only one.
    """
    pool = httpcore.AsyncConnectionPool(
        ssl_context=trusted,
        max_connections=concurrency,
        max_keepalive_connections=concurrency,
        keepalive_expiry=KEEPALIVE_S,
        http1=True,
        http2=False,
        retries=0,
        network_backend=_GuardedNetwork(
            guard=guard, resolve=resolve, network=network or httpcore.AnyIOBackend()
        ),
    )
    return httpx.AsyncClient(
        transport=_Transport(pool),
        timeout=httpx.Timeout(timeout_s),
        headers={"accept-encoding": "identity", "user-agent": "rayon"},
        follow_redirects=False,
        trust_env=False,
    )


class _GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Makes connections to judged addresses only."""

    def __init__(self, *, guard: Guard, resolve: Resolver, network: httpcore.AsyncNetworkBackend) -> None:
        self._guard = guard
        self._resolve = resolve
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = [host]
        if not self._guard.is_dev(host=host, port=port):
            addresses = self._guard.public(await self._resolved(host, port))[:MAX_ADDRESSES]
        share = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(addresses[-1], port, share, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

    async def _resolved(self, host: str, port: int) -> list[str]:
        try:
            return await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(type(error).__name__) from error


class _Transport(httpx.AsyncBaseTransport):
    """httpx's way into the pool."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _in_httpx_words():
            answer = await self._pool.handle_async_request(asked)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_httpx_words():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


@contextmanager
def _in_httpx_words() -> Iterator[None]:
    try:
        yield
    except tuple(ours for ours, _ in _HTTPX_ERRORS) as error:
        theirs = next(theirs for ours, theirs in _HTTPX_ERRORS if isinstance(error, ours))
        raise theirs(type(error).__name__) from error
