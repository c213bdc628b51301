"""Exact propensities, and off-policy estimates against a known truth; docs/algorithms/exploration.md."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.rules.exploration import Belief, belief, choose, draw_for, propensities
from offers.rules.off_policy import Logged, estimates

beliefs = st.lists(
    st.builds(Belief, hits=st.floats(0.5, 200), misses=st.floats(0.5, 2_000)), min_size=1, max_size=6
)


def test_a_belief_starts_at_one_in_twenty_and_moves_with_what_is_seen() -> None:
    assert belief(hits=0, tries=0).mean == 0.05
    assert belief(hits=7, tries=100).mean == pytest.approx(0.066667, abs=5e-7)
    with pytest.raises(ValueError, match="among the tries"):
        belief(hits=2, tries=1)


@given(ones=beliefs)
def test_propensities_are_a_distribution_with_a_floor(ones: list[Belief]) -> None:
    found = propensities(ones, floor=0.05)
    assert sum(found) == pytest.approx(1.0)
    assert min(found) >= 0.05 / len(ones) - 1e-12


def test_equal_beliefs_are_tried_equally_often() -> None:
    assert propensities([belief(hits=3, tries=50)] * 4) == pytest.approx([0.25] * 4)


def test_of_two_beliefs_each_is_best_as_often_as_the_closed_form_says() -> None:
    """P(Beta(2,1) > Beta(1,1)) = 2/3."""
    found = propensities([Belief(hits=2, misses=1), Belief(hits=1, misses=1)], floor=0.0)
    assert found == pytest.approx([2 / 3, 1 / 3], abs=1e-4)


def test_the_integral_is_what_thompson_sampling_would_draw() -> None:
    ones = [belief(hits=hits, tries=tries) for hits, tries in ((2, 40), (10, 150), (0, 5), (40, 900))]
    chance = np.random.default_rng(7)
    draws = np.stack([chance.beta(one.hits, one.misses, 400_000) for one in ones])
    sampled = np.bincount(draws.argmax(axis=0), minlength=4) / 400_000
    assert propensities(ones, floor=0.0) == pytest.approx(sampled, abs=0.004)


def test_there_must_be_a_choice() -> None:
    assert propensities([belief(hits=0, tries=0)]) == (1.0,)
    with pytest.raises(ValueError, match="nothing to choose"):
        propensities([])


@given(ones=beliefs, draw=st.floats(0, 1, exclude_max=True))
def test_a_draw_picks_the_choice_that_it_falls_on(ones: list[Belief], draw: float) -> None:
    chances = propensities(ones)
    found = choose(chances, draw=draw)
    assert sum(chances[:found]) <= draw + 1e-9
    assert draw <= sum(chances[: found + 1]) + 1e-9


def test_draws_are_even_repeatable_and_apart() -> None:
    found = [draw_for("customer", str(number)) for number in range(4_000)]
    assert found == [draw_for("customer", str(number)) for number in range(4_000)]
    assert np.histogram(found, bins=4, range=(0, 1))[0] == pytest.approx([1_000] * 4, abs=100)
    assert draw_for("ab", "c") != draw_for("a", "bc")


def test_the_estimates_of_five_decisions_by_hand() -> None:
    rows = zip(
        (1, 0, 0, 1, 0),
        (0.5, 0.25, 0.5, 0.25, 0.5),
        (0.8, 0.1, 0.2, 0.6, 0.2),
        (0.6, 0.2, 0.3, 0.5, 0.1),
        (0.5, 0.3, 0.35, 0.45, 0.2),
        strict=True,
    )
    found = estimates(
        [
            Logged(reward=r, behaviour=b, target=e, expected=q, expected_under_target=v)
            for r, b, e, q, v in rows
        ]
    )
    assert found.ips.value == pytest.approx(0.8)
    assert found.snips.value == pytest.approx(0.769231, abs=5e-7)
    assert found.dm == pytest.approx(0.36)
    assert found.dr.value == pytest.approx(0.68)
    assert found.ess == pytest.approx(3.0727, abs=5e-5)
    assert (found.decisions, found.logged_mean) == (5, 0.4)


@pytest.mark.parametrize(
    ("logged", "words"),
    [
        ([], "nothing was logged"),
        ([(1.0, 0.0, 0.5)], "chance above 0"),
        ([(1.0, 1.5, 0.5)], "chance above 0"),
        ([(1.0, 0.5, 0.0)], "nothing that this rule would do"),
    ],
)
def test_a_log_that_proves_nothing_is_refused(logged: list[tuple[float, float, float]], words: str) -> None:
    rows = [
        Logged(reward=r, behaviour=b, target=e, expected=0.0, expected_under_target=0.0) for r, b, e in logged
    ]
    with pytest.raises(ValueError, match=words):
        estimates(rows)


RATES = {"x": (0.05, 0.30), "y": (0.20, 0.10)}  # of two choices, for two kinds of customers
LOGGING, NEW = {"x": 0.7, "y": 0.3}, {"x": (0.1, 0.9), "y": (0.9, 0.1)}
TRUTH = 0.5 * (0.1 * 0.05 + 0.9 * 0.20) + 0.5 * (0.9 * 0.30 + 0.1 * 0.10)


def _log(*, seed: int, decisions: int, model: dict[str, tuple[float, float]]) -> list[Logged]:
    chance = np.random.default_rng(seed)
    rows = []
    for kind in chance.integers(0, 2, decisions):
        choice = "x" if chance.random() < LOGGING["x"] else "y"
        rows.append(
            Logged(
                reward=float(chance.random() < RATES[choice][kind]),
                behaviour=LOGGING[choice],
                target=NEW[choice][kind],
                expected=model[choice][kind],
                expected_under_target=sum(NEW[one][kind] * model[one][kind] for one in NEW),
            )
        )
    return rows


WRONG = {"x": (0.5, 0.5), "y": (0.0, 0.0)}


@pytest.mark.parametrize("model", [RATES, WRONG], ids=["a true model", "a wrong model"])
def test_a_rule_that_was_never_run_is_valued_at_its_truth(model: dict[str, tuple[float, float]]) -> None:
    """Over a hundred logs the 95 % intervals hold the truth about 95 times, and the means are unbiased."""
    found = [estimates(_log(seed=seed, decisions=800, model=model)) for seed in range(100)]
    for name in ("ips", "snips", "dr"):
        ones = [getattr(one, name) for one in found]
        assert np.mean([one.value for one in ones]) == pytest.approx(TRUTH, abs=0.008)
        assert sum(one.low <= TRUTH <= one.high for one in ones) >= 88
    assert np.mean([one.logged_mean for one in found]) == pytest.approx(0.1675, abs=0.01)


def test_a_good_model_makes_doubly_robust_steadier_and_a_wrong_one_alone_misleads() -> None:
    good = [estimates(_log(seed=seed, decisions=800, model=RATES)) for seed in range(60)]
    wrong = [estimates(_log(seed=seed, decisions=800, model=WRONG)) for seed in range(60)]
    assert np.std([one.dr.value for one in good]) < np.std([one.ips.value for one in good])
    assert np.mean([one.dm for one in good]) == pytest.approx(TRUTH, abs=0.005)
    assert abs(np.mean([one.dm for one in wrong]) - TRUTH) > 0.01
