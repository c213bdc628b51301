"""A running local push service for tests, with browsers at hand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .testing import RunningProvider, served
from .webpush import WebPushServer


@dataclass(frozen=True, slots=True)
class BrowserAddress:
    """A subscription as a browser gives it away."""

    endpoint: str
    p256dh: str
    auth: str

    @property
    def token(self) -> str:
        """Return the address of a message to it."""
        return json.dumps({"endpoint": self.endpoint, "p256dh": self.p256dh, "auth": self.auth})


@dataclass(frozen=True, slots=True)
class RunningWebPush(RunningProvider):
    """A local push service. Scripts are put by endpoint, and know `location`, `body` (huge, drip) and `ttl` too."""

    def subscribe(self, *, server_key: str | None = None) -> BrowserAddress:
        """Return a new subscription; with a server_key, for that application server alone."""
        options = {} if server_key is None else {"applicationServerKey": server_key}
        return BrowserAddress(**self.call("POST", "/subscribe", json=options))

    def unsubscribe(self, browser: BrowserAddress) -> None:
        self.call("DELETE", browser.endpoint.removeprefix(self.base_url))

    def waiting(self, browser: BrowserAddress) -> list[dict[str, Any]]:
        """Return the messages that wait for the browser: name, topic, urgency, text, expires_at."""
        return list(self.call("GET", "/_control/waiting", params={"endpoint": browser.endpoint}))


@contextmanager
def running_webpush() -> Iterator[RunningWebPush]:
    """Yield a push service on a free port of 127.0.0.1, served by a thread of this process until the block ends."""
    server = WebPushServer(host="127.0.0.1", port=0)
    with served(server):
        yield RunningWebPush(base_url=server.base_url)
