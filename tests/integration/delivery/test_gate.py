"""What all workers share of a lane: its rate, its breaker, and what is dropped in time though nobody sends it."""

from datetime import datetime, timedelta

import pytest

from offers.delivery import LEASE, drop_expired
from offers.models import Lane, OutboxMessage
from offers.queries.due import lane_news
from offers.queries.health import oldest_due_age_s
from offers.stages.deliver.gate import (
    close_breaker,
    give_tokens_back,
    open_breaker,
    take_probe,
    take_tokens,
)
from tests.integration.delivery.outbox import is_given_back, promise_many, state_of

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
WAITS = [10 * SECOND, 20 * SECOND, 40 * SECOND]


def test_a_bucket_holds_one_seconds_worth_and_fills_with_time(now: datetime) -> None:
    def take(wanted: int, *, after_s: float) -> int:
        at = now + timedelta(seconds=after_s)
        return take_tokens(lane="sms", wanted=wanted, rate_per_s=4.0, now=at)

    assert take(3, after_s=0) == 3
    assert take(3, after_s=0) == 1
    assert take(3, after_s=0) == 0
    assert take(9, after_s=0.5) == 2
    give_tokens_back(lane="sms", unused=1)
    assert take(9, after_s=0.5) == 1
    assert take(9, after_s=60) == 4
    assert take(9, after_s=30) == 0  # a clock that is behind another worker's


def test_a_rate_below_one_a_second_still_lets_one_through(now: datetime) -> None:
    found = [take_tokens(lane="sms", wanted=5, rate_per_s=0.5, now=now + n * SECOND) for n in (0, 1, 2, 3, 4)]

    assert found == [1, 0, 1, 0, 1]


def test_the_breaker_stays_open_longer_each_time_and_counts_workers_that_trip_together_once(
    now: datetime,
) -> None:
    assert open_breaker(lane="fcm", waits=WAITS, cause="TIMEOUT", now=now) == now + 10 * SECOND
    assert open_breaker(lane="fcm", waits=WAITS, cause="TIMEOUT", now=now + SECOND) is None
    assert Lane.objects.get().openings == 1

    at = now + 10 * SECOND
    for wait in (20, 40, 40):
        assert take_probe(lane="fcm", now=at, until=at + 30 * SECOND)
        assert not take_probe(lane="fcm", now=at, until=at + 30 * SECOND)  # another worker's
        assert open_breaker(lane="fcm", waits=WAITS, cause="TIMEOUT", now=at) == at + wait * SECOND
        at += wait * SECOND

    assert close_breaker(lane="fcm")
    assert not close_breaker(lane="fcm")
    assert open_breaker(lane="fcm", waits=WAITS, cause="TIMEOUT", now=at) == at + 10 * SECOND
    assert not take_probe(lane="fcm", now=at + 9 * SECOND, until=at + 60 * SECOND)


def test_what_is_too_late_is_dropped_in_time_though_its_lane_is_closed(now: datetime) -> None:
    late, held, left, young = promise_many(4, now=now)
    Lane.objects.create(name="fcm", stopped_at=now)
    others = OutboxMessage.objects.filter(pk__in=[late.pk, held.pk, left.pk])
    others.update(expires_at=now + 5 * SECOND)
    OutboxMessage.objects.filter(pk=held.pk).update(state="sending", lease_until=now + LEASE)
    OutboxMessage.objects.filter(pk=left.pk).update(state="sending", lease_until=now + 5 * SECOND)

    assert drop_expired(clock=lambda: now + 4 * SECOND, limit=10) == 0
    assert drop_expired(clock=lambda: now + 5 * SECOND, limit=10) == 2

    assert [state_of(one) for one in (late, left)] == [("dropped", "expired")] * 2
    assert [state_of(one)[0] for one in (held, young)] == ["sending", "queued"]
    assert drop_expired(clock=lambda: now + 5 * SECOND, limit=10) == 0


def test_what_is_dropped_by_the_sweep_gives_everything_back(now: datetime) -> None:
    [message] = promise_many(1, now=now)

    assert drop_expired(clock=lambda: message.expires_at, limit=10) == 1

    assert is_given_back(message)


def test_the_news_of_lanes_are_one_query(now: datetime, django_assert_num_queries: object) -> None:
    first, second, _ = promise_many(3, now=now)
    OutboxMessage.objects.filter(pk=first.pk).update(lane="apns", due_at=now - SECOND)
    OutboxMessage.objects.filter(pk=second.pk).update(
        lane="apns", state="sending", lease_until=now - 2 * SECOND
    )
    Lane.objects.create(name="fcm", open_until=now)
    Lane.objects.create(name="sms", stopped_at=now)

    with django_assert_num_queries(1):  # type: ignore[operator]
        news = lane_news(["fcm", "apns", "sms"])

    assert [(one.name, one.due_at, one.is_stopped, one.open_until) for one in news] == [
        ("fcm", now, False, now),
        ("apns", now - 2 * SECOND, False, None),
        ("sms", None, True, None),
    ]


def test_a_server_is_not_ill_for_what_waits_for_a_closed_lane(now: datetime) -> None:
    promise_many(1, now=now)
    at = now + 300 * SECOND
    assert oldest_due_age_s(now=at) == 300.0

    Lane.objects.create(name="fcm", open_until=at)
    assert oldest_due_age_s(now=at) == 0.0
