"""What changed since the promise: each reason drops the message by name and gives back what it held."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest

from customers.models import Customer, Device
from offers.models import Coupon, Offer, OutboxMessage
from offers.operations.sending import NoReason, resume_sending, stop_sending
from offers.stages.deliver import Lanes
from providers.testing import RunningFcm
from tests.integration.delivery.outbox import deliver, is_given_back, promise_many, state_of

pytestmark = pytest.mark.django_db

NOW = datetime.fromisoformat("2026-06-17T08:00:00+00:00")  # 10:00 in Paris
Change = Callable[[], object]


@pytest.fixture
def message(now: datetime) -> OutboxMessage:
    assert now == NOW
    [one] = promise_many(1, now=now)
    return one


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("erased", lambda: Customer.objects.update(erased_at=NOW)),
        ("expired", lambda: OutboxMessage.objects.update(expires_at=NOW)),
        ("coupon_ended", lambda: Coupon.objects.update(valid_from=NOW - timedelta(1), valid_until=NOW)),
        ("offer_not_live", lambda: Offer.objects.update(state="paused")),
        ("offer_not_live", lambda: Offer.objects.update(state="ended")),
        ("offer_not_live", lambda: Offer.objects.update(removed_at=NOW)),
        ("offer_ended", lambda: Offer.objects.update(valid_until=NOW)),
        ("no_consent", lambda: Customer.objects.update(granted=["geolocation", "profiling"])),
        ("channel_off", lambda: Customer.objects.update(channels=["email"])),
        ("paused", lambda: Customer.objects.update(paused_until=NOW + timedelta(seconds=1))),
        ("unknown_time_zone", lambda: Customer.objects.update(time_zone="")),
        ("quiet_hours", lambda: Customer.objects.update(quiet_from=time(10), quiet_until=time(11))),
        ("no_device", lambda: Device.objects.update(active=False)),
    ],
)
def test_what_is_no_longer_wanted_or_possible_is_dropped_by_name_and_gives_everything_back(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime, reason: str, change: Change
) -> None:
    change()

    assert deliver(lanes, now=now) == 1

    assert state_of(message) == ("dropped", reason)
    assert message.finished_at == now
    assert is_given_back(message)
    assert fcm.log() == []
    assert deliver(lanes, now=now + timedelta(minutes=10)) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda: OutboxMessage.objects.update(expires_at=NOW + timedelta(seconds=30)),
        lambda: Customer.objects.update(paused_until=NOW),
        lambda: Customer.objects.update(quiet_from=time(9), quiet_until=time(10)),
        lambda: Customer.objects.update(granted=["push"]),
    ],
)
def test_ends_are_open_and_other_consents_are_not_asked_for(
    message: OutboxMessage, lanes: Lanes, now: datetime, change: Change
) -> None:
    change()

    deliver(lanes, now=now)

    assert state_of(message) == ("sent", "")


@pytest.mark.parametrize(("hour", "state"), [(5, "dropped"), (6, "sent")])
def test_customers_without_quiet_hours_of_their_own_have_the_houses(
    lanes: Lanes, now: datetime, hour: int, state: str
) -> None:
    at = now.replace(hour=hour)  # 7:00 and 8:00 in Paris
    [message] = promise_many(1, now=at)
    Customer.objects.update(has_own_quiet_hours=False)

    deliver(lanes, now=at)

    assert state_of(message)[0] == state


def test_an_opened_coupon_needs_no_push_and_stays(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    Coupon.objects.update(opened_at=now)

    deliver(lanes, now=now)

    assert state_of(message) == ("dropped", "already_opened")
    assert not is_given_back(message)
    assert fcm.log() == []


def test_a_redeemed_coupon_needs_no_push_and_stays_redeemed(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    Coupon.objects.update(state="redeemed")

    deliver(lanes, now=now)

    assert state_of(message) == ("dropped", "coupon_not_issued")
    assert not is_given_back(message)
    message.coupon.refresh_from_db()
    assert message.coupon.state == "redeemed"


def test_one_dropped_message_does_not_hold_up_its_neighbour(
    lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    dropped, well = promise_many(2, now=now)
    Customer.objects.filter(pk=dropped.customer_id).update(granted=[])

    assert deliver(lanes, now=now) == 2

    assert state_of(dropped) == ("dropped", "no_consent")
    assert state_of(well) == ("sent", "")
    assert len(fcm.log()) == 1


def test_the_switch_stops_all_sending_and_what_is_still_worth_it_goes_out_afterwards(
    lanes: Lanes, fcm: RunningFcm, now: datetime
) -> None:
    short, long = promise_many(2, now=now)
    OutboxMessage.objects.filter(pk=short.pk).update(expires_at=now + timedelta(minutes=5))

    assert stop_sending(who="ada", why="wrong prices", now=now)
    assert deliver(lanes, now=now) == 0
    assert (state_of(long), long.attempts) == (("queued", ""), 0)
    assert fcm.log() == []

    assert resume_sending(who="ada", why="prices mended", now=now)
    deliver(lanes, now=now + timedelta(minutes=5))
    assert state_of(short) == ("dropped", "expired")
    assert state_of(long) == ("sent", "")


def test_a_batch_that_was_claimed_when_sending_stopped_is_put_back_as_if_untouched(
    message: OutboxMessage, lanes: Lanes, fcm: RunningFcm, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from offers import locks

    claim = locks.claim_due_messages

    def claim_and_stop(**given: object) -> dict[int, int]:
        claimed = claim(**given)
        stop_sending(who="ada", why="wrong prices", now=now)
        return claimed

    monkeypatch.setattr("offers.locks.claim_due_messages", claim_and_stop)

    assert deliver(lanes, now=now) == 0

    assert (state_of(message), message.attempts, message.lease_until) == (("queued", ""), 0, None)
    assert fcm.log() == []


def test_the_switch_needs_a_name_and_a_reason_and_says_whether_it_moved(now: datetime) -> None:
    for who, why in (("", "why"), ("who", " ")):
        with pytest.raises(NoReason):
            stop_sending(who=who, why=why, now=now)

    moved = [
        resume_sending(who="ada", why="just in case", now=now),
        stop_sending(who="ada", why="drill", now=now),
        stop_sending(who="bob", why="drill", now=now),
        resume_sending(who="bob", why="drill over", now=now),
    ]

    assert moved == [False, True, False, True]
