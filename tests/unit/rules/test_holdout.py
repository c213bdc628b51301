"""The hold-out is chosen by hash, for ever."""

from hypothesis import given
from hypothesis import strategies as st

from offers.rules.holdout import Arm, arm, bucket


def test_buckets_never_change() -> None:
    assert [bucket(ref, "spring") for ref in ("C1", "C2", 3, "3")] == [9198, 4554, 6119, 6119]


@given(customer=st.text(), salt=st.text())
def test_a_bucket_is_within_ten_thousand(customer: str, salt: str) -> None:
    assert 0 <= bucket(customer, salt) < 10_000


def test_a_share_holds_out_that_share_of_customers_independently_of_another_salt() -> None:
    held = {n for n in range(20_000) if arm(customer=n, salt="a", holdout_share=0.1) is Arm.HOLDOUT}
    other = {n for n in range(20_000) if arm(customer=n, salt="b", holdout_share=0.1) is Arm.HOLDOUT}
    assert 1_850 < len(held) < 2_150
    assert 140 < len(held & other) < 260


@given(customer=st.integers(), low=st.floats(0, 1), high=st.floats(0, 1))
def test_a_larger_share_only_adds_customers(customer: int, low: float, high: float) -> None:
    low, high = sorted((low, high))
    if arm(customer=customer, salt="s", holdout_share=low) is Arm.HOLDOUT:
        assert arm(customer=customer, salt="s", holdout_share=high) is Arm.HOLDOUT


def test_none_and_all() -> None:
    assert {arm(customer=n, salt="s", holdout_share=0.0) for n in range(500)} == {Arm.TREATED}
    assert {arm(customer=n, salt="s", holdout_share=1.0) for n in range(500)} == {Arm.HOLDOUT}
