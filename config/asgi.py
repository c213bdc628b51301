"""The server's entry point: the hot door and the socket through Channels, everything else through Django."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application

# Django must be set up before anything that imports models.
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter

from config.lifespan import lifespan

application = ProtocolTypeRouter({"http": django_application, "lifespan": lifespan})
