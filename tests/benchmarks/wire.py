"""Lines to the server: a blocking socket and as much of HTTP or WebSocket as is needed to tell an answer's end."""

import base64
import os
import socket

from tests.benchmarks.messages import frame_head

CHUNK = 262_144
TIMEOUT_S = 30.0
ACCEPTED = b'"status":"accepted"'


class Refused(Exception):
    """The server answered with what it should not; the text says with what."""


class Line:
    """One connection; one message is in flight on it at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fileno = self.socket.fileno()
        self._received = b""

    def send(self, message: bytes) -> None:
        self.socket.sendall(message)

    def receive(self) -> bytes | None:
        """Return the answer if it is complete now that the socket can be read, else None. Raises Refused."""
        data = self.socket.recv(CHUNK)
        if not data:
            raise Refused("the server hung up")
        self._received = self._received + data if self._received else data
        answer = self._answer()
        if answer is not None:
            self._received = b""
        return answer

    def close(self) -> None:
        self.socket.close()

    def _answer(self) -> bytes | None:
        raise NotImplementedError


class Http(Line):
    def _answer(self) -> bytes | None:
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return None
        if head[9:12] != b"200":
            raise Refused(f"{head[:60]!r}: {body[:300]!r}")
        # Nothing of ours has a line end in its JSON, so the last chunk's end is seen at once.
        if b"transfer-encoding: chunked" in head:
            return body if body.endswith(b"0\r\n\r\n") and body[-7:-5] in (b"", b"\r\n") else None
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return body if len(body) >= length else None


class WebSocket(Line):
    """A socket of rayon.v1, opened by its token."""

    def __init__(self, port: int, *, token: str) -> None:
        super().__init__(port)
        key = base64.b64encode(os.urandom(16)).decode()
        self.send(
            f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: rayon.v1\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = self.socket.recv(1)
            if not data:
                raise Refused("the server hung up on the handshake")
            answer += data
        if not answer.startswith(b"HTTP/1.1 101"):
            raise Refused(repr(answer[:60]))

    def _answer(self) -> bytes | None:
        while True:
            received = self._received
            if len(received) < 2:
                return None
            length, start = received[1], 2
            if length == 126:
                length, start = int.from_bytes(received[2:4], "big"), 4
            elif length == 127:
                length, start = int.from_bytes(received[2:10], "big"), 10
            if len(received) < start + length:
                return None
            opcode, payload = received[0] & 0x0F, received[start : start + length]
            if opcode == 1:
                return payload
            if opcode == 9:  # a ping
                self.send(frame_head(length, opcode=10) + payload)
                self._received = received[start + length :]
                continue
            raise Refused(f"frame {opcode}: {payload[:300]!r}")
