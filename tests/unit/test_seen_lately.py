"""What was noted in this period is not noted again; what is forgotten is noted once more than needed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from offers.stages.intake.seen import SeenLately

START = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_thing_is_fresh_once_in_a_period():
    seen = SeenLately(every=MINUTE)
    assert seen.fresh({1, 2}, now=START) == {1, 2}
    assert seen.fresh({2, 3}, now=START + MINUTE / 2) == {3}
    assert seen.fresh({1, 2, 3}, now=START + MINUTE) == {1, 2, 3}


def test_a_clock_that_goes_back_begins_a_period():
    seen = SeenLately(every=MINUTE)
    seen.fresh({1}, now=START)
    assert seen.fresh({1}, now=START - timedelta(seconds=1)) == {1}


@given(calls=st.lists(st.tuples(st.integers(0, 300), st.sets(st.integers(0, 5)))))
def test_between_two_notes_of_a_thing_there_is_never_more_than_asked_and_never_a_whole_period_lost(calls):
    seen = SeenLately(every=MINUTE)
    noted: dict[int, int] = {}
    for second, things in sorted(calls, key=lambda call: call[0]):
        fresh = seen.fresh(things, now=START + timedelta(seconds=second))
        assert fresh <= things
        for thing in things - fresh:
            assert second - noted[thing] < 60
        noted.update(dict.fromkeys(fresh, second))
