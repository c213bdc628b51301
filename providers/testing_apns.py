"""A running local APNs for tests, with its script and its log at hand."""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from .apns import ApnsServer
from .testing import RunningProvider, served


@dataclass(frozen=True, slots=True)
class RunningApns(RunningProvider):
    """A local APNs.

    An answer of its scripts: `status`, `reason`, `timestamp_ms`, `retry_after`, `delay_s`, `drop`, `reset`, `goaway`,
    `times`. An entry of its log: seq, at, token, message (token, headers, payload), answer, delivered, why, connection.
    """

    host: str
    port: int
    ca_file: Path
    key_file: Path
    key_id: str
    team_id: str
    topic: str

    def change(self, **settings: Any) -> dict[str, int]:
        """Change `counts_updates`, `is_alone_first`, `clock_ahead_s`; return how often there were new ones.

        Counted are `connections`, each call of these helpers among them, and good provider `tokens`.
        """
        return dict(self.call("POST", "/_control/settings", json=settings))

    def tokens(self) -> int:
        """Return how many good provider tokens there have been."""
        return self.change()["tokens"]

    def cut(self) -> None:
        """End every connection without a word."""
        self.call("DELETE", "/_control/connections")

    def reset(self) -> None:
        """Forget scripts and log, and be as strict as the real one."""
        RunningProvider.reset(self)
        self.change(counts_updates=True, is_alone_first=True, clock_ahead_s=0)

    def client(self) -> httpx.Client:
        """Return an HTTP/2 client that trusts the server."""
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        return httpx.Client(base_url=self.base_url, http1=False, http2=True, verify=trust, trust_env=False)


@contextmanager
def running_apns(*, directory: Path | None = None) -> Iterator[RunningApns]:
    """Yield a local APNs on a free port of 127.0.0.1, served by a thread of this process until the block ends."""
    with tempfile.TemporaryDirectory() as temporary:
        server = ApnsServer(host="127.0.0.1", port=0, directory=directory or Path(temporary))
        with served(server):
            yield RunningApns(**{**server.state(), "ca_file": server.ca_file, "key_file": server.key_file})
