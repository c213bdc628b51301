"""ASGI's lifespan: what the sockets need at the start and at the end of a server process."""

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from offers.api.stream.drain import drain_before_stop, stop_sockets


async def lifespan(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer startup and shutdown; the pools close with the process."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            drain_before_stop()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await stop_sockets()
            await send({"type": "lifespan.shutdown.complete"})
            return
