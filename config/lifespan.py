"""ASGI's lifespan: tells the server that start and stop went well."""

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope


async def lifespan(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer startup and shutdown; there is nothing to open, and the pools close with the process."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
