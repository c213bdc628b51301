"""A learned response against three counters, on campaigns in time order; docs/algorithms/response.md."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from offers.evaluation.journey import COLUMNS, USUAL_COUNT, USUAL_RATE, Pairs
from offers.rules.logistic import Bin, Prior, auc, bootstrap, calibration_table, fitted_weights, log_loss

Floats = NDArray[np.float64]

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
FOLDS = 3  # campaigns before the split that are told by those before them
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

    How strongly the weights are held is chosen by the last campaigns before the split, told by those before them. Raises
    ValueError where a side has too little to go by.
    """
    is_test = pairs.start >= split.toordinal()
    is_train = ~is_test
    if min(_kinds(pairs.outcomes[is_test]), _kinds(pairs.outcomes[is_train])) < 2:
        raise ValueError("on either side of the split there must be redemptions, and pairs without one")
    losses = {strength: _forward_loss(pairs, is_train, strength=strength) for strength in STRENGTHS}
    strength = min(STRENGTHS, key=lambda one: losses[one])
    logits, weights = _told(pairs, train=is_train, test=is_test, strength=strength)
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


def _counters(pairs: Pairs, *, train: Floats, test: Floats) -> dict[str, Floats]:
    """Return what the three counters say: the campaign kind's rate, the household's own, and both."""
    rates = {}
    for kind in np.unique(pairs.kind):
        own = pairs.outcomes[train & (pairs.kind == kind)]
        rates[kind] = (own.sum() + USUAL_RATE * USUAL_COUNT) / (len(own) + USUAL_COUNT)
    by_kind = np.array([rates[kind] for kind in pairs.kind[test]])
    personal = pairs.personal[test]
    return {"campaign kind": by_kind, "personal rate": personal, "kind x personal": by_kind * personal}


def _told(pairs: Pairs, *, train: Floats, test: Floats, strength: float) -> tuple[Floats, Floats]:
    """Return the log-odds of the test rows, and the weights of the columns in standard deviations."""
    centre, spread = pairs.features[train].mean(axis=0), pairs.features[train].std(axis=0) + 1e-9
    inputs = np.column_stack([np.ones(len(pairs.outcomes)), (pairs.features - centre) / spread])
    prior = Prior(
        weights=np.zeros(inputs.shape[1]), signs=(0, *(sign for _, sign in COLUMNS)), strength=strength
    )
    weights = fitted_weights(inputs[train], pairs.outcomes[train], prior, free=(0,))
    return inputs[test] @ weights, weights[1:]


def _forward_loss(pairs: Pairs, train: Floats, *, strength: float) -> float:
    """Return the mean log-loss over the last campaign starts before the split, each told by the pairs before it."""
    starts = np.unique(pairs.start[train])
    losses = []
    for index in range(len(starts) - FOLDS, len(starts)):
        before, now = pairs.start < starts[index], pairs.start == starts[index]
        if index > 0 and _kinds(pairs.outcomes[before]) == 2:
            logits, _ = _told(pairs, train=before, test=now, strength=strength)
            losses.append(log_loss(logits, pairs.outcomes[now]))
    if not losses:
        raise ValueError("before the split there are too few campaigns to choose by")
    return float(np.mean(losses))


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
