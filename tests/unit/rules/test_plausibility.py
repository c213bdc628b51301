"""What a phone claims must be possible."""

from datetime import UTC, datetime, timedelta

import pytest

from offers.rules.plausibility import Clock, Fix, Movement, clock_of, movement_of, speed_mps

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def fix(*, east_m: float = 0.0, at_s: float = 0.0, accuracy: float = 0.0, is_mock: bool = False) -> Fix:
    lon = east_m / 111_319.491  # metres in a degree on the equator
    return Fix(at=NOW + timedelta(seconds=at_s), lat=0.0, lon=lon, accuracy_m=accuracy, is_mock=is_mock)


@pytest.mark.parametrize(
    ("age_s", "clock"),
    [
        (0, Clock.OK),
        (120, Clock.OK),
        (121, Clock.LATE),
        (86_400, Clock.LATE),
        (86_401, Clock.TOO_OLD),
        (-120, Clock.OK),
        (-121, Clock.FUTURE),
        (-10 * 365 * 86_400, Clock.FUTURE),
    ],
)
def test_an_events_age_is_named(age_s: float, clock: Clock) -> None:
    assert clock_of(occurred_at=NOW - timedelta(seconds=age_s), now=NOW) is clock


@pytest.mark.parametrize("year", [1, 1970, 2014])
def test_a_clock_that_was_never_set_is_told_apart(year: int) -> None:
    assert clock_of(occurred_at=datetime(year, 12, 31, tzinfo=UTC), now=NOW) is Clock.EPOCH


@pytest.mark.parametrize(
    ("before", "after", "movement"),
    [
        (None, fix(), Movement.PLAUSIBLE),
        (None, fix(is_mock=True), Movement.IMPLAUSIBLE),
        (fix(), fix(east_m=69, at_s=10), Movement.PLAUSIBLE),
        (fix(), fix(east_m=71, at_s=10), Movement.MOVING_TOO_FAST),
        (fix(), fix(east_m=699, at_s=10), Movement.MOVING_TOO_FAST),
        (fix(), fix(east_m=701, at_s=10), Movement.IMPLAUSIBLE),
        # both accuracies may explain the way
        (fix(accuracy=50), fix(east_m=119, at_s=10), Movement.PLAUSIBLE),
        (fix(accuracy=350), fix(east_m=701, at_s=10, accuracy=350), Movement.PLAUSIBLE),
        (fix(), fix(east_m=0, at_s=0), Movement.PLAUSIBLE),
        (fix(accuracy=5), fix(east_m=11, at_s=0, accuracy=5), Movement.IMPLAUSIBLE),
        (fix(at_s=10), fix(east_m=71, at_s=0), Movement.MOVING_TOO_FAST),
    ],
)
def test_the_way_between_two_fixes(before: Fix | None, after: Fix, movement: Movement) -> None:
    assert movement_of(before=before, after=after) is movement


def test_paris_to_lyon_in_an_hour_is_no_walk() -> None:
    paris = Fix(at=NOW, lat=48.8566, lon=2.3522, accuracy_m=0)
    lyon = Fix(at=NOW + timedelta(hours=1), lat=45.7640, lon=4.8357, accuracy_m=0)
    assert speed_mps(before=paris, after=lyon) == pytest.approx(108.7, abs=0.05)
    assert movement_of(before=paris, after=lyon) is Movement.IMPLAUSIBLE
