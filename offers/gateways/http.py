"""One POST to a provider, bounded in time and in what it takes back."""

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes  # the first MAX_ANSWER_BYTES
    retry_after: str | None


class NoAnswer(Exception):
    """Nothing usable came back; `code` names what happened. The request may have been acted upon."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def new_client(
    *, base_url: str, timeout_s: float, concurrency: int, ca_file: Path | None = None
) -> httpx.AsyncClient:
    """Return a client that keeps its connections: HTTP/2 over TLS, HTTP/1.1 otherwise.

    `ca_file` (PEM) is trusted besides the system's certificates. Over TLS, proxies and certificates are taken from the environment; a plain address is one nearby, reached
    directly. Redirects are not followed.
    """
    secure = base_url.startswith("https:")
    return httpx.AsyncClient(
        base_url=base_url,
        http1=True,
        http2=secure,
        trust_env=secure,
        verify=trust(ca_file),
        timeout=httpx.Timeout(timeout_s),
        # One more than the sends under way, for the access token they may all be waiting for.
        limits=httpx.Limits(max_connections=concurrency + 1, max_keepalive_connections=concurrency + 1),
        headers={"accept-encoding": "identity", "user-agent": "rayon"},
        follow_redirects=False,
    )


@cache
def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return whom to believe over TLS, shared by all HTTP clients of the process; see new_trust."""
    # Reading the certificates takes longer than a send.
    return new_trust(ca_file)


def new_trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return whom to believe over TLS: the system's certificates and, if given, those of `ca_file`."""
    context = httpx.create_ssl_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context


async def post(client: httpx.AsyncClient, url: str, *, timeout_s: float, **request: Any) -> Answer:
    """Return the answer to a POST, whole within `timeout_s` seconds; raises NoAnswer."""
    try:
        # httpx bounds each read; the sum of them, which a slow drip can stretch, is bounded here.
        async with asyncio.timeout(timeout_s), client.stream("POST", url, **request) as response:
            body = bytearray()
            async for block in response.aiter_raw():
                body += block
                if len(body) >= MAX_ANSWER_BYTES:
                    break
            return Answer(
                status=response.status_code,
                body=bytes(body[:MAX_ANSWER_BYTES]),
                retry_after=response.headers.get("retry-after"),
            )
    except (TimeoutError, httpx.TimeoutException) as error:
        raise NoAnswer("TIMEOUT") from error
    except httpx.ConnectError as error:
        raise NoAnswer("CONNECT_FAILED") from error
    except httpx.TransportError as error:
        raise NoAnswer("CONNECTION_LOST") from error
