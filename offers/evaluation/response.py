"""A learned response against three counters, on campaigns in time order; docs/algorithms/response.md."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from offers.evaluation.journey import COLUMNS, USUAL_COUNT, USUAL_RATE, Pairs
from offers.rules.logistic import (
    Bin,
    Calibration,
    Prior,
    auc,
    bootstrap,
    calibrated_ahead,
    calibration_error,
    calibration_table,
    fitted_weights,
    log_loss,
)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
# Campaign starts before the split: the last CHOOSING, each told by the pairs before it, tell how strongly weights are held; the last
# CALIBRATING, all told by the pairs before them, as the test will be by those before the split, draw the line.
CHOOSING, CALIBRATING = 9, 3
ROUNDS = 1_000
SEED = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    pairs: int  # of the test
    positives: int
    trained: int  # pairs
    aucs: dict[str, float]
    gains: dict[str, tuple[float, float, float]]  # of the model over each counter: AUC gained, 95 % interval
    interval: tuple[float, float]  # 95 %, of the model's AUC
    within_kind: float  # the model's AUC, mean over campaign kinds weighed by positives
    strength: float
    log_losses: dict[float, float]  # by strength, on the campaigns that chose it
    weights: dict[str, float]  # of standardised columns
    over: int  # pairs of the test whose campaign had ended when the files do
    over_auc: float
    over_gain: tuple[float, float, float]  # over the last of the counters
    calibration: list[
        Bin
    ]  # of those that were over: an outcome that was cut off comes less often than it is said
    calibration_error: float
    cut_off: Bin | None  # the others


def judge(pairs: Pairs, *, split: date) -> Judged:
    """Return how a model of the pairs before the split tells those from it on.

    How strongly the weights are held, and the line that calibrates, come of the last campaigns before the split, told by those
    before them. Raises ValueError where a side has too little to go by.
    """
    is_test = pairs.start >= split.toordinal()
    is_train = ~is_test
    if min(_kinds(pairs.outcomes[is_test]), _kinds(pairs.outcomes[is_train])) < 2:
        raise ValueError("on either side of the split there must be redemptions, and pairs without one")
    forward = {strength: _forward(pairs, is_train, strength=strength) for strength in STRENGTHS}
    losses = {strength: log_loss(*_together(told)) for strength, told in forward.items()}
    strength = min(STRENGTHS, key=lambda one: losses[one])
    logits, weights = _told(pairs, train=is_train, test=is_test, strength=strength)
    logits = _line(pairs, is_train, strength=strength).of(logits)
    outcomes, is_over = pairs.outcomes[is_test], pairs.is_over[is_test]
    scores = {"model": logits, **_counters(pairs, train=is_train, test=is_test)}
    drawn = bootstrap(
        list(scores.values()), outcomes, groups=pairs.household[is_test], rounds=ROUNDS, seed=SEED
    )
    drawn_over = bootstrap(
        [one[is_over] for one in scores.values()],
        outcomes[is_over],
        groups=pairs.household[is_test][is_over],
        rounds=ROUNDS,
        seed=SEED,
    )
    aucs = {name: auc(one, outcomes) for name, one in scores.items()}
    aucs_over = [auc(one[is_over], outcomes[is_over]) for one in scores.values()]
    chances = 1.0 / (1.0 + np.exp(-logits))
    table = calibration_table(chances[is_over], outcomes[is_over])
    gains = {
        name: (aucs["model"] - aucs[name], *_interval(drawn[:, 0] - drawn[:, column]))
        for column, name in enumerate(scores)
        if column
    }
    return Judged(
        pairs=int(is_test.sum()),
        positives=int(outcomes.sum()),
        trained=int(is_train.sum()),
        aucs=aucs,
        gains=gains,
        interval=_interval(drawn[:, 0]),
        within_kind=_within(logits, outcomes, kinds=pairs.kind[is_test]),
        strength=strength,
        log_losses=losses,
        weights=dict(zip([name for name, _ in COLUMNS], weights.tolist(), strict=True)),
        over=int(is_over.sum()),
        over_auc=aucs_over[0],
        over_gain=(aucs_over[0] - aucs_over[-1], *_interval(drawn_over[:, 0] - drawn_over[:, -1])),
        calibration=table,
        calibration_error=calibration_error(table),
        cut_off=next(iter(calibration_table(chances[~is_over], outcomes[~is_over], bins=1)), None),
    )


def _counters(pairs: Pairs, *, train: Mask, test: Mask) -> dict[str, Floats]:
    """Return what counters say: the campaign kind's rate before the split, the household's own, and both together.

    A kind of few pairs may have a rate of 0, which says of all its households the same; the last counter leans such rates
    on the usual one, and is harder to beat.
    """
    rates, shrunk = {}, {}
    for kind in np.unique(pairs.kind):
        own = pairs.outcomes[train & (pairs.kind == kind)]
        rates[kind] = own.mean() if len(own) else USUAL_RATE
        shrunk[kind] = (own.sum() + USUAL_RATE * USUAL_COUNT) / (len(own) + USUAL_COUNT)
    by_kind, by_shrunk = (np.array([one[kind] for kind in pairs.kind[test]]) for one in (rates, shrunk))
    personal = pairs.personal[test]
    return {
        "campaign kind": by_kind,
        "personal rate": personal,
        "kind x personal": by_kind * personal,
        "the same, shrunk": by_shrunk * personal,
    }


def _told(pairs: Pairs, *, train: Mask, test: Mask, strength: float) -> tuple[Floats, Floats]:
    """Return the log-odds of the test rows, and the weights of the columns in standard deviations."""
    inputs = _inputs(pairs, train)
    weights = fitted_weights(inputs[train], pairs.outcomes[train], _prior(strength), free=(0,))
    return inputs[test] @ weights, weights[1:]


def _line(pairs: Pairs, train: Mask, *, strength: float) -> Calibration:
    """Return the line that the last campaigns before the split need, told by the pairs before all of them.

    The service draws its own by the same step, from its latest exposures (offers.rules.response_training).
    """
    starts = np.unique(pairs.start[train])  # the pairs themselves are in the order of their starts
    is_earlier = train & (pairs.start < starts[max(1, len(starts) - CALIBRATING)])
    inputs, later = _inputs(pairs, is_earlier), int(is_earlier.sum())
    _, line = calibrated_ahead(inputs[train], pairs.outcomes[train], _prior(strength), later=later, free=(0,))
    return line


def _inputs(pairs: Pairs, train: Mask) -> Floats:
    """Return the columns of all pairs in standard deviations of those that teach, behind a column of ones."""
    centre, spread = pairs.features[train].mean(axis=0), pairs.features[train].std(axis=0) + 1e-9
    return np.column_stack([np.ones(len(pairs.outcomes)), (pairs.features - centre) / spread])


def _prior(strength: float) -> Prior:
    signs = (0, *(sign for _, sign in COLUMNS))
    return Prior(weights=np.zeros(len(signs)), signs=signs, strength=strength)


def _forward(pairs: Pairs, train: Mask, *, strength: float) -> list[tuple[Floats, Floats]]:
    """Return log-odds and outcomes of the last campaign starts before the split, each told by the pairs before it."""
    starts = np.unique(pairs.start[train])
    told: list[tuple[Floats, Floats]] = []
    for start in starts[max(1, len(starts) - CHOOSING) :]:
        before, now = pairs.start < start, pairs.start == start
        if _kinds(pairs.outcomes[before]) == 2:
            logits, _ = _told(pairs, train=before, test=now, strength=strength)
            told.append((logits, pairs.outcomes[now]))
    if not told:
        raise ValueError("before the split there are too few campaigns to choose by")
    return told


def _together(told: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    return np.concatenate([one for one, _ in told]), np.concatenate([one for _, one in told])


def _within(logits: Floats, outcomes: Floats, *, kinds: NDArray[np.str_]) -> float:
    found = [
        (auc(logits[kinds == kind], outcomes[kinds == kind]), outcomes[kinds == kind].sum())
        for kind in np.unique(kinds)
        if _kinds(outcomes[kinds == kind]) == 2
    ]
    return float(np.average([value for value, _ in found], weights=[count for _, count in found]))


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _kinds(outcomes: Floats) -> int:
    return len(np.unique(outcomes))
