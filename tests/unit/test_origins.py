"""Sockets: apps may open one, pages only from our own hosts."""

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from config.origins import BrowserOrigins


async def _accept(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        ([], True),  # an app
        ([(b"origin", b"https://shop.example")], True),
        ([(b"origin", b"https://shop.example.evil")], False),
        ([(b"origin", b"null")], False),  # a sandboxed page
        ([(b"origin", b"")], False),
    ],
)
async def test_a_foreign_page_is_refused_and_an_app_is_not(
    settings: Any, headers: list[tuple[bytes, bytes]], may: bool
) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    scope = {"type": "websocket", "path": "/v1/stream", "headers": headers, "subprotocols": []}
    talk = ApplicationCommunicator(BrowserOrigins(_accept), scope)
    await talk.send_input({"type": "websocket.connect"})
    answer = await talk.receive_output(timeout=2)
    assert answer["type"] == ("websocket.accept" if may else "websocket.close")
    await talk.wait(timeout=2)
