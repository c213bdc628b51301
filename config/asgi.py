"""The server's entry point: the hot door and the socket through Channels, everything else through Django."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application

# Django must be set up before anything that imports models.
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

from config.lifespan import lifespan
from config.origins import BrowserOrigins
from offers.api.routing import http_urlpatterns, websocket_urlpatterns

application = ProtocolTypeRouter(
    {
        "http": URLRouter([*http_urlpatterns, re_path(r"", django_application)]),  # type: ignore[arg-type]
        "websocket": BrowserOrigins(URLRouter(websocket_urlpatterns)),
        "lifespan": lifespan,
    }
)
