"""What Channels serves itself, before Django's own addresses."""

from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from django.urls import URLPattern, path, re_path

from offers.api.events.rest import events_door
from offers.api.stream.phone import phone_stream
from offers.api.stream.staff import staff_stream


async def _no_such_stream(
    scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1000, "reason": None})


http_applications: dict[str, Any] = {"/v1/events": events_door}  # by path
websocket_urlpatterns: list[URLPattern] = [
    path("v1/stream", phone_stream),  # type: ignore[arg-type]  # applications, not views
    path("v1/stream/store/<str:ref>", staff_stream),  # type: ignore[arg-type]
    re_path(r"", _no_such_stream),  # type: ignore[arg-type]
]
