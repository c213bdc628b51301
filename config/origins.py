"""Which pages may open a socket here."""

from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable
from channels.security.websocket import AllowedHostsOriginValidator


class BrowserOrigins:
    """Lets in apps, which send no Origin, and pages of ALLOWED_HOSTS; other pages are refused before the handshake."""

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application
        self._checked = AllowedHostsOriginValidator(application)

    async def __call__(self, scope: Any, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        has_origin = any(name == b"origin" for name, _ in scope["headers"])
        chosen = self._checked if has_origin else self._application
        await chosen(scope, receive, send)
