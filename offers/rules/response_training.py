"""How the response model learns from exposures of both arms; docs/algorithms/response.md."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offers.rules.logistic import (
    Prior,
    auc,
    calibrated_ahead,
    calibration_error,
    calibration_table,
    log_loss,
)
from offers.rules.response import (
    BASE,
    COLD,
    COLUMNS,
    PUSH,
    SIGNS,
    Model,
    Signals,
    base_row,
    push_row,
    response,
)

STRENGTH = 5.0  # how strongly the cold weights are held: about five exposures' worth a column
MIN_EXPOSURES = 200
MIN_OUTCOMES = 20  # of either kind
LATEST = 0.2  # of the exposures: kept from the weights, to calibrate and to judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An exposure and what came of it."""

    signals: Signals
    is_treated: bool  # False: in the hold-out
    has_bought: bool  # the target, in the attribution window


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    model: Model
    exposures: int
    log_loss: float  # on the latest exposures, of what was learned
    log_loss_before: float  # of the model that stood until now
    calibration_error: float  # on the latest: mean distance of what was said from what came, by tenths
    auc: float | None  # None: only one kind of outcome among the latest

    @property
    def is_better(self) -> bool:
        return self.log_loss < self.log_loss_before


def train(shown: Sequence[Shown], *, standing: Model, version: int) -> Learned | None:
    """Return what the exposures, oldest first, teach; None where they are too few to learn from.

    The weights come from the older four fifths and are judged, beside the standing model, on the later half of the latest
    fifth; the earlier half calibrates them. They lean on the cold weights, not on the standing ones, so that an error does
    not outlive the exposures that it came from.
    """
    bought = sum(one.has_bought for one in shown)
    if len(shown) < MIN_EXPOSURES or min(bought, len(shown) - bought) < MIN_OUTCOMES:
        return None
    rows = matrix_of(shown)
    outcomes = np.array([one.has_bought for one in shown], dtype=np.float64)
    cut = int(len(shown) * (1.0 - LATEST))
    middle = (cut + len(shown)) // 2
    prior = Prior(weights=np.array(COLD.weights), signs=SIGNS, strength=STRENGTH)
    weights, line = calibrated_ahead(
        rows[:middle], outcomes[:middle], prior, later=cut, free=(COLUMNS.index("constant"),)
    )
    model = Model(version=version, weights=tuple(map(float, weights)), slope=line.slope, shift=line.shift)
    latest, came = shown[middle:], outcomes[middle:]
    logits = _logits(latest, model)
    has_both = 0.0 < came.sum() < len(came)
    return Learned(
        model=model,
        exposures=len(shown),
        log_loss=log_loss(logits, came),
        log_loss_before=log_loss(_logits(latest, standing), came),
        calibration_error=calibration_error(calibration_table(1.0 / (1.0 + np.exp(-logits)), came)),
        auc=auc(logits, came) if has_both else None,
    )


def matrix_of(shown: Sequence[Shown]) -> NDArray[np.float64]:
    """Return rows × COLUMNS; what the push adds is 0 in the hold-out."""
    nothing = (0.0,) * len(PUSH)
    rows = [base_row(one.signals) + (push_row(one.signals) if one.is_treated else nothing) for one in shown]
    return np.array(rows, dtype=np.float64).reshape(-1, len(BASE) + len(PUSH))


def _logits(shown: Sequence[Shown], model: Model) -> NDArray[np.float64]:
    chances = np.array([response(one.signals, model)[0 if one.is_treated else 1] for one in shown])
    return np.log(chances / (1.0 - chances))
