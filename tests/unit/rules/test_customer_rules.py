"""Quiet hours, caps and affinity: what belongs to the customer."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.rules.affinity import EPOCH, share, summed, total_weight, weight
from customers.rules.frequency import CapReason, Caps, cap_reason, effective_caps, ignored_in_a_row
from customers.rules.quiet_hours import is_quiet
from customers.rules.zones import UnknownTimeZone

PARIS = "Europe/Paris"
NIGHT = (time(21), time(8))
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
ZONES = st.sampled_from([PARIS, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"])
TIMES = st.times().map(lambda at: at.replace(tzinfo=None))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "quiet", "expected"),
    [
        ("2026-11-25T19:59:59", NIGHT, False),
        ("2026-11-25T20:00:00", NIGHT, True),  # 21:00 in Paris
        ("2026-11-26T06:59:59", NIGHT, True),
        ("2026-11-26T07:00:00", NIGHT, False),
        ("2026-11-25T12:00:00", (time(12), time(14)), True),
        ("2026-11-25T13:00:00", (time(12), time(14)), False),
        ("2026-11-25T12:00:00", None, False),
        ("2026-11-25T12:00:00", (time(9), time(9)), True),  # the whole day
        # 29 March 2026: 02:00 becomes 03:00
        ("2026-03-29T00:59:59", (time(2), time(3)), False),
        ("2026-03-29T01:00:00", (time(2), time(3)), False),
        ("2026-03-29T05:59:59", NIGHT, True),
        ("2026-03-29T06:00:00", NIGHT, False),
        # 25 October 2026: 02:30 comes twice
        ("2026-10-25T00:30:00", (time(2), time(3)), True),
        ("2026-10-25T01:30:00", (time(2), time(3)), True),
        ("2026-10-25T02:00:00", (time(2), time(3)), False),
    ],
)
def test_quiet_hours_in_paris(at: str, quiet: tuple[time, time] | None, expected: bool) -> None:
    assert is_quiet(at=utc(at), time_zone=PARIS, quiet=quiet) is expected


@given(at=INSTANTS, zone=ZONES, start=TIMES, end=TIMES)
def test_an_instant_is_quiet_in_one_of_two_halves_of_the_day_and_never_both(
    at: datetime, zone: str, start: time, end: time
) -> None:
    if start != end:
        first = is_quiet(at=at, time_zone=zone, quiet=(start, end))
        assert is_quiet(at=at, time_zone=zone, quiet=(end, start)) is not first


@given(at=INSTANTS, zone=ZONES, start=TIMES, minutes=st.integers(1, 1_439))
def test_quiet_hours_follow_the_wall_clock(at: datetime, zone: str, start: time, minutes: int) -> None:
    end = (datetime.combine(date(2026, 1, 1), start) + timedelta(minutes=minutes)).time()
    wall = at.astimezone(ZoneInfo(zone)).time()
    since = (
        datetime.combine(date(2026, 1, 2), wall) - datetime.combine(date(2026, 1, 2), start)
    ) % timedelta(days=1)
    assert is_quiet(at=at, time_zone=zone, quiet=(start, end)) is (since < timedelta(minutes=minutes))


@pytest.mark.parametrize("quiet", [NIGHT, None])
def test_an_unknown_zone_is_never_guessed(quiet: tuple[time, time] | None) -> None:
    with pytest.raises(UnknownTimeZone):
        is_quiet(at=EPOCH, time_zone="Europe/Pariss", quiet=quiet)


def capped(sent: list[str], now: str, *, zone: str = PARIS, day: int = 1, week: int = 3) -> CapReason | None:
    return cap_reason(
        [utc(at) for at in sent],
        now=utc(now),
        time_zone=zone,
        max_per_day=day,
        max_per_week=week,
        min_gap_s=4 * 3600,
    )


@pytest.mark.parametrize(
    ("sent", "now", "day", "expected"),
    [
        ([], "2026-11-25T10:00", 1, None),
        ([], "2026-11-25T10:00", 0, CapReason.DAY),
        (["2026-11-25T08:00"], "2026-11-25T22:59", 1, CapReason.DAY),
        (["2026-11-25T18:00"], "2026-11-25T23:00", 1, None),  # midnight in Paris
        (["2026-11-25T19:01"], "2026-11-25T23:00", 1, CapReason.GAP),
        (["2026-11-25T19:00"], "2026-11-25T23:00", 1, None),  # exactly four hours
        (["2026-11-25T08:00"], "2026-11-25T11:59", 2, CapReason.GAP),
        (["2026-11-25T08:00"], "2026-11-25T12:00", 2, None),
        (["2026-11-23T10:00", "2026-11-24T10:00", "2026-11-25T10:00"], "2026-11-26T10:00", 1, CapReason.WEEK),
        (["2026-11-27T10:00", "2026-11-28T10:00", "2026-11-29T10:00"], "2026-11-30T10:00", 1, None),  # Monday
        (["2026-12-28T10:00", "2026-12-30T10:00", "2027-01-01T10:00"], "2027-01-03T10:00", 1, CapReason.WEEK),
    ],
)
def test_caps_count_calendar_days_and_iso_weeks(
    sent: list[str], now: str, day: int, expected: CapReason | None
) -> None:
    assert capped(sent, now, day=day) is expected


def test_the_day_is_the_customers_own() -> None:
    sent, now = ["2026-11-25T08:00"], "2026-11-25T16:00"
    assert capped(sent, now, zone=PARIS) is CapReason.DAY
    assert capped(sent, now, zone="Asia/Tokyo") is None


@given(sent=st.lists(INSTANTS, max_size=6), now=INSTANTS, zone=ZONES, more=INSTANTS)
def test_another_message_never_loosens_a_cap(
    sent: list[datetime], now: datetime, zone: str, more: datetime
) -> None:
    def full(messages: list[datetime]) -> bool:
        limits = {"max_per_day": 1, "max_per_week": 3, "min_gap_s": 14_400}
        return cap_reason(messages, now=now, time_zone=zone, **limits) is not None

    assert full([*sent, more]) or not full(sent)
    assert full(sent) is full(sent[::-1])


@pytest.mark.parametrize(
    ("opened", "ignored", "day", "week"),
    [
        ([], 0, 4, 12),
        ([False, False], 2, 4, 12),
        ([False, False, False], 3, 2, 6),
        ([False] * 6, 6, 1, 3),
        ([False] * 30, 30, 1, 1),
        ([False, False, False, True], 0, 4, 12),
        ([True, False, False, False], 3, 2, 6),
    ],
)
def test_three_ignored_in_a_row_halve_the_budget_and_one_opened_restores_it(
    opened: list[bool], ignored: int, day: int, week: int
) -> None:
    assert ignored_in_a_row(opened) == ignored
    caps = effective_caps(caps=Caps(max_per_day=4, max_per_week=12), ignored=ignored)
    assert caps == Caps(max_per_day=day, max_per_week=week)


def test_a_customer_who_wants_nothing_gets_nothing() -> None:
    assert effective_caps(caps=Caps(max_per_day=0), ignored=9).max_per_day == 0


LINES = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(-5_000, 5_000), INSTANTS), min_size=1, max_size=12
)


def brand_weights(lines: list[tuple[str, int, datetime]]) -> dict[str, float]:
    brands = sorted({brand for brand, _, _ in lines})
    return {
        name: summed(weight(amount=amount, at=at) for brand, amount, at in lines if brand == name)
        for name in brands
    }


def test_spending_a_half_life_ago_counts_half() -> None:
    old, new = weight(amount=400, at=EPOCH), weight(amount=400, at=EPOCH + timedelta(days=30))
    assert (old, new) == (400.0, 800.0)
    assert share(old, total_weight([old, new])) == pytest.approx(1 / 3)


def test_shares_do_not_depend_on_the_clock() -> None:
    def shares(shift: timedelta) -> float:
        old = weight(amount=300, at=EPOCH + shift)
        new = weight(amount=100, at=EPOCH + shift + timedelta(days=30))
        return share(new, total_weight([old, new]))

    assert shares(timedelta(0)) == pytest.approx(0.4)
    assert shares(timedelta(days=3_650)) == pytest.approx(0.4)


@given(lines=LINES, data=st.data())
def test_the_order_of_receipts_changes_nothing(
    lines: list[tuple[str, int, datetime]], data: st.DataObject
) -> None:
    assert brand_weights(data.draw(st.permutations(lines))) == brand_weights(lines)


@given(lines=LINES)
def test_brands_never_share_more_than_everything(lines: list[tuple[str, int, datetime]]) -> None:
    weights = brand_weights(lines)
    shares = [share(part, total_weight(weights.values())) for part in weights.values()]
    assert all(0.0 <= one <= 1.0 for one in shares)
    assert sum(shares) <= 1.0 + 1e-12


def test_what_was_brought_back_counts_as_not_bought() -> None:
    bought, returned = weight(amount=250, at=EPOCH), weight(amount=-250, at=EPOCH)
    assert share(bought + returned, 100.0) == 0.0
    assert share(-5.0, 100.0) == 0.0
    assert share(5.0, 0.0) == 0.0


@pytest.mark.parametrize("year", [1, 1970, 9999])
def test_receipts_dated_centuries_off_do_not_overflow(year: int) -> None:
    assert 0.0 <= weight(amount=10**9, at=datetime(year, 1, 2, tzinfo=UTC)) < float("inf")


@pytest.mark.parametrize("half_life", [0.0, -1.0, float("nan")])
def test_a_half_life_is_positive(half_life: float) -> None:
    with pytest.raises(ValueError, match="half-life"):
        weight(amount=1, at=EPOCH, half_life_days=half_life)
