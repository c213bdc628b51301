"""What Channels serves itself, before Django's own addresses."""

from django.urls import path

from offers.api.events.consumer import EventsConsumer

http_urlpatterns = [path("v1/events", EventsConsumer.as_asgi())]
websocket_urlpatterns: list[object] = []
