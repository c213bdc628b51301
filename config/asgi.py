"""The server's entry point: the hot door itself, sockets through Channels, everything else through Django."""

import gc
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from django.core.asgi import get_asgi_application

# Django must be set up before anything that imports models.
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter

from config.lifespan import lifespan
from config.origins import BrowserOrigins
from offers.api.routing import http_applications, websocket_urlpatterns

# What was loaded stays: it need not be looked through again. And a batch makes thousands of values that all go
# together when it is answered, so the collector may wait for more of them.
gc.freeze()
gc.set_threshold(20_000, 20, 50)

others = ProtocolTypeRouter(
    {
        "websocket": BrowserOrigins(URLRouter(websocket_urlpatterns)),
        "lifespan": lifespan,
    }
)


async def application(scope: Any, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Hand each connection to who serves it; for the hot doors a look at the path is enough."""
    if scope["type"] == "http":
        await http_applications.get(scope["path"], django_application)(scope, receive, send)
    else:
        await others(scope, receive, send)
