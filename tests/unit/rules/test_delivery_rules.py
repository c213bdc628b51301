"""When a try is repeated, what an answer makes of its message, and whether a message may still go out."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.rules.frequency import Caps
from offers.gateways.port import Outcome, Receipt
from offers.rules.backoff import retry_due
from offers.rules.second_look import DropReason, Look, drop_reason
from offers.stages.deliver.outcomes import Next, next_step

NOW = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FINE = Look(
    channel="push",
    expires_at=NOW + HOUR,
    is_erased=False,
    granted=frozenset({"push"}),
    channels=frozenset({"push"}),
    paused_until=None,
    time_zone="Europe/Paris",
    quiet=(time(21), time(8)),
    coupon_state="issued",
    coupon_valid_until=NOW + HOUR,
    was_opened=False,
    offer_state="live",
    offer_valid_until=NOW + HOUR,
    is_offer_removed=False,
    has_address=True,
    is_near=True,
    sent_at=(),
    caps=Caps(max_per_day=1, max_per_week=3, min_gap_s=4 * 3600),
    ignored_in_a_row=0,
)


@given(attempts=st.integers(1, 40_000), chance=st.floats(0, 1, exclude_max=True))
def test_our_own_wait_stays_between_nothing_and_ten_minutes_and_below_its_doubling(
    attempts: int, chance: float
) -> None:
    wait = (retry_due(attempts=attempts, asked=None, now=NOW, chance=chance) - NOW).total_seconds()

    assert 0 <= wait <= 600
    assert attempts > 6 or wait <= 10 * 2 ** (attempts - 1)


@given(asked=st.timedeltas(timedelta(days=-1), timedelta(days=1)), chance=st.floats(0, 1, exclude_max=True))
def test_nothing_is_sent_before_the_provider_wants_it(asked: timedelta, chance: float) -> None:
    due = retry_due(attempts=5, asked=NOW + asked, now=NOW, chance=chance)

    assert due >= NOW + asked
    assert due >= NOW


def test_what_is_fine_may_go_out() -> None:
    assert drop_reason(FINE, now=NOW) is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"is_erased": True, "has_address": False, "granted": frozenset()}, DropReason.ERASED),
        ({"expires_at": NOW, "coupon_state": "revoked"}, DropReason.EXPIRED),
        ({"coupon_state": "expired"}, DropReason.COUPON_NOT_ISSUED),
        ({"was_opened": True, "paused_until": NOW + HOUR}, DropReason.ALREADY_OPENED),
        ({"offer_valid_until": NOW, "granted": frozenset()}, DropReason.OFFER_ENDED),
        ({"granted": frozenset({"email"})}, DropReason.NO_CONSENT),
        ({"time_zone": "Europe/Nowhere"}, DropReason.UNKNOWN_TIME_ZONE),
        ({"time_zone": "", "quiet": None}, DropReason.UNKNOWN_TIME_ZONE),
        ({"time_zone": "America/New_York"}, DropReason.QUIET_HOURS),
        ({"sent_at": (NOW - HOUR,), "is_near": False}, DropReason.FREQUENCY_CAP),
        ({"is_near": False, "has_address": False}, DropReason.NO_LONGER_NEAR),
        ({"has_address": False}, DropReason.NO_DEVICE),
        (
            {"has_address": False, "channel": "sms", "granted": {"sms"}, "channels": {"sms"}},
            DropReason.NO_ADDRESS,
        ),
    ],
)
def test_the_first_reason_against_it_is_the_one_that_is_kept(
    changed: dict[str, object], reason: DropReason
) -> None:
    assert drop_reason(replace(FINE, **changed), now=NOW) is reason


@pytest.mark.parametrize(
    ("sent_hours_ago", "caps", "ignored", "is_full"),
    [
        ((), Caps(max_per_day=1), 0, False),
        ((), Caps(max_per_day=0), 0, True),
        ((5,), Caps(max_per_day=1), 0, True),
        ((5,), Caps(max_per_day=2), 0, False),
        ((5,), Caps(max_per_day=2), 3, True),  # three ignored in a row halve the budget
        ((3,), Caps(max_per_day=9), 0, True),  # less than the gap
        ((24, 48), Caps(max_per_day=1, max_per_week=2), 0, True),  # Monday, Tuesday, and this is Wednesday
        ((24, 72), Caps(max_per_day=1, max_per_week=2), 0, False),  # one of them was last week's
    ],
)
def test_the_customers_budget_is_counted_again(
    sent_hours_ago: tuple[int, ...], caps: Caps, ignored: int, is_full: bool
) -> None:
    sent_at = tuple(NOW - hours * HOUR for hours in sent_hours_ago)
    look = replace(FINE, sent_at=sent_at, caps=caps, ignored_in_a_row=ignored)

    assert (drop_reason(look, now=NOW) is DropReason.FREQUENCY_CAP) is is_full


def receipt(outcome: Outcome, *, code: str | None = None, retry_at: datetime | None = None) -> Receipt:
    return Receipt(message_id="m", outcome=outcome, provider_code=code, retry_at=retry_at)


@pytest.mark.parametrize(
    ("answer", "step"),
    [
        (receipt(Outcome.ACCEPTED), Next(state="sent")),
        (receipt(Outcome.OUR_FAULT, code="HTTP_413"), Next(state="dead", reason="http_413")),
        (receipt(Outcome.OUR_FAULT), Next(state="dead", reason="our_fault")),
        (receipt(Outcome.EXPIRED), Next(state="dropped", reason="expired")),
        (receipt(Outcome.DEAD_TOKEN), Next(state="queued", due_at=NOW)),
        (receipt(Outcome.LANE_STOPPED), Next(state="queued", due_at=NOW + timedelta(seconds=60))),
        (receipt(Outcome.TRY_LATER, retry_at=NOW), Next(state="queued", due_at=NOW + timedelta(seconds=5))),
        (
            receipt(Outcome.TRY_LATER, retry_at=NOW + HOUR - timedelta(microseconds=1)),
            Next(state="queued", due_at=NOW + HOUR - timedelta(microseconds=1)),
        ),
        (receipt(Outcome.TRY_LATER, retry_at=NOW + HOUR), Next(state="dropped", reason="expired")),
        (receipt(Outcome.OFFERED, retry_at=NOW), Next(state="queued", due_at=NOW, lane="apns")),
    ],
)
def test_every_outcome_has_one_next_step(answer: Receipt, step: Next) -> None:
    given = {"attempts": 1, "expires_at": NOW + HOUR, "now": NOW, "chance": 0.5, "next_lane": "apns"}

    assert next_step(answer, **given) == step


def test_an_address_without_another_to_try_drops_its_message() -> None:
    given = {"attempts": 1, "expires_at": NOW + HOUR, "now": NOW, "chance": 0.5, "has_device": False}

    step = next_step(receipt(Outcome.DEAD_TOKEN), **given)

    assert step == Next(state="dropped", reason="dead_address")


def test_a_stopped_lanes_message_is_looked_at_once_more_when_it_expires() -> None:
    soon = NOW + timedelta(seconds=20)

    step = next_step(receipt(Outcome.LANE_STOPPED), attempts=1, expires_at=soon, now=NOW, chance=0.5)

    assert step == Next(state="queued", due_at=soon)
