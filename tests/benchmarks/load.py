"""A load of HTTP posts over kept connections, light enough to leave the machine to the server."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Load:
    requests: int = 0
    refused: int = 0  # answers other than 200
    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)

    def quantile_s(self, share: float) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


Request = tuple[str, bytes]  # bearer token, body


def post(
    *, host: str, port: int, path: str, connections: int, seconds: float, request: Callable[[], Request]
) -> Load:
    """Post for `seconds` over `connections`, each waiting for its answer; `request` makes the next one."""
    return asyncio.run(_post(host, port, path, connections, seconds, request))


async def _post(
    host: str, port: int, path: str, connections: int, seconds: float, request: Callable[[], Request]
) -> Load:
    load = Load()
    start = time.perf_counter()
    until = start + seconds
    await asyncio.gather(*(_one(host, port, path, until, request, load) for _ in range(connections)))
    load.seconds = time.perf_counter() - start
    return load


async def _one(
    host: str, port: int, path: str, until: float, request: Callable[[], Request], load: Load
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        while (sent_at := time.perf_counter()) < until:
            token, body = request()
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            status = await _answer(reader)
            load.latencies_s.append(time.perf_counter() - sent_at)
            load.requests += 1
            load.refused += status != 200
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), None)
    if length is not None:
        await reader.readexactly(length)
    else:  # chunked
        while (size := int((await reader.readline()).strip(), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(lines[0].split()[1])
