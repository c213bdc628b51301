"""A small HTTPS server with a certificate of its own, for tests of names, addresses and certificates."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ANSWER = b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: %s\r\n\r\n"


@dataclass
class TlsServer:
    """What it was asked: the name in the TLS handshake, and the Host header of each request."""

    port: int
    ca_file: Path  # trusts its certificate
    names: list[str | None] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)


@asynccontextmanager
async def tls_server(name: str, *, directory: Path, keeps_open: bool = True) -> AsyncIterator[TlsServer]:
    """Yield a server with a certificate for `name`; it answers 201 to every request."""
    ca_file = _certificate(name, directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file, directory / "tls-key.pem")
    server = TlsServer(port=0, ca_file=ca_file)
    context.sni_callback = lambda _socket, name, _context: server.names.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(
                    line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:] if ": " in line
                )
                server.hosts.append(fields["host"])
                await reader.readexactly(int(fields["content-length"]))
                writer.write(ANSWER % (b"keep-alive" if keeps_open else b"close"))
                await writer.drain()
                if not keeps_open:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    server.port = running.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        running.close()


class Internet(httpcore.AnyIOBackend):
    """The network as it would be: connections to some public addresses end at a local port; all are noted."""

    def __init__(self, ports: dict[str, int]) -> None:
        super().__init__()
        self.ports = ports  # by public address
        self.asked: list[tuple[str, int]] = []

    async def connect_tcp(
        self, host: str, port: int, *args: Any, **kwargs: Any
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append((host, port))
        if host not in self.ports:
            raise httpcore.ConnectError("nobody there")
        return await super().connect_tcp("127.0.0.1", self.ports[host], *args, **kwargs)


def _certificate(name: str, directory: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "tls-key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    path = directory / "tls.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path
