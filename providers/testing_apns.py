"""A running local APNs for tests, with its script and its log at hand."""

import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from .apns import ApnsServer

STOP_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class RunningApns:
    """A local APNs that answers; the helpers speak to its control door."""

    host: str
    port: int
    ca_file: Path
    key_file: Path
    key_id: str
    team_id: str
    topic: str

    def script(self, token: str, *answers: dict[str, Any]) -> None:
        """Put the answers for a device token's next sends, in order; `*` stands for any token without its own.

        An answer: `status`, `reason`, `timestamp_ms`, `retry_after`, `delay_s`, `drop`, `reset`, `goaway`, `times`;
        {} accepts.
        """
        self._call("POST", "script", json={"token": token, "answers": list(answers)})

    def change(self, **settings: Any) -> dict[str, int]:
        """Change `counts_updates`, `is_alone_first`, `clock_ahead_s`; return how often there were new ones.

        Counted are `connections`, each call of these helpers among them, and good provider `tokens`.
        """
        return dict(self._call("POST", "settings", json=settings))

    def tokens(self) -> int:
        """Return how many good provider tokens there have been."""
        return self.change()["tokens"]

    def cut(self) -> None:
        """End every connection without a word."""
        self._call("DELETE", "connections")

    def log(self, *, since: int = 0) -> list[dict[str, Any]]:
        """Return the sends on the wire, oldest first: seq, at, token, message, answer, delivered, why, connection."""
        return list(self._call("GET", f"log?since={since}"))

    def delivered(self) -> list[dict[str, Any]]:
        """Return the messages that reached a phone, oldest first: token, headers, payload."""
        return [entry["message"] for entry in self.log() if entry["delivered"]]

    def reset(self) -> None:
        """Forget scripts and log, and be as strict as the real one."""
        self._call("DELETE", "script")
        self._call("DELETE", "log")
        self.change(counts_updates=True, is_alone_first=True, clock_ahead_s=0)

    def client(self) -> httpx.Client:
        """Return an HTTP/2 client that trusts the server."""
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        return httpx.Client(
            base_url=f"https://{self.host}:{self.port}",
            http1=False,
            http2=True,
            verify=trust,
            trust_env=False,
        )

    def _call(self, method: str, path: str, **more: Any) -> Any:
        with self.client() as client:
            answer = client.request(method, f"/_control/{path}", **more)
        if answer.is_error:
            raise ValueError(answer.text)
        return answer.json()


@contextmanager
def running_apns(*, directory: Path | None = None) -> Iterator[RunningApns]:
    """Yield a local APNs on a free port of 127.0.0.1, served by a thread of this process until the block ends."""
    with tempfile.TemporaryDirectory() as temporary:
        server = ApnsServer(host="127.0.0.1", port=0, directory=directory or Path(temporary))
        thread = threading.Thread(target=server.run_here, name="local-apns", daemon=True)
        thread.start()
        try:
            # The socket listens since construction: a call made before the loop runs waits for it.
            yield RunningApns(
                host=server.host,
                port=server.port,
                ca_file=server.ca_file,
                key_file=server.key_file,
                key_id=server.settings()["key_id"],
                team_id=server.settings()["team_id"],
                topic=server.topic,
            )
        finally:
            server.stop()
            thread.join(STOP_WITHIN_S)
