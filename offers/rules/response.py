"""What a push changes: q1, the chance of a purchase with it, and q0, without; docs/algorithms/response.md.

One logistic model for both arms: the log-odds of buying anyway, plus, with the push, what it adds. Signs are fixed where they
must be (further away is never better), and before anything was learned the weights are those of COLD.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter, mul
from typing import Any

import msgspec

MIN_RATE, MAX_RATE = 1e-4, 1.0 - 1e-4
RATE_PRIOR = 0.05  # of pushes that lead to a purchase, where nothing is known
RATE_PRIOR_COUNT = 20.0
USUAL_DISCOUNT_SHARE = 0.2  # of lines bought at a discount
CAUTIOUS_ELASTICITY = 1.5  # of an offer that names none
MAX_DISTANCE_KM, MAX_HOURS, MAX_LIFT = 20.0, 72.0, 50.0
MAX_DUE_RATIO = 4.0  # and its inverse: a rhythm of a few purchases is not known better

# Between a stranger to the target and somebody who buys nothing else, before anything was learned.
STRANGER_BUYS = 0.02  # chance at the normal price, without a message
LOYAL_BUYS = 0.28
BEING_TOLD = 1.15  # what a message adds to a stranger's log-odds by itself; nothing to who would know anyway


class Signals(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one customer and one offer when the decision is made; each has a neutral default.

    Whether the customer still comes is not among them: they stand in the store.
    """

    personal_rate: float = RATE_PRIOR  # 0..1: of this customer's exposures that led to a purchase, shrunk
    offer_rate: float = RATE_PRIOR  # 0..1: of this offer's exposures, shrunk
    affinity_share: float = 0.0  # 0..1, of the target
    basket_chance: float | None = (
        None  # 0..1, that the next basket holds the target anyway; None: nobody asked
    )
    due_ratio: float = 1.0  # chance to buy it again within two days, over that of an average day of theirs
    discount_share: float = USUAL_DISCOUNT_SHARE  # 0..1, of lines bought at a discount
    depth: float = 0.0  # 0..1, the offer's discount
    elasticity: float = CAUTIOUS_ELASTICITY  # of the offer
    distance_km: float = 0.0  # to the place
    hours_left: float = 1.0  # that the coupon can be used
    ignored: float = 0.0  # messages in a row

    def numbers(self) -> dict[str, float]:
        """Return the signals as they are kept with a decision: the share, and what is not neutral."""
        return {
            _KEPT_AS[name]: value
            for name, value, neutral in zip(SIGNAL_NAMES, _values(self), _NEUTRAL, strict=True)
            if value != neutral or name == "affinity_share"
        }


SIGNAL_NAMES = Signals.__struct_fields__
_KEPT_AS = {name: f"signal_{name}" for name in SIGNAL_NAMES}
_values = attrgetter(*SIGNAL_NAMES)
_NEUTRAL = _values(Signals())


def signals_from(numbers: Mapping[str, Any]) -> Signals:
    """Return the signals that were kept with a decision; what was not kept is neutral."""
    found = {name: numbers[kept_as] for name, kept_as in _KEPT_AS.items() if numbers.get(kept_as) is not None}
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
    ("basket_unknown", 0),  # what the chance would have said on average where nobody asked for it
    ("due", 1),
    ("distance", -1),
)
PUSH = (
    ("push_stranger", 1),
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


# Before anything was learned: a stranger buys in STRANGER_BUYS of the cases, who buys nothing else in LOYAL_BUYS, and a
# message adds its depth times the elasticity, and to a stranger that they hear of it. The distance follows Molitor et al.
# (about -3 % of response a kilometre); the rest are cautious guesses that the first thousand exposures overrule.
COLD = Model(
    version=0,
    weights=(
        math.log(STRANGER_BUYS / (1.0 - STRANGER_BUYS)),
        *(0.5, 0.3, 1.0, 1.0, 0.0, 0.5, -0.03),
        *(BEING_TOLD, 1.0, 0.5, -0.03, 0.0, -0.1),
    ),
)


def base_row(signals: Signals) -> tuple[float, ...]:
    """Return the columns of buying anyway."""
    share, chance = _share(signals.affinity_share), signals.basket_chance
    ratio = signals.due_ratio
    buys = STRANGER_BUYS + (LOYAL_BUYS - STRANGER_BUYS) * share
    return (
        1.0,
        _above_neutral(signals.personal_rate),
        _above_neutral(signals.offer_rate),
        _log_odds(buys) - _STRANGER,
        0.0 if chance is None else _share(chance),
        1.0 if chance is None else 0.0,
        0.0 if ratio == 1.0 else math.log(min(MAX_DUE_RATIO, max(1.0 / MAX_DUE_RATIO, ratio))),
        _kilometres(signals),
    )


def push_row(signals: Signals) -> tuple[float, ...]:
    """Return the columns of what the push adds."""
    depth = _share(signals.depth)
    hours = min(MAX_HOURS, max(0.0, signals.hours_left))
    return (
        1.0 - _share(signals.affinity_share),
        min(MAX_LIFT, max(0.0, signals.elasticity) * depth),
        depth * (_share(signals.discount_share) - USUAL_DISCOUNT_SHARE),
        _kilometres(signals),
        1.0 / (1.0 + hours),
        math.log1p(max(0.0, signals.ignored)),
    )


def response(signals: Signals, model: Model) -> tuple[float, float]:
    """Return (q1, q0): the chance of a purchase with the push and without, 0..1. A push never makes one less likely.

    >>> q1, q0 = response(Signals(depth=0.3, elasticity=2.5), COLD)
    >>> round(q1, 2), round(q0, 2)
    (0.12, 0.02)
    """
    anyway = sum(map(mul, model.weights, base_row(signals)))
    added = max(0.0, sum(map(mul, model.weights[len(BASE) :], push_row(signals))))
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


# Comparisons instead of min and max: these run some ten times a candidate.
def _share(value: float) -> float:
    return 0.0 if value <= 0.0 else 1.0 if value >= 1.0 else value


def _kilometres(signals: Signals) -> float:
    km = signals.distance_km
    return 0.0 if km <= 0.0 else km if km < MAX_DISTANCE_KM else MAX_DISTANCE_KM


def _log_odds(rate: float) -> float:
    kept = min(MAX_RATE, max(MIN_RATE, rate))
    return math.log(kept / (1.0 - kept))


_NEUTRAL_RATE, _STRANGER = _log_odds(RATE_PRIOR), _log_odds(STRANGER_BUYS)


def _above_neutral(rate: float) -> float:
    return 0.0 if rate == RATE_PRIOR else _log_odds(rate) - _NEUTRAL_RATE


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(30.0, max(-30.0, logit))))
