"""What the doors are measured against: Channels' own consumers that do nothing, on the same server.

No database and no channel layer, which would cost them a round trip for each connection.
"""

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from channels.generic.http import AsyncHttpConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

settings.configure(SECRET_KEY="nothing is signed here", CHANNEL_LAYERS={}, DATABASES={})


class Empty(AsyncHttpConsumer):
    async def handle(self, body: bytes) -> None:
        await self.send_response(200, b"{}", headers=[(b"Content-Type", b"application/json")])


class Echo(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept(subprotocol="rayon.v1")

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(text_data=text_data, bytes_data=bytes_data)


async def lifespan(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


application = ProtocolTypeRouter(
    {
        "lifespan": lifespan,
        "http": URLRouter([re_path(r"", Empty.as_asgi())]),
        "websocket": URLRouter([re_path(r"", Echo.as_asgi())]),
    }
)
