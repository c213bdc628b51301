"""The response model: signs, cold start, learning a planted uplift, calibration; docs/algorithms/response.md."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from offers.rules.logistic import (
    Bin,
    Prior,
    auc,
    bootstrap,
    calibrated,
    calibrated_ahead,
    calibration_error,
    calibration_table,
    fitted_weights,
    log_loss,
)
from offers.rules.response import (
    BASE,
    COLD,
    COLUMNS,
    SIGNS,
    Model,
    Signals,
    explained,
    model_from_json,
    model_to_json,
    response,
    shrunk_rate,
    signals_from,
)
from offers.rules.response_training import Shown, matrix_of, train

shares = st.floats(0, 1)
signals = st.builds(
    Signals,
    personal_rate=shares,
    offer_rate=shares,
    affinity_share=shares,
    basket_chance=st.none() | shares,
    due_ratio=st.floats(0, 10),
    discount_share=shares,
    depth=shares,
    elasticity=st.floats(0, 10),
    distance_km=st.floats(0, 100),
    hours_left=st.floats(0, 1_000),
    ignored=st.integers(0, 50).map(float),
)
models = st.builds(
    lambda values, slope, shift: Model(
        version=1,
        weights=tuple(
            abs(value) if sign > 0 else -abs(value) if sign < 0 else value
            for sign, value in zip(SIGNS, values, strict=True)
        ),
        slope=slope,
        shift=shift,
    ),
    st.lists(st.floats(-3, 3), min_size=len(COLUMNS), max_size=len(COLUMNS)),
    st.floats(0.1, 3),
    st.floats(-2, 2),
)


@given(one=signals, model=models)
def test_both_are_chances_and_a_push_never_makes_a_purchase_less_likely(one: Signals, model: Model) -> None:
    q1, q0 = response(one, model)
    assert 0.0 < q0 <= q1 < 1.0


@given(one=signals, model=models, more=st.floats(0, 1))
def test_what_must_not_fall_does_not_fall(one: Signals, model: Model, more: float) -> None:
    q1, q0 = response(one, model)
    for name in ("basket_chance", "due_ratio", "personal_rate", "offer_rate"):
        if getattr(one, name) is None:
            continue
        raised = changed(one, **{name: getattr(one, name) + more})
        assert response(raised, model)[0] >= q1 - 1e-12
        assert response(raised, model)[1] >= q0 - 1e-12
    # a stranger may be moved more than a buyer; that a buyer buys anyway more often cannot be learned away
    assert response(changed(one, affinity_share=min(1.0, one.affinity_share + more)), model)[1] >= q0 - 1e-12
    for name in ("depth", "elasticity"):
        neutral = changed(one, discount_share=0.2)
        deeper = changed(neutral, **{name: getattr(one, name) + more})
        assert response(deeper, model)[0] >= response(neutral, model)[0] - 1e-12
    further = response(changed(one, distance_km=one.distance_km + more), model)
    assert further[0] <= q1 + 1e-12
    assert further[1] <= q0 + 1e-12
    assert response(changed(one, ignored=one.ignored + 1), model)[0] <= q1 + 1e-12


@given(one=signals, model=models, more=st.floats(0, 1))
def test_the_discount_moves_only_what_the_push_adds(one: Signals, model: Model, more: float) -> None:
    deeper = changed(one, depth=min(1.0, one.depth + more))
    assert response(deeper, model)[1] == response(one, model)[1]


@given(share=shares, depth=shares, elasticity=st.floats(0, 10))
def test_before_anything_was_learned_the_answer_is_the_cautious_guess(
    share: float, depth: float, elasticity: float
) -> None:
    """By hand: from a stranger's 2 % to 28 %, depth times elasticity on the odds, and a stranger hears of it."""
    q1, q0 = response(Signals(affinity_share=share, depth=depth, elasticity=elasticity), COLD)
    alone = 0.02 + 0.26 * share
    odds = alone / (1 - alone) * math.exp(elasticity * depth + 1.15 * (1 - share))
    assert q0 == pytest.approx(alone)
    assert q1 == pytest.approx(odds / (1 + odds))


def test_who_is_due_or_whose_next_basket_holds_it_is_likelier_to_buy_anyway() -> None:
    q1, q0 = response(Signals(affinity_share=0.4, depth=0.3), COLD)
    assert [round(q, 4) for q in (q1, q0)] == [0.3068, 0.124]
    due = response(Signals(affinity_share=0.4, depth=0.3, due_ratio=2.0), COLD)
    assert [round(q, 4) for q in due] == [0.385, 0.1668]
    in_basket = response(Signals(affinity_share=0.4, depth=0.3, basket_chance=0.5), COLD)
    assert [round(q, 4) for q in in_basket] == [0.4219, 0.1892]


