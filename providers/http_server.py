"""An ASGI application of a local provider as a server of its own."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import uvicorn

from .http import CuttableProtocol, Receive, Scope, Send
from .sockets import authority, bound_socket

App = Callable[[Scope, Receive, Send], Awaitable[None]]

GRACE_S = 1  # answers still owed when the server is told to stop are cut off after this


class HttpServer(uvicorn.Server):
    """HTTP/1.1 on an address that is bound at construction; see serving.Server."""

    def __init__(
        self, *, host: str, port: int, app_at: Callable[[str], App], loop: Literal["auto", "asyncio"] = "auto"
    ) -> None:
        """Bind the address and make the application that answers at it; raises OSError.

        loop: auto is the fastest there is.
        """
        self.socket = bound_socket(host, port)
        self.base_url = f"http://{authority(self.socket, host=host)}"
        super().__init__(
            uvicorn.Config(
                app_at(self.base_url),
                interface="asgi3",
                loop=loop,
                http=CuttableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    def run_here(self) -> None:
        """Serve until stopped, then close the socket."""
        try:
            self.run(sockets=[self.socket])
        finally:
            self.socket.close()

    def stop(self) -> None:
        """Let run_here end, now or as soon as it starts; from any thread."""
        self.should_exit = True

    def state(self) -> dict[str, Any]:
        """Return what the state file says besides the process."""
        return {"base_url": self.base_url}
