"""Rhythm, activity, recency and price sensitivity against numbers worked out elsewhere; docs/algorithms/profile.md."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from customers.rules.activity import (
    Population,
    Seen,
    expected_of_new,
    expected_purchases,
    fitted,
    log_likelihood,
    probability_alive,
)
from customers.rules.affinity import HALF_LIFE_DAYS, weight
from customers.rules.price_sensitivity import discount_share, is_discounted
from customers.rules.rfm import Rfm, rfm
from customers.rules.rhythm import Rhythm, due, is_too_soon, mean_interval_days

NOW = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)
SEVEN_EIGHT_SIX_NINE = Rhythm(purchases=5, span_days=30.0)
CDNOW = Population(r=0.243, alpha=4.414, a=0.793, b=2.426)  # Fader, Hardie & Lee 2005, weeks
CDNOW_IN_FULL = Population(r=0.24259395, alpha=4.41359091, a=0.79291974, b=2.42587878)
days = st.floats(0.01, 400.0)


def test_three_purchases_of_one_unit_fade_by_half_each_thirty_days() -> None:
    seen_today = [weight(amount=1.0, at=NOW - timedelta(days=age)) for age in (0, 10, 60)]
    assert HALF_LIFE_DAYS == 30.0
    assert sum(seen_today) / weight(amount=1.0, at=NOW) == pytest.approx(2.0437, abs=5e-5)


def test_a_customers_interval_leans_on_the_usual_one() -> None:
    assert mean_interval_days(SEVEN_EIGHT_SIX_NINE, usual_days=14) == pytest.approx(9.6667, abs=5e-5)
    assert mean_interval_days(Rhythm(purchases=1, span_days=0.0), usual_days=14) == 14.0
    assert mean_interval_days(Rhythm(purchases=0, span_days=0.0), usual_days=14) == 14.0


@pytest.mark.parametrize(
    ("shape", "chances"),
    [
        (2.0, (0.1122, 0.1892, 0.2358, 0.2603, 0.2856)),
        (4.0, (0.0366, 0.1666, 0.2959, 0.3678, 0.4384)),
        (1.0, (0.1869, 0.1869, 0.1869, 0.1869, 0.1869)),
    ],
)
def test_the_chance_of_buying_within_two_days_by_the_days_since(
    shape: float, chances: tuple[float, ...]
) -> None:
    found = [
        due(since_days=since, within_days=2, mean_days=29 / 3, shape=shape) for since in (1, 4, 8, 12, 20)
    ]
    assert found == pytest.approx(chances, abs=5e-5)


@given(since=st.floats(0, 5_000), within=st.floats(0, 100), mean=days, shape=st.floats(1, 8))
def test_whoever_buys_by_a_rhythm_is_ever_more_due(
    since: float, within: float, mean: float, shape: float
) -> None:
    chance = due(since_days=since, within_days=within, mean_days=mean, shape=shape)
    assert 0.0 <= chance <= 1.0
    assert due(since_days=since + 1, within_days=within, mean_days=mean, shape=shape) >= chance - 1e-3
    assert due(since_days=since, within_days=within + 1, mean_days=mean, shape=shape) >= chance - 1e-9


def test_far_out_the_chance_is_that_of_a_constant_rate() -> None:
    assert due(since_days=1e9, within_days=2, mean_days=10, shape=2) == pytest.approx(1 - np.exp(-0.4))
    assert due(since_days=1e6, within_days=2, mean_days=10, shape=3) == pytest.approx(1 - np.exp(-0.6))


@given(intervals=st.floats(0, 20), mean=st.floats(0.5, 200), within=st.floats(0, 30))
def test_two_stages_in_closed_form_are_what_the_special_function_says(
    intervals: float, mean: float, within: float
) -> None:
    since = intervals * mean
    nearly = due(since_days=since, within_days=within, mean_days=mean, shape=2.0 + 1e-9)
    assert due(since_days=since, within_days=within, mean_days=mean, shape=2.0) == pytest.approx(
        nearly, abs=2e-5
    )


@pytest.mark.parametrize("wrong", [{"mean_days": 0.0}, {"shape": 0.0}, {"within_days": -1.0}])
def test_an_interval_of_no_time_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="longer than no time"):
        due(**{"since_days": 1.0, "within_days": 2.0, "mean_days": 10.0, **wrong})


def test_half_an_interval_is_too_soon() -> None:
    assert [is_too_soon(since_days=since, mean_days=10.0) for since in (4.99, 5.0)] == [True, False]


def test_a_cdnow_customer_of_two_repeats_is_expected_once_more() -> None:
    seen = Seen(repeats=2, last=30.43, age=38.86)
    assert expected_purchases(CDNOW, seen, ahead=39) == pytest.approx(1.226, abs=5e-4)
    assert probability_alive(CDNOW, seen) == pytest.approx(0.7266, abs=5e-5)
    assert probability_alive(CDNOW, Seen(repeats=2, last=5.0, age=38.86)) == pytest.approx(0.1237, abs=5e-5)
    assert probability_alive(CDNOW, Seen(repeats=0, last=0.0, age=38.86)) == 1.0


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(0.1429, 0.0078), (1.0, 0.0532), (3.0, 0.1506), (31.8571, 1.0405), (32.0, 1.0437)],
)
def test_a_new_cdnow_customer_buys_as_published(ahead: float, expected: float) -> None:
    """The published numbers come of the parameters' further digits, which a fit to the same customers gives."""
    assert expected_of_new(CDNOW_IN_FULL, ahead=ahead) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("ahead", "expected"), [(32.0, 1.0437), (78.0, 1.8580)])
