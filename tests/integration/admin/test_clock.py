"""Staff read and type the hours of their own wall clock, whichever server runs; nobody else's pages change."""

import time_machine
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

PARIS_IN_SUMMER = b'data-admin-utc-offset="7200"'


@time_machine.travel("2026-06-17T08:00:00+00:00", tick=False)
def test_the_staffs_pages_are_on_their_clock(client: Client) -> None:
    assert PARIS_IN_SUMMER in client.get(reverse("admin:login")).content
    assert timezone.get_current_timezone_name() == "UTC"


@time_machine.travel("2026-06-17T08:00:00+00:00", tick=False)
async def test_they_are_under_an_asynchronous_server_too(async_client: AsyncClient) -> None:
    answer = await async_client.get(reverse("admin:login"))
    assert PARIS_IN_SUMMER in answer.content
    assert timezone.get_current_timezone_name() == "UTC"
