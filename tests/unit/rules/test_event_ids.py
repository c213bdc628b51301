"""An event's row id tells its day, and ids rise with time."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from offers.rules.event_ids import NUMBER_BITS, first_id, ids_of_day, received_at

instants = st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(at=instants, number=st.integers(0, 2**NUMBER_BITS - 1))
def test_the_instant_of_receipt_can_be_read_from_the_id_to_the_millisecond(at, number):
    told = received_at(first_id(at) | number)
    assert timedelta(0) <= at - told < timedelta(milliseconds=1)


@given(at=instants)
def test_an_id_lies_in_its_own_day_alone(at):
    first, past = ids_of_day(at.date())
    assert first <= first_id(at) < past
    assert ids_of_day(at.date() + timedelta(days=1))[0] == past


def test_ids_fit_a_bigint_for_as_long_as_dates_are_told():
    assert ids_of_day(date(2200, 1, 1))[1] < 2**63
