"""Whether a store is open, on its own wall clock."""

from datetime import UTC, datetime

import pytest

from customers.rules.zones import UnknownTimeZone
from offers.rules.opening_hours import BadOpeningHours, is_open, validate

WEEK = "Mo-Sa 08:30-20:30; PH off"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "at", "expected"),
    [
        (WEEK, "Europe/Paris", "2026-11-23T07:29:59", False),
        (WEEK, "Europe/Paris", "2026-11-23T07:30:00", True),
        (WEEK, "Europe/Paris", "2026-11-23T19:29:59", True),
        (WEEK, "Europe/Paris", "2026-11-23T19:30:00", False),
        (WEEK, "Europe/Paris", "2026-11-22T12:00:00", False),  # a Sunday
        (WEEK, "Europe/Paris", "2026-07-13T10:00:00", True),
        (WEEK, "Europe/Paris", "2026-07-14T10:00:00", False),  # the national holiday
        (WEEK, "America/Martinique", "2026-11-23T20:00:00", True),
        ("Mo-Su 22:00-02:00", "Europe/Paris", "2026-11-23T00:30:00", True),
        ("Mo-Su 08:00-20:00", "Europe/Paris", "2026-03-28T07:00:00", True),  # winter time
        ("Mo-Su 08:00-20:00", "Europe/Paris", "2026-03-29T06:00:00", True),  # summer time
        ("Mo-Su 08:00-20:00", "Europe/Paris", "2026-03-28T06:00:00", False),
        ("24/7", "Europe/Paris", "2026-10-25T00:30:00", True),
        ("", "Europe/Paris", "2026-11-23T12:00:00", None),
        ("24/7 unknown", "Europe/Paris", "2026-11-23T12:00:00", None),
    ],
)
def test_open_or_not_or_not_known(expression: str, zone: str, at: str, expected: bool | None) -> None:
    assert is_open(expression, time_zone=zone, at=utc(at)) is expected


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "Europe/Paris\x00"])
@pytest.mark.parametrize("expression", ["24/7", ""])
def test_an_unknown_zone_is_an_error_of_that_name(zone: str, expression: str) -> None:
    with pytest.raises(UnknownTimeZone):
        is_open(expression, time_zone=zone, at=utc("2026-11-23T12:00:00"))


def test_torn_hours_are_an_error_of_that_name() -> None:
    with pytest.raises(BadOpeningHours):
        is_open("8h30", time_zone="Europe/Paris", at=utc("2026-11-23T12:00:00"))


@pytest.mark.parametrize("expression", [WEEK, "24/7", "Mo-Fr 08:00-12:00,14:00-19:00; Sa 09:00-13:00"])
def test_good_hours_are_valid(expression: str) -> None:
    assert validate(expression) is None


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "The opening hours are empty."),
        ("x" * 1_001, "The opening hours are longer than 1000 characters."),
        (
            "Mo-Sa 8h30",
            'Not understood from character 7 on; write opening hours like "Mo-Sa 08:30-20:30; Su 09:00-13:00; PH off".',
        ),
    ],
)
def test_bad_hours_are_answered_with_a_sentence(expression: str, message: str) -> None:
    assert validate(expression) == message
