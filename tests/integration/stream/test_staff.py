"""/v1/stream/store/{ref}: who may watch a store, what they see of it, and what they never see."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client as Browser
from django.utils import timezone

from offers.api.events.door import in_thread
from offers.models import Decision
from tests.integration.decisions.shop import make_aisle, make_customer, make_offer, make_store
from tests.integration.stream.client import Client, limits, opened, play

pytestmark = pytest.mark.django_db(transaction=True)


def staff(*, may: bool = True, **changed: Any) -> User:
    user = User.objects.create_user("manager", password="secret", is_staff=True)
    if may:
        user.user_permissions.add(Permission.objects.get(codename="view_decision"))
    for name, value in changed.items():
        setattr(user, name, value)
    user.save()
    return user


def cookie_of(user: User) -> dict[str, str]:
    browser = Browser()
    browser.force_login(user)
    return {"cookie": f"other=1; sessionid={browser.cookies['sessionid'].value}"}


def watch(ref: str = "S1", **given: Any) -> dict[str, Any]:
    return {"path": f"/v1/stream/store/{ref}", "token": None, "subprotocols": (), **given}


def decide(*, store: Any, at: datetime, **changed: Any) -> Decision:
    customer = make_customer(now=at, ref=f"C{Decision.objects.count()}")
    values = {"transition": "enter", "outcome": "none", "reason": "not_relevant", "decided_at": at, **changed}
    return Decision.objects.create(customer=customer, store=store, **values)


def test_staff_see_what_is_decided_in_their_store_from_now_on_and_not_whose_it_is() -> None:
    now = timezone.now()
    here, there = make_store(now=now), make_store(now=now, ref="S2", name="Elsewhere")
    aisle, offer = make_aisle(store=here, now=now), make_offer(now=now)
    headers = cookie_of(staff())
    decide(store=here, at=now.replace(year=2020))

    def write() -> list[Decision]:
        at = timezone.now()
        return [
            decide(store=there, at=at),
            decide(store=here, at=at, transition="", reason="stale"),
            decide(store=here, at=at, aisle=aisle, outcome="issued", reason="issued", offer=offer),
            decide(store=here, at=at, transition="dwell"),
        ]

    async def scene() -> Any:
        client = await opened(**watch(headers=headers))
        *_, issued, dwelled = await in_thread(write)
        frames = [await client.hear(), await client.hear()]
        assert await client.is_silent(for_s=1.2)
        assert await client.ask({"type": "ping"}) == {"type": "pong"}
        return frames, issued, dwelled

    frames, issued, dwelled = play(scene)
    first, second = frames
    assert datetime.fromisoformat(first.pop("at")) == issued.decided_at
    assert first == {
        "type": "trigger",
        "place": {"kind": "aisle", "store": "S1", "aisle": "fresh"},
        "transition": "enter",
        "outcome": "issued",
        "reason": "issued",
        "offer": offer.ref,
    }
    assert second["place"] == {"kind": "store", "store": "S1", "aisle": None}
    assert (second["transition"], second["offer"]) == ("dwell", None)
    assert dwelled.customer.ref not in json.dumps(frames)


@pytest.mark.parametrize(
    ("user", "code"),
    [
        (None, 4401),
        ({"may": False}, 4401),
        ({"is_staff": False}, 4401),
        ({"is_active": False}, 4401),
    ],
)
def test_who_may_not_see_decisions_is_closed_with_4401(user: dict[str, Any] | None, code: int) -> None:
    make_store(now=timezone.now())
    headers = cookie_of(staff(**user)) if user is not None else {"cookie": "sessionid=guessed"}

    async def scene() -> int:
        client = Client(**watch(headers=headers))
        await client.open()
        return await client.close_code()

    assert play(scene) == code


@pytest.mark.parametrize("ref", ["S9", "%00", "x" * 200])
def test_a_store_that_is_not_there_is_closed_with_4404(ref: str) -> None:
    headers = cookie_of(staff())

    async def scene() -> int:
        client = Client(**watch(ref, headers=headers))
        await client.open()
        return await client.close_code()

    assert play(scene) == 4404


def test_a_foreign_page_gets_no_store_and_a_phones_token_neither() -> None:
    make_store(now=timezone.now())
    headers = cookie_of(staff())

    async def scene() -> Any:
        foreign = Client(**watch(headers={**headers, "origin": "https://evil.example"}))
        phone = Client(**watch(headers={"authorization": "Bearer a-token"}))
        answers = (await foreign.open())["type"], (await phone.open())["type"]
        return answers, await phone.close_code()

    assert play(scene) == (("websocket.close", "websocket.accept"), 4401)


def test_signing_out_ends_the_stream_and_frames_of_phones_are_refused() -> None:
    make_store(now=timezone.now())
    user = staff()
    browser = Browser()
    browser.force_login(user)
    headers = {"cookie": f"sessionid={browser.cookies['sessionid'].value}"}

    async def scene() -> Any:
        with limits(socket_beat_s=0.1):
            client = await opened(**watch(headers=headers, subprotocols=("rayon.v1",)))
            refused = await client.ask({"type": "events", "seq": 1, "events": [{}]})
            await in_thread(browser.logout)
            return refused["problem"]["code"], await client.close_code()

    assert play(scene) == ("invalid", 4401)