def test_the_explanation_adds_up() -> None:
    one = Signals(affinity_share=0.3, depth=0.3, distance_km=2.0)
    parts = explained(one, COLD)
    q1, _ = response(one, COLD)
    assert sum(parts.values()) + COLD.weights[0] == pytest.approx(math.log(q1 / (1 - q1)))
    assert list(parts)[:3] == ["affinity", "push_stranger", "push_depth"]


@given(model=models)
def test_a_model_is_kept_and_read_again(model: Model) -> None:
    assert model_from_json(model_to_json(model), version=1) == model


def test_a_kept_model_that_breaks_a_sign_is_refused() -> None:
    kept = model_to_json(COLD)
    with pytest.raises(ValueError, match="distance"):
        model_from_json({**kept, "weights": {**kept["weights"], "distance": 0.5}}, version=3)
    with pytest.raises(ValueError, match="not finite"):
        model_from_json({**kept, "slope": 0.0}, version=3)


def test_a_column_that_was_not_known_then_has_its_cold_weight() -> None:
    kept = model_to_json(COLD)
    del kept["weights"]["push_ignored"]
    assert model_from_json(kept, version=0) == COLD


@given(one=signals)
def test_signals_are_kept_with_the_decision_and_read_again(one: Signals) -> None:
    assert signals_from(one.numbers()) == one


def test_what_is_neutral_is_not_kept_but_for_the_share() -> None:
    assert Signals().numbers() == {"signal_affinity_share": 0.0}
    assert Signals(depth=0.2, hours_left=0.5).numbers() == {
        "signal_affinity_share": 0.0,
        "signal_depth": 0.2,
        "signal_hours_left": 0.5,
    }


def test_what_was_not_kept_is_neutral_but_for_the_share_that_always_is() -> None:
    assert signals_from({}) == Signals()
    assert signals_from({"exact_share": 0.25, "priority": 3}) == Signals(affinity_share=0.25)


def test_a_rate_leans_on_what_is_usual() -> None:
    assert shrunk_rate(hits=0, tries=0) == 0.05
    assert shrunk_rate(hits=7, tries=100) == pytest.approx(0.066667, abs=5e-7)  # Beta(1, 19) and 7 of 100


def _truth(lift: float) -> Model:
    """Return the cold model with more who buy anyway and another effect of the push on a stranger."""
    changed = {"constant": -2.0, "push_stranger": lift}
    weights = (changed.get(name, weight) for name, weight in zip(COLUMNS, COLD.weights, strict=True))
    return replace(COLD, weights=tuple(weights))


def _exposures(*, count: int, seed: int, lift: float) -> list[Shown]:
    """Return exposures whose outcomes follow the cold model with the push's effect changed by `lift`."""
    chance = np.random.default_rng(seed)
    truth = _truth(lift)
    shown = []
    for _ in range(count):
        one = Signals(
            affinity_share=float(chance.random()),
            due_ratio=float(chance.lognormal(0.0, 0.5)),
            depth=float(chance.choice([0.1, 0.2, 0.3])),
            distance_km=float(chance.exponential(1.0)),
        )
        is_treated = bool(chance.random() < 0.7)
        q1, q0 = response(one, truth)
        bought = bool(chance.random() < (q1 if is_treated else q0))
        shown.append(Shown(signals=one, is_treated=is_treated, has_bought=bought))
    return shown


def test_too_little_teaches_nothing() -> None:
    shown = _exposures(count=2_000, seed=1, lift=0.4)
    assert train(shown[:199], standing=COLD, version=1) is None
    none_bought = [replace(one, has_bought=False) for one in shown]
    assert train(none_bought, standing=COLD, version=1) is None


def test_the_lift_that_is_there_is_found_and_the_new_model_tells_better() -> None:
    found = train(_exposures(count=8_000, seed=2, lift=1.2), standing=COLD, version=4)
    assert found is not None
    assert found.model.version == 4
    assert found.is_better
    assert found.auc == pytest.approx(0.675, abs=0.02)
    typical = Signals(affinity_share=0.5, depth=0.2, distance_km=1.0)
    q1, q0 = response(typical, found.model)
    assert (q1, q0) == pytest.approx(response(typical, _truth(1.2)), abs=0.04)
    assert all(sign * weight >= 0 for sign, weight in zip(SIGNS, found.model.weights, strict=True))


