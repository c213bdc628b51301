"""How many to tell, when the next, when to stop; what coupons that are out still bring."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr

from offers.rules.yields.overissue import (
    Stock,
    binomial_worth,
    critical_share,
    most_within,
    most_within_unsure,
    poisson_worth,
    worth_sending,
)
from offers.rules.yields.redeeming import RESPONSE, Weibull, median_response_min, outstanding, value_share
from offers.rules.yields.stopping import SENTENCES, Standing, StopReason, stop_reason
from offers.rules.yields.waves import NONE_YET, Wave, next_wave, wave_size

NOW = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)


def stock(units: int, **changed: float) -> Stock:
    values = {
        "organic": 0.0,
        "outstanding": 0.0,
        "redeemed": 1.0,
        "ignored": 19.0,
        "critical": 1 / 3,
        **changed,
    }
    return Stock(units=np.array([units]), **{name: np.array([value]) for name, value in values.items()})


@pytest.mark.parametrize(
    ("units", "response", "margin", "refusal", "worth"),
    [(20, 0.05, 2, 4, 358), (20, 0.10, 2, 4, 179), (5, 0.10, 2, 4, 39), (20, 0.05, 2, 1, 432)],
)
def test_messages_worth_sending_are_those_that_earn_most(
    units: int, response: float, margin: float, refusal: float, worth: int
) -> None:
    critical = critical_share(margin=margin, refusal=refusal)
    assert binomial_worth(units=units, response=response, critical=critical) == worth

    def earned(sent: int) -> float:
        """E[m · min(R, S) − L · max(R − S, 0)], with E[max(R − S, 0)] = E[R] − E[min(R, S)]."""
        served = sum(1 - float(bdtr(min(n, sent), sent, response)) for n in range(units))
        return margin * served - refusal * (sent * response - served)

    assert max(range(1, 2 * worth), key=earned) == worth


@pytest.mark.parametrize(("organic", "out", "worth"), [(0, 0, 357), (6, 4, 157), (15, 0, 57), (20, 0, 0)])
def test_what_comes_anyway_and_what_is_out_leave_less_to_send(organic: float, out: float, worth: int) -> None:
    found = poisson_worth(units=20, organic=organic, outstanding=out, response=0.05, critical=1 / 3)
    assert found == worth
    sure = {
        "redeemed": 5e6,
        "ignored": 95e6,
    }  # as good as knowing that it is 5 %: binomial, hence one more at first
    [batched] = worth_sending(stock(20, organic=organic, outstanding=out, **sure))
    assert batched - worth == (1 if organic == out == 0 else 0)


@pytest.mark.parametrize(("units", "response", "most"), [(20, 0.05, 284), (20, 0.10, 143), (5, 0.10, 27)])
def test_messages_that_run_out_in_one_case_of_twenty(units: int, response: float, most: int) -> None:
    assert most_within(units=units, response=response, at_most=0.05) == most


@pytest.mark.parametrize(("redeemed", "ignored", "most"), [(50, 950, 270), (5, 95, 207)])
def test_the_less_is_known_of_the_response_the_fewer_are_sent(
    redeemed: float, ignored: float, most: int
) -> None:
    assert most_within_unsure(units=20, redeemed=redeemed, ignored=ignored, at_most=0.05) == most
    [sure, unsure] = [
        int(worth_sending(stock(20, redeemed=scale * redeemed, ignored=scale * ignored))[0])
        for scale in (1000, 1)
    ]
    assert unsure < sure


@settings(max_examples=30)
@given(
    units=st.lists(st.integers(0, 80), min_size=1, max_size=8),
    organic=st.floats(0, 60),
    critical=st.floats(0, 0.95),
)
def test_many_deals_are_counted_like_one(units: list[int], organic: float, critical: float) -> None:
    shape = len(units)
    found = worth_sending(
        Stock(
            units=np.array(units),
            organic=np.full(shape, organic),
            outstanding=np.zeros(shape),
            redeemed=np.full(shape, 1.0),
            ignored=np.full(shape, 19.0),
            critical=np.full(shape, critical),
        )
    )
    each = [int(worth_sending(stock(n, organic=organic, critical=critical))[0]) for n in units]
    assert found.tolist() == each
    ordered = [worth for _, worth in sorted(zip(units, each, strict=True))]
    assert ordered == sorted(ordered)  # never fewer for more units
    assert all(worth == 0 for n, worth in zip(units, each, strict=True) if n == 0)


def test_a_margin_is_needed_to_risk_a_refusal() -> None:
    assert critical_share(margin=2, refusal=4) == pytest.approx(1 / 3)
    assert critical_share(margin=0, refusal=4) == critical_share(margin=-3, refusal=4) == 0.0


# --- time --------------------------------------------------------------------------------------------------


def test_redemptions_come_early() -> None:
    assert round(float(RESPONSE.within(np.array(30.0))), 4) == 0.4830
    assert round(value_share(age_min=30, half_life_min=20), 4) == 0.3536
    exponential = Weibull(shape=1.0, scale_min=20.0)
    assert float(exponential.within(np.array(20.0))) == pytest.approx(1 - 1 / math.e)
    assert exponential.quantile_min(0.5) == pytest.approx(20 * math.log(2))
    assert round(median_response_min(life_min=60), 2) == 11.96


@given(age=st.floats(0, 200), life=st.floats(1, 200), response=st.floats(0, 1))
def test_what_a_coupon_still_brings_falls_with_its_age(age: float, life: float, response: float) -> None:
    fresh, now, later = outstanding(
        ages_min=np.array([0.0, age, age + 1]), lives_min=np.full(3, life), response=np.full(3, response)
    )
    assert 0 <= later <= now + 1e-12 <= fresh + 2e-12 <= response + 1e-9
    assert now == pytest.approx(0, abs=1e-12) or age < life


# --- waves -------------------------------------------------------------------------------------------------


def test_a_wave_is_a_fifth_of_what_is_worth_sending_and_never_more_than_is_free() -> None:
    assert [wave_size(worth=n, free=50) for n in (0, 1, 5, 24, 1000)] == [0, 1, 1, 5, 50]
    assert wave_size(worth=100, free=-3) == 0


def test_the_next_wave_waits_for_half_of_the_answers() -> None:
    first = next_wave(NONE_YET, worth=100, free=50, life_min=60, now=NOW)
    assert first == Wave(number=1, opened_at=NOW, left=20)
    used = replace(first, left=3)
    soon = next_wave(used, worth=90, free=45, life_min=60, now=NOW + timedelta(minutes=11))
    assert soon == used
    scarce = next_wave(used, worth=2, free=45, life_min=60, now=NOW + timedelta(minutes=11))
    assert scarce == replace(used, left=2)
    then = NOW + timedelta(minutes=12)
    assert next_wave(used, worth=90, free=45, life_min=60, now=then) == Wave(
        number=2, opened_at=then, left=18
    )
    assert next_wave(used, worth=0, free=45, life_min=60, now=then) == replace(used, left=0)


@given(
    worth=st.integers(0, 500), free=st.integers(-5, 100), left=st.integers(0, 100), minutes=st.floats(0, 60)
)
def test_a_wave_never_promises_more_than_is_free(worth: int, free: int, left: int, minutes: float) -> None:
    before = Wave(number=1, opened_at=NOW, left=left)
    after = next_wave(before, worth=worth, free=free, life_min=30, now=NOW + timedelta(minutes=minutes))
    assert 0 <= after.left <= max(0, free)
    assert after.left <= worth


# --- stopping ----------------------------------------------------------------------------------------------

GOING = Standing(
    minutes_left=60,
    lead_min=5,
    depth_bp=3000,
    free_units=10,
    protected_units=2,
    worth_sending=50,
    gain_minor=200,
    attention_minor=2,
    redeemed=1,
    ignored=19,
)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"minutes_left": 0}, StopReason.OVER),
        ({"free_units": 0}, StopReason.SOLD_OUT),
        ({"minutes_left": 4.9}, StopReason.TOO_LATE),
        ({"protected_units": 9}, None),
        ({"protected_units": 10}, StopReason.PROTECTED),
        ({"worth_sending": 0}, StopReason.ENOUGH_DEMAND),
        ({"ignored": 400}, StopReason.NOT_WORTH_IT),
        ({"gain_minor": -1}, StopReason.NOT_WORTH_IT),
        # at the normal price nothing is sent, and it may still come to a discount
        ({"depth_bp": 0, "protected_units": 10, "worth_sending": 0}, None),
        ({"depth_bp": 0, "free_units": 0}, StopReason.SOLD_OUT),
        ({"depth_bp": 0, "minutes_left": 0, "free_units": 0}, StopReason.OVER),
    ],
)
def test_every_stop_has_its_reason(changed: dict[str, float], reason: StopReason | None) -> None:
    assert stop_reason(replace(GOING, **changed)) == reason


def test_every_stop_is_a_sentence_in_both_languages() -> None:
    assert set(SENTENCES) == set(StopReason)
    assert all(texts.keys() == {"fr", "en"} and all(texts.values()) for texts in SENTENCES.values())
