"""A mail connection over TLS that another thread can cut: within the handshake, and after it."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from offers.gateways.email import EmailGateway
from offers.gateways.email_wire import EmailBackend
from offers.gateways.port import Outcome, Receipt

from .test_gateways import NOW
from .test_gateways_email import AT_ONCE, mail
from .tls_server import tls_server

RECORD_OF_16_KIB = b"\x16\x03\x03\x40\x00"  # a TLS record's head, which promises more than will come in time
LIMIT_S = 0.45


def over_tls(port: int, *, ca_file: Path | None = None) -> Callable[[], EmailBackend]:
    def connect() -> EmailBackend:
        backend = EmailBackend(host="localhost", port=port, use_ssl=True, use_tls=False, timeout=5.0)
        backend.ssl_context = ssl.create_default_context(cafile=ca_file)
        return backend

    return connect


async def sent(connect: Callable[[], EmailBackend]) -> Receipt:
    """Return what came of one mail, within the whole limit and a second for slow machines."""
    gateway = EmailGateway(
        from_address="Carotte <offres@carotte.example>",
        public_url="https://carotte.example",
        connect=connect,
        timeout_s=LIMIT_S / 3,
        threads=1,
        clock=lambda: AT_ONCE,
    )
    async with asyncio.timeout(LIMIT_S + 1.0):
        [receipt] = await gateway.send([mail()], now=NOW)
        await gateway.aclose()
    return receipt


async def test_a_handshake_that_drips_is_cut() -> None:
    is_over = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            for byte in RECORD_OF_16_KIB + bytes(100):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        is_over.set()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        receipt = await sent(over_tls(server.sockets[0].getsockname()[1]))
        async with asyncio.timeout(10):
            await is_over.wait()  # the cut is felt at the other end, too

    assert (receipt.outcome, receipt.provider_code) == (Outcome.TRY_LATER, "TIMEOUT")


async def test_a_server_that_is_silent_after_the_handshake_is_cut(tmp_path: Path) -> None:
    async with tls_server("localhost", directory=tmp_path) as server:
        receipt = await sent(over_tls(server.port, ca_file=server.ca_file))

    assert server.names == ["localhost"]
    assert (receipt.outcome, receipt.provider_code) == (Outcome.TRY_LATER, "TIMEOUT")
