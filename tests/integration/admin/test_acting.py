"""What staff can do to what machines wrote: revoke a coupon, send again, drop, sign a phone out, make a key."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.models import ApiKey, BearerToken
from offers.models import Capacity, Exposure, MessageState
from offers.operations.resending import resend_messages
from offers.operations.revoking import revoke_coupons
from offers.operations.staff import MARKETERS, OPERATORS
from offers.rules.coupon_codes import grouped, new_code
from tests.integration.admin.rows import a_coupon, a_decision, a_message, a_token, an_offer

pytestmark = pytest.mark.django_db


def an_exposed_message(*, now: datetime, state: str = "queued") -> Any:
    offer = an_offer(now=now, units=10)
    Capacity.objects.filter(offer=offer).update(claimed=4)
    message = a_message(now=now, coupon=a_coupon(now=now, offer=offer), state=state)
    coupon = message.coupon
    Exposure.objects.create(
        customer=coupon.customer,
        offer=offer,
        revision=1,
        arm="treated",
        decision=a_decision(now=now, customer=coupon.customer),
        coupon=coupon,
        store=coupon.store,
        store_visit_entered_at=now,
        exposed_at=now,
    )
    return message


def state_of(message: Any) -> tuple[str, str, int, bool]:
    """Return the message's and the coupon's state, the units given out, and whether the exposure is void."""
    message.refresh_from_db()
    message.coupon.refresh_from_db()
    claimed = Capacity.objects.get(offer=message.coupon.offer).claimed
    return message.state, message.coupon.state, claimed, message.coupon.exposure.voided_at is not None


def test_revoking_gives_the_unit_back_and_drops_the_message_that_waits(now: datetime) -> None:
    message = an_exposed_message(now=now)
    assert revoke_coupons([message.coupon_id], reason="staff", now=now) == 1
    message.coupon.exposure.refresh_from_db()
    assert state_of(message) == ("dropped", "revoked", 3, True)


def test_revoking_what_was_sent_leaves_the_caps_as_they_are(now: datetime) -> None:
    message = an_exposed_message(now=now, state="sent")
    assert revoke_coupons([message.coupon_id], reason="staff", now=now) == 1
    assert state_of(message) == ("sent", "revoked", 3, False)


def test_revoking_twice_gives_back_once(now: datetime) -> None:
    message = an_exposed_message(now=now)
    revoke_coupons([message.coupon_id], reason="staff", now=now)
    assert revoke_coupons([message.coupon_id], reason="staff", now=now) == 0
    assert Capacity.objects.get(offer=message.coupon.offer).claimed == 3


@pytest.mark.parametrize("state", ["redeemed", "expired", "revoked"])
def test_a_coupon_that_is_not_open_is_left_alone(now: datetime, state: str) -> None:
    coupon = a_coupon(now=now, state=state)
    assert revoke_coupons([coupon.pk], reason="staff", now=now) == 0
    coupon.refresh_from_db()
    assert (coupon.state, coupon.revoked_reason) == (state, "")


def test_a_marketer_revokes_from_the_coupons_page(sign_in: Callable[[str], Client]) -> None:
    message = an_exposed_message(now=timezone.now())
    answer = sign_in(MARKETERS).post(reverse("admin:offers_coupon_revoke", args=[message.coupon_id]))
    assert answer.status_code == 302
    assert state_of(message)[:3] == ("dropped", "revoked", 3)


def test_a_code_read_out_at_the_till_finds_its_coupon_and_is_shown_masked(
    boss: Client, now: datetime
) -> None:
    code = new_code(lambda size: bytes(range(7, 7 + size)))
    coupon = a_coupon(now=now)
    a_coupon(now=now)
    coupon.claim.code = coupon.code = code
    coupon.claim.save()
    coupon.save()
    answer = boss.get(reverse("admin:offers_coupon_changelist"), {"q": grouped(code).lower()})
    assert [row.pk for row in answer.context["cl"].result_list] == [coupon.pk]
    shown = (
        answer.content.decode()
        + boss.get(reverse("admin:offers_coupon_change", args=[coupon.pk])).content.decode()
    )
    assert f"····-{code[-4:]}" in shown
    assert code not in shown


@pytest.mark.parametrize(
    ("changed", "coupon_state", "count"),
    [
        ({"state": "dead"}, "issued", 1),
        ({"state": "sent"}, "issued", 0),
        ({"state": "dropped"}, "issued", 0),
        ({"state": "dead"}, "revoked", 0),
        (
            {"state": "dead", "expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
            "issued",
            0,
        ),
    ],
)
def test_only_dead_letters_worth_their_arrival_go_again(
    now: datetime, changed: dict[str, Any], coupon_state: str, count: int
) -> None:
    message = a_message(
        now=now, coupon=a_coupon(now=now, state=coupon_state), attempts=3, reason="x", **changed
    )
    later = now + timedelta(minutes=1)
    assert resend_messages([message.pk], now=later) == count
    message.refresh_from_db()
    expected = (MessageState.QUEUED, "", 3, later) if count else (changed["state"], "x", 3, now)
    assert (message.state, message.reason, message.attempts, message.due_at) == expected


def test_an_operator_drops_what_waits_and_resends_what_is_dead(sign_in: Callable[[str], Client]) -> None:
    now = timezone.now()
    waiting, dead = a_message(now=now), a_message(now=now, state="dead")
    operator = sign_in(OPERATORS)
    operator.post(reverse("admin:offers_outboxmessage_drop", args=[waiting.pk]))
    operator.post(reverse("admin:offers_outboxmessage_resend", args=[dead.pk]))
    waiting.refresh_from_db()
    dead.refresh_from_db()
    assert (waiting.state, waiting.reason, dead.state) == ("dropped", "staff", "queued")


def test_a_new_key_is_shown_in_full_once(sign_in: Callable[[str], Client]) -> None:
    operator = sign_in(OPERATORS)
    form = {
        "name": "Till 4",
        "scopes": ["redemptions:write"],
        "store_refs": "s-1\ns-2, s-1",
        "expiry_date_0": "",
    }
    answer = operator.post(reverse("admin:customers_apikey_add"), {**form, "expiry_date_1": ""})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    [plain] = re.findall(r'id="new-key">([^<]+)<', answer.content.decode())
    key = ApiKey.objects.get_from_key(plain)
    assert (key.name, key.scopes, key.store_refs) == ("Till 4", ["redemptions:write"], ["s-1", "s-2"])
    assert not operator.cookies.get("messages")
    for page in (
        reverse("admin:customers_apikey_changelist"),
        reverse("admin:customers_apikey_change", args=[key.pk]),
        reverse("admin:index"),
    ):
        assert plain not in operator.get(page).content.decode()


def test_a_revoked_key_opens_nothing_and_cannot_be_brought_back(sign_in: Callable[[str], Client]) -> None:
    key, plain = ApiKey.objects.create_key(name="till", scopes=["offers:write"])
    operator = sign_in(OPERATORS)
    operator.post(reverse("admin:customers_apikey_revoke", args=[key.pk]))
    with pytest.raises(ApiKey.DoesNotExist):
        ApiKey.objects.get_from_key(plain)
    url = reverse("admin:customers_apikey_change", args=[key.pk])
    assert operator.get(url).status_code == 200
    assert operator.post(url, {"name": "again"}).status_code == 403


def test_a_phone_is_signed_out(sign_in: Callable[[str], Client], now: datetime) -> None:
    token = a_token(now=now)
    kept = a_token(now=now)
    answer = sign_in(OPERATORS).post(
        reverse("admin:customers_bearertoken_changelist"),
        {"action": "revoke", "_selected_action": [token.pk]},
    )
    assert answer.status_code == 302
    assert list(BearerToken.objects.all()) == [kept]