def test_a_new_customers_purchases_are_the_integral_over_those_who_leave(
    ahead: float, expected: float
) -> None:
    """Without the hypergeometric function: (1 - e^(-rate·p·t)) / p, averaged over the rates and over p.

    For 78 weeks 1.8576 is in print, too; the integral says 1.8580, as the formula does.
    """
    r, alpha, a, b = (getattr(CDNOW_IN_FULL, name) for name in ("r", "alpha", "a", "b"))

    def bought(p: float) -> float:
        return beta.pdf(p, a, b) * (1.0 - (alpha / (alpha + p * ahead)) ** r) / p

    total = quad(bought, 0.0, 1e-3)[0] + quad(bought, 1e-3, 1.0)[0]
    assert total == pytest.approx(expected, abs=5e-5)
    assert expected_of_new(CDNOW_IN_FULL, ahead=ahead) == pytest.approx(total, rel=1e-6)


def _simulated(population: Population, *, customers: int, age: float, seed: int) -> list[Seen]:
    """Return customers who buy and leave exactly as the model says."""
    chance = np.random.default_rng(seed)
    seen = []
    for _ in range(customers):
        rate = chance.gamma(population.r, 1.0 / population.alpha)
        leaves = chance.beta(population.a, population.b)
        at, repeats, last = 0.0, 0, 0.0
        while True:
            at += chance.exponential(1.0 / rate) if rate > 1e-12 else np.inf
            if at > age:
                break
            repeats, last = repeats + 1, at
            if chance.random() < leaves:
                break
        seen.append(Seen(repeats=repeats, last=last, age=age))
    return seen


def test_the_population_is_found_again_from_customers_drawn_from_it() -> None:
    truth = Population(r=0.8, alpha=5.0, a=0.9, b=3.0)
    seen = _simulated(truth, customers=4_000, age=52.0, seed=5)
    found = fitted(seen)
    assert log_likelihood(found, seen) >= log_likelihood(truth, seen)
    assert found.r == pytest.approx(truth.r, rel=0.1)
    assert found.r / found.alpha == pytest.approx(truth.r / truth.alpha, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(truth.a / (truth.a + truth.b), rel=0.15)


def test_the_likelihood_of_one_customer_is_that_of_the_paper_written_out() -> None:
    """x = 0: L = (alpha / (alpha + T))^r."""
    seen = [Seen(repeats=0, last=0.0, age=10.0)]
    assert log_likelihood(CDNOW, seen) == pytest.approx(CDNOW.r * np.log(CDNOW.alpha / (CDNOW.alpha + 10.0)))


def test_nothing_is_learned_from_people_who_never_came_back() -> None:
    with pytest.raises(ValueError, match="nobody came back"):
        fitted([Seen(repeats=0, last=0.0, age=10.0)] * 5)


def test_the_expectation_has_a_hole_at_one_and_says_so() -> None:
    with pytest.raises(ValueError, match="not defined"):
        expected_of_new(Population(r=1.0, alpha=1.0, a=1.0, b=1.0), ahead=1.0)


def test_the_three_numbers_of_a_customer() -> None:
    found = rfm(purchases=12, spend_minor=34_560, last_at=NOW - timedelta(days=3, hours=23), now=NOW)
    assert found == Rfm(recency_days=3, frequency=12, monetary_minor=34_560)
    ahead = rfm(purchases=1, spend_minor=5, last_at=NOW + timedelta(hours=2), now=NOW)
    assert ahead == Rfm(recency_days=0, frequency=1, monetary_minor=5)
    assert rfm(purchases=0, spend_minor=-300, last_at=None, now=NOW) is None


@pytest.mark.parametrize(
    ("paid", "is_less"), [(250, False), (200, False), (197, False), (195, True), (0, True)]
)
def test_a_discount_is_more_than_two_per_cent(paid: int, is_less: bool) -> None:
    assert is_discounted(paid_minor=paid, list_price_minor=200) is is_less


def test_the_share_bought_at_a_discount_leans_on_the_usual_share() -> None:
    assert discount_share(discounted=0, listed=0) == 0.2
    assert discount_share(discounted=9, listed=15) == 0.5
    assert discount_share(discounted=0, listed=995) == pytest.approx(0.001)
    with pytest.raises(ValueError, match="none more than once"):
        discount_share(discounted=2, listed=1)
