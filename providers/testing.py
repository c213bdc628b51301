"""Running local providers for tests, with their scripts and logs at hand."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from .fcm import FcmServer
from .serving import Server

STOP_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class RunningProvider:
    """A local provider that answers; the helpers speak to its control door."""

    base_url: str

    def script(self, token: str, *answers: dict[str, Any]) -> None:
        """Put the answers for a token's next sends, in order; `*` stands for any token without its own.

        An answer: `status`, `error_code`, `retry_after`, `delay_s`, `drop`, `times`; {} accepts.
        """
        self.call("POST", "/_control/script", json={"token": token, "answers": list(answers)})

    def log(self, *, since: int = 0) -> list[dict[str, Any]]:
        """Return the sends on the wire, oldest first: seq, at, token, message, answer, delivered, name."""
        return list(self.call("GET", f"/_control/log?since={since}"))

    def delivered(self) -> list[dict[str, Any]]:
        """Return the messages that reached a phone, oldest first."""
        return [entry["message"] for entry in self.log() if entry["delivered"]]

    def reset(self) -> None:
        """Forget scripts and log."""
        self.call("DELETE", "/_control/script")
        self.call("DELETE", "/_control/log")

    def client(self) -> httpx.Client:
        """Return an HTTP client for the provider's own address."""
        # Plain HTTP on loopback: there are no certificates to read.
        return httpx.Client(base_url=self.base_url, trust_env=False, verify=False, timeout=5.0)

    def call(self, method: str, path: str, **more: Any) -> Any:
        """Return the JSON that a call to the provider gives; raises ValueError with its text for an error."""
        with self.client() as client:
            answer = client.request(method, path, **more)
        if answer.is_error:
            raise ValueError(answer.text)
        return answer.json() if answer.content else None


@dataclass(frozen=True, slots=True)
class RunningFcm(RunningProvider):
    """A local FCM, at `base_url` over HTTP/1.1 and at `tls_base_url` over HTTP/2.

    Its scripts know INVALID_TOKEN too, and `reset` and `goaway` as those of the local APNs. An entry of its log has the
    number of its HTTP/2 `connection`, 0 for HTTP/1.1.
    """

    credentials_file: Path
    tls_base_url: str
    ca_file: Path

    def oauth(self, **change: Any) -> int:
        """Change the token endpoint (`answers`, `expires_in_s`, `expire`); return the tokens issued so far."""
        return int(self.call("POST", "/_control/oauth", json=change)["issued"])


@contextmanager
def running_fcm(*, directory: Path | None = None) -> Iterator[RunningFcm]:
    """Yield a local FCM on a free port of 127.0.0.1, served by a thread of this process until the block ends."""
    with tempfile.TemporaryDirectory() as temporary:
        server = FcmServer(host="127.0.0.1", port=0, directory=directory or Path(temporary))
        with served(server):
            yield RunningFcm(
                base_url=server.base_url,
                credentials_file=server.credentials_file,
                tls_base_url=server.tls_base_url,
                ca_file=server.ca_file,
            )


@contextmanager
def served(server: Server) -> Iterator[None]:
    """Serve in a thread of this process until the block ends."""
    thread = threading.Thread(target=server.run_here, name="local-provider", daemon=True)
    thread.start()
    try:
        # The socket listens since construction: a call made before the loop runs waits for it.
        yield
    finally:
        server.stop()
        thread.join(STOP_WITHIN_S)
