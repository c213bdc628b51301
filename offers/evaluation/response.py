"""A learned response against three counters, on campaigns in time order; docs/algorithms/response.md."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from offers.evaluation.journey import COLUMNS, USUAL_COUNT, USUAL_RATE, Pairs
from offers.rules.logistic import (
    Bin,
    Prior,
    auc,
    bootstrap,
    calibrated,
    calibration_table,
    fitted_weights,
    log_loss,
)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
# Campaign starts before the split, each told by the pairs before it: the last CHOOSING tell how strongly weights are held, the last
# CALIBRATING, which are nearest to what comes, draw the line.
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
    calibration: list[Bin]


def judge(pairs: Pairs, *, split: date) -> Judged:
    """Return how a model of the pairs before the split tells those from it on.

    How strongly the weights are held, and the line that calibrates, come of the last campaigns before the split, each told
    by those before it. Raises ValueError where a side has too little to go by.
    """
    is_test = pairs.start >= split.toordinal()
    is_train = ~is_test
    if min(_kinds(pairs.outcomes[is_test]), _kinds(pairs.outcomes[is_train])) < 2:
        raise ValueError("on either side of the split there must be redemptions, and pairs without one")
    forward = {strength: _forward(pairs, is_train, strength=strength) for strength in STRENGTHS}
    losses = {strength: log_loss(*_together(told)) for strength, told in forward.items()}
    strength = min(STRENGTHS, key=lambda one: losses[one])
    line = calibrated(*_together(forward[strength][-CALIBRATING:]))
    logits, weights = _told(pairs, train=is_train, test=is_test, strength=strength)
    logits = line.of(logits)
    outcomes = pairs.outcomes[is_test]
    scores = {"model": logits, **_counters(pairs, train=is_train, test=is_test)}
    drawn = bootstrap(
        list(scores.values()), outcomes, groups=pairs.household[is_test], rounds=ROUNDS, seed=SEED
    )
    aucs = {name: auc(one, outcomes) for name, one in scores.items()}
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
        calibration=calibration_table(1.0 / (1.0 + np.exp(-logits)), outcomes),
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
    centre, spread = pairs.features[train].mean(axis=0), pairs.features[train].std(axis=0) + 1e-9
    inputs = np.column_stack([np.ones(len(pairs.outcomes)), (pairs.features - centre) / spread])
    prior = Prior(
        weights=np.zeros(inputs.shape[1]), signs=(0, *(sign for _, sign in COLUMNS)), strength=strength
    )
    weights = fitted_weights(inputs[train], pairs.outcomes[train], prior, free=(0,))
    return inputs[test] @ weights, weights[1:]


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