def test_a_model_of_noise_does_not_displace_a_good_one() -> None:
    good = train(_exposures(count=8_000, seed=2, lift=1.2), standing=COLD, version=1)
    assert good is not None
    chance = np.random.default_rng(3)
    older = [
        replace(one, has_bought=bool(chance.random() < 0.5))
        for one in _exposures(count=4_000, seed=5, lift=1.2)
    ]
    found = train([*older, *_exposures(count=500, seed=6, lift=1.2)], standing=good.model, version=2)
    assert found is not None
    assert not found.is_better


def test_in_the_hold_out_nothing_speaks_for_the_push() -> None:
    one = Signals(depth=0.3, distance_km=1.0)
    [treated, held] = matrix_of(
        [Shown(signals=one, is_treated=is_treated, has_bought=False) for is_treated in (True, False)]
    )
    base = len(BASE)
    assert treated[:base].tolist() == held[:base].tolist()
    assert held[base:].tolist() == [0.0] * 6
    assert treated[base] == 1.0


def _logged(*, count: int, seed: int, rewards_say: float | None) -> list[Shown]:
    """Return exposures of as many rewards as weighed offers, whose outcomes follow the cold model with a next basket that
    counts three times; of the rewards, the chance is logged as `rewards_say`."""
    chance = np.random.default_rng(seed)
    truth = Model(
        version=1,
        weights=tuple(
            {"basket_chance": 3.0}.get(name, weight)
            for name, weight in zip(COLUMNS, COLD.weights, strict=True)
        ),
    )
    shown = []
    for number in range(count):
        one = Signals(
            affinity_share=float(chance.random()),
            basket_chance=float(chance.choice([0.0, chance.uniform(0.1, 0.9)])),
        )
        is_treated = bool(chance.random() < 0.7)
        q1, q0 = response(one, truth)
        bought = bool(chance.random() < (q1 if is_treated else q0))
        kept = one if number % 2 else changed(one, basket_chance=rewards_say)
        shown.append(Shown(signals=signals_from(kept.numbers()), is_treated=is_treated, has_bought=bought))
    return shown


def _weight_of_the_next_basket(shown: list[Shown]) -> float:
    found = train(shown, standing=COLD, version=1)
    assert found is not None
    return found.model.weights[COLUMNS.index("basket_chance")]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rewards_of_which_nobody_asked_do_not_teach_that_the_next_basket_says_nothing(seed: int) -> None:
    """The same exposures with what was logged before, "unlikely", lose a third of what the chance is worth."""
    as_it_is = _weight_of_the_next_basket(_logged(count=12_000, seed=seed, rewards_say=None))
    assert as_it_is == pytest.approx(3.0, abs=0.3)
    as_it_was = _weight_of_the_next_basket(_logged(count=12_000, seed=seed, rewards_say=0.0))
    assert as_it_was < 2.2


def test_where_nobody_asked_the_average_of_those_asked_answers() -> None:
    shown = _logged(count=12_000, seed=4, rewards_say=None)
    found = train(shown, standing=COLD, version=1)
    assert found is not None
    rewards = shown[::2]
    said = np.mean([response(one.signals, found.model)[0 if one.is_treated else 1] for one in rewards])
    assert said == pytest.approx(np.mean([one.has_bought for one in rewards]), abs=0.02)
    one = Signals(affinity_share=0.4)
    assert response(one, COLD) == response(changed(one, basket_chance=0.0), COLD)  # before: as unlikely


def test_without_data_the_weights_are_the_prior_and_with_much_they_are_the_datas() -> None:
    prior = Prior(weights=np.array([0.5, -1.0]), signs=(0, -1), strength=2.0)
    assert fitted_weights(np.zeros((0, 2)), np.zeros(0), prior) == pytest.approx(prior.weights)
    chance = np.random.default_rng(0)
    features = np.column_stack([np.ones(40_000), chance.normal(size=40_000)])
    outcomes = (chance.random(40_000) < 1 / (1 + np.exp(-(features @ [-1.0, -0.4])))).astype(float)
    assert fitted_weights(features, outcomes, prior) == pytest.approx([-1.0, -0.4], abs=0.04)
    wrong_way = (chance.random(40_000) < 1 / (1 + np.exp(-(features @ [-1.0, 0.4])))).astype(float)
    assert fitted_weights(features, wrong_way, prior)[1] == pytest.approx(0.0, abs=1e-6)


