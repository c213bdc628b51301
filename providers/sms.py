"""Run a local SMS gateway: `python -m providers.sms --state-file FILE [--host H] [--port P]`.

Once it listens, FILE holds `{"base_url", "url", "pid"}`, `url` with the account's credentials as SMS_GATEWAY_URL wants
them; the file goes away when the server stops. It speaks three dialects: rayon, twilio and vonage.
"""

import argparse
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from .controlled import Controlled
from .http import CuttableProtocol
from .running import GRACE_S, bound, running_in_thread, serve_until_told
from .sms_app import SmsApp

USER = "rayon-local"


class SmsServer(uvicorn.Server):
    """The server, bound at construction, so that its address is known before it runs."""

    def __init__(self, *, host: str, port: int) -> None:
        """Bind the address and make an account; raises OSError."""
        self.socket = bound(host, port)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
        self.authority = f"{shown}:{self.socket.getsockname()[1]}"
        self.app = SmsApp(user=USER, secret=secrets.token_urlsafe(16))
        super().__init__(
            uvicorn.Config(
                self.app,
                http=CuttableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    def state(self) -> dict[str, Any]:
        return {
            "base_url": f"http://{self.authority}",
            "url": f"http://{self.app.user}:{self.app.secret}@{self.authority}",
        }

    def run_here(self) -> None:
        """Serve until told to stop, then close the socket."""
        try:
            self.run(sockets=[self.socket])
        finally:
            self.socket.close()


@dataclass(frozen=True, slots=True)
class RunningSms(Controlled):
    """A local gateway that answers. A script's answer: `error_code` of sms_errors.CATALOGUE, `status`, `retry_after`,
    `delay_s`, `drop`, `times`; {} accepts. An entry of the log: seq, at, token, message, answer, delivered, name."""

    url: str = field(repr=False)


@contextmanager
def running_sms() -> Iterator[RunningSms]:
    """Yield a local SMS gateway on a free port of 127.0.0.1 until the block ends."""
    server = SmsServer(host="127.0.0.1", port=0)
    with running_in_thread(server, name="local-sms"):
        state = server.state()
        yield RunningSms(control_url=state["base_url"], url=state["url"])


main = serve_until_told(
    lambda options: SmsServer(host=options.host, port=options.port),
    parser=argparse.ArgumentParser(prog="python -m providers.sms", description=__doc__),
    name="The local SMS gateway",
)

if __name__ == "__main__":
    main(None)
