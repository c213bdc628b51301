"""What a push changes: q1, the chance of a purchase with it, and q0, without; docs/algorithms/response.md.

One logistic model for both arms: the log-odds of buying anyway, plus, with the push, what it adds. Signs are fixed where they
must be (further away is never better), and before anything was learned the weights are those of COLD.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

MIN_RATE, MAX_RATE = 1e-4, 1.0 - 1e-4
RATE_PRIOR = 0.05  # of pushes that lead to a purchase, where nothing is known
RATE_PRIOR_COUNT = 20.0
MAX_DISTANCE_KM, MAX_HOURS = 20.0, 72.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What is known of one customer and one offer when the decision is made; each has a neutral default."""

    personal_rate: float = RATE_PRIOR  # 0..1: of this customer's exposures that led to a purchase, shrunk
    offer_rate: float = RATE_PRIOR  # 0..1: of this offer's exposures, shrunk
    affinity_share: float = 0.0  # 0..1, of the target
    basket_chance: float = 0.0  # 0..1, that the next basket holds the target anyway
    due: float = 0.0  # 0..1, that it is bought again within two days
    alive: float = 1.0  # 0..1, that the customer still comes
    discount_share: float = 0.2  # 0..1, of lines bought at a discount
    depth: float = 0.0  # 0..1, the offer's discount
    distance_km: float = 0.0  # to the place
    hours_left: float = 1.0  # that the coupon can be used
    ignored: int = 0  # messages in a row

    def numbers(self) -> dict[str, float]:
        """Return the signals as they are kept with a decision."""
        return {f"signal_{name}": float(value) for name, value in asdict(self).items()}


SIGNAL_NAMES = tuple(field.name for field in fields(Signals))


def signals_from(numbers: Mapping[str, Any]) -> Signals:
    """Return the signals that were kept with a decision; what was not kept is neutral."""
    found = {
        name: numbers[f"signal_{name}"] for name in SIGNAL_NAMES if numbers.get(f"signal_{name}") is not None
    }
    if "affinity_share" not in found and numbers.get("exact_share") is not None:
        found["affinity_share"] = numbers["exact_share"]
    return Signals(**found)


# (name, sign) of each column: first what speaks for buying anyway, then what the push adds.
BASE = (
    ("constant", 0),
    ("personal_rate", 1),
    ("offer_rate", 1),
    ("affinity", 1),
    ("basket_chance", 1),
    ("due", 1),
    ("alive", 1),
    ("distance", -1),
)
PUSH = (
    ("push", 1),
    ("push_depth", 1),
    ("push_discounts", 1),
    ("push_distance", -1),
    ("push_urgency", 0),
    ("push_ignored", -1),
)
COLUMNS = tuple(name for name, _ in BASE + PUSH)
SIGNS = tuple(sign for _, sign in BASE + PUSH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Weights in the order of COLUMNS, and the line that their log-odds go through."""

    version: int  # 0: nothing was learned
    weights: tuple[float, ...]
    slope: float = 1.0
    shift: float = 0.0


# Before anything was learned. The distance follows Molitor et al. (about -3 % of response a kilometre); the rest are cautious guesses
# that the first thousand exposures overrule: buying anyway at 2 %, a push that lifts the odds by half, more with the discount.
COLD = Model(
    version=0,
    weights=(-3.9, 0.5, 0.3, 1.5, 2.5, 1.5, 0.3, -0.03, 0.4, 2.0, 0.5, -0.03, 0.1, -0.1),
)


def base_row(signals: Signals) -> tuple[float, ...]:
    """Return the columns of buying anyway."""
    neutral = _log_odds(RATE_PRIOR)
    return (
        1.0,
        _log_odds(signals.personal_rate) - neutral,
        _log_odds(signals.offer_rate) - neutral,
        math.sqrt(min(1.0, max(0.0, signals.affinity_share))),
        min(1.0, max(0.0, signals.basket_chance)),
        min(1.0, max(0.0, signals.due)),
        min(1.0, max(0.0, signals.alive)) - 1.0,
        _kilometres(signals),
    )


def push_row(signals: Signals) -> tuple[float, ...]:
    """Return the columns of what the push adds."""
    hours = min(MAX_HOURS, max(0.0, signals.hours_left))
    return (
        1.0,
        min(1.0, max(0.0, signals.depth)),
        signals.depth * (min(1.0, max(0.0, signals.discount_share)) - 0.2),
        _kilometres(signals),
        1.0 / (1.0 + hours),
        math.log1p(max(0, signals.ignored)),
    )


def response(signals: Signals, model: Model) -> tuple[float, float]:
    """Return (q1, q0): the chance of a purchase with the push and without, 0..1. A push never makes one less likely.

    >>> q1, q0 = response(Signals(affinity_share=0.3, depth=0.3), COLD)
    >>> round(q1, 4), round(q0, 4)
    (0.1163, 0.044)
    """
    anyway = _dot(model.weights, base_row(signals), start=0)
    added = max(0.0, _dot(model.weights, push_row(signals), start=len(BASE)))
    shifted = model.slope * anyway + model.shift
    return _chance(shifted + model.slope * added), _chance(shifted)


def explained(signals: Signals, model: Model) -> dict[str, float]:
    """Return what each column adds to the log-odds with the push, largest effect first; without the constant."""
    values = base_row(signals) + push_row(signals)
    parts = {
        name: model.slope * weight * value
        for name, weight, value in zip(COLUMNS, model.weights, values, strict=True)
        if name != "constant"
    }
    return dict(sorted(parts.items(), key=lambda item: -abs(item[1])))


def shrunk_rate(
    *, hits: float, tries: float, prior: float = RATE_PRIOR, count: float = RATE_PRIOR_COUNT
) -> float:
    """Return a share that leans on `prior` as if that had been seen `count` times: the mean of a Beta posterior.

    >>> round(shrunk_rate(hits=7, tries=100), 6)
    0.066667
    """
    return (prior * count + hits) / (count + tries)


def model_to_json(model: Model) -> dict[str, Any]:
    """Return the model as a table keeps it, each weight by its name."""
    weights = dict(zip(COLUMNS, model.weights, strict=True))
    return {"weights": weights, "slope": model.slope, "shift": model.shift}


def model_from_json(kept: Mapping[str, Any], *, version: int) -> Model:
    """Return the model that a table keeps; a column that was not known then has its cold weight.

    Weights that break a sign are refused with ValueError: the table may have been changed by hand.
    """
    cold = dict(zip(COLUMNS, COLD.weights, strict=True))
    weights = tuple(float(kept["weights"].get(name, cold[name])) for name in COLUMNS)
    slope, shift = float(kept["slope"]), float(kept["shift"])
    wrong = [name for name, sign, weight in zip(COLUMNS, SIGNS, weights, strict=True) if sign * weight < 0]
    if wrong or not slope > 0 or not all(map(math.isfinite, (*weights, slope, shift))):
        raise ValueError(f"the response model {version} cannot be used: {', '.join(wrong) or 'not finite'}")
    return Model(version=version, weights=weights, slope=slope, shift=shift)


def _kilometres(signals: Signals) -> float:
    return min(MAX_DISTANCE_KM, max(0.0, signals.distance_km))


def _log_odds(rate: float) -> float:
    kept = min(MAX_RATE, max(MIN_RATE, rate))
    return math.log(kept / (1.0 - kept))


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(30.0, max(-30.0, logit))))


def _dot(weights: tuple[float, ...], values: tuple[float, ...], *, start: int) -> float:
    total = 0.0
    for index, value in enumerate(values, start):
        total += weights[index] * value
    return total