def test_an_intercept_that_nothing_holds_is_the_log_odds_of_the_share() -> None:
    outcomes = np.array([1.0] * 3 + [0.0] * 7)
    prior = Prior(weights=np.zeros(1), signs=(0,), strength=100.0)
    found = fitted_weights(np.ones((10, 1)), outcomes, prior, free=(0,))
    assert found == pytest.approx([math.log(3 / 7)], abs=1e-5)


def test_a_prior_against_its_own_signs_is_refused() -> None:
    with pytest.raises(ValueError, match="ruled out"):
        fitted_weights(np.ones((1, 1)), np.ones(1), Prior(weights=np.array([-1.0]), signs=(1,), strength=1.0))


def test_calibration_brings_boasting_back_and_keeps_the_order() -> None:
    chance = np.random.default_rng(1)
    logits = chance.normal(-1.0, 1.0, 20_000)
    outcomes = (chance.random(20_000) < 1 / (1 + np.exp(-logits))).astype(float)
    line = calibrated(3.0 * logits + 1.0, outcomes)
    assert (line.slope, line.shift) == pytest.approx((1 / 3, -1 / 3), abs=0.03)
    assert log_loss(line.of(3.0 * logits + 1.0), outcomes) < log_loss(3.0 * logits + 1.0, outcomes)


def test_the_line_is_drawn_by_rows_that_taught_no_weight_and_later_rows_move_no_weight() -> None:
    """What came true until then holds half as strongly after: the weight is the older rows', the slope one half."""
    chance = np.random.default_rng(6)
    features = np.column_stack([np.ones(40_000), chance.normal(size=40_000)])
    strength = np.where(np.arange(40_000) < 20_000, 2.0, 1.0)
    outcomes = (chance.random(40_000) < 1 / (1 + np.exp(-strength * features[:, 1]))).astype(float)
    prior = Prior(weights=np.zeros(2), signs=(0, 1), strength=1.0)

    weights, line = calibrated_ahead(features, outcomes, prior, later=20_000, free=(0,))

    assert weights == pytest.approx(
        fitted_weights(features[:20_000], outcomes[:20_000], prior, free=(0,)), abs=1e-9
    )
    assert (line.slope, line.shift) == pytest.approx((0.5, 0.0), abs=0.03)
    _, none = calibrated_ahead(features[:20_000], outcomes[:20_000], prior, later=20_000)
    assert (none.slope, none.shift) == (1.0, 0.0)


def test_training_calibrates_by_the_exposures_after_those_that_taught() -> None:
    """From the eighth tenth on, purchases become rarer: the weights cannot know, the line does, and the latest come true."""
    shown = _exposures(count=8_000, seed=7, lift=1.15)
    chance = np.random.default_rng(8)
    drifted = [
        replace(one, has_bought=one.has_bought and bool(number < 6_400 or chance.random() < 0.4))
        for number, one in enumerate(shown)
    ]
    found = train(drifted, standing=COLD, version=1)
    assert found is not None
    assert found.model.shift < -0.5
    assert found.calibration_error < 0.03
    unmoved = replace(found.model, slope=1.0, shift=0.0)
    latest = drifted[7_200:]
    said = [response(one.signals, unmoved)[0 if one.is_treated else 1] for one in latest]
    assert np.mean(said) > 2 * np.mean([one.has_bought for one in latest])


def test_the_auc_by_hand() -> None:
    assert auc(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 1.0])) == 0.75
    assert auc(np.array([1.0, 1.0]), np.array([0.0, 1.0])) == 0.5
    with pytest.raises(ValueError, match="one kind is missing"):
        auc(np.array([1.0]), np.array([1.0]))


def test_the_bootstrap_draws_whole_groups() -> None:
    scores, outcomes = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 1.0])
    one_group = bootstrap([scores, -scores], outcomes, groups=np.zeros(4, dtype=np.int64), rounds=3, seed=1)
    assert one_group.tolist() == [[0.75, 0.25]] * 3
    many = bootstrap([scores], outcomes, groups=np.array([0, 0, 1, 1]), rounds=50, seed=1)
    assert set(many[:, 0]) == {0.75, 1.0}  # both groups, or one of them twice


def test_the_calibration_table_by_hand() -> None:
    found = calibration_table(np.array([0.4, 0.1, 0.2, 0.9]), np.array([1.0, 0.0, 0.0, 1.0]), bins=2)
    assert found == [
        Bin(rows=2, said=pytest.approx(0.15), came=0.0),
        Bin(rows=2, said=pytest.approx(0.65), came=1.0),
    ]
    assert calibration_error(found) == pytest.approx((0.15 + 0.35) / 2)
    assert Bin(rows=100, said=0.2, came=0.28).errors == pytest.approx(2.0)
