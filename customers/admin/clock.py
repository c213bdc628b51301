"""The wall clock that staff plan by: instants on their pages are read and written in it, not in UTC."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

PAGES = "/admin/"


@sync_and_async_middleware
def staff_clock(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Return a middleware that puts the staff's pages, and nothing else, on settings.STAFF_TIME_ZONE."""
    zone = ZoneInfo(settings.STAFF_TIME_ZONE)

    if iscoroutinefunction(get_response):

        async def on_time_async(request: HttpRequest) -> Any:
            if not request.path.startswith(PAGES):
                return await get_response(request)
            with timezone.override(zone):
                return await get_response(request)

        return on_time_async

    def on_time(request: HttpRequest) -> Any:
        if not request.path.startswith(PAGES):
            return get_response(request)
        with timezone.override(zone):
            return get_response(request)

    return on_time
