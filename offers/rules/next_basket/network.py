"""A small neural network that says how probable a candidate is, from a row of features.

One hidden layer of tanh units, trained by Adam (Kingma & Ba 2015) on the cross-entropy; written out, since it is forty lines.
The same seed and data give the same network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

HIDDEN = 16
EPOCHS = 12
BATCH = 4_096  # rows of a step, and fewer where there are few: an epoch has at least STEPS steps
STEPS = 64
RATE = 0.015  # of the first step; falls to 0 in a straight line
WEIGHT_DECAY = 1e-5
FAR = 6.0  # standard deviations beyond which a feature says no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How raw features, 0 or more, become inputs: log(1 + x / unit), centred, in standard deviations."""

    unit: Array
    centre: Array
    spread: Array

    def of(self, features: Array) -> Array:
        """Return the inputs, rows × features."""
        logs = np.log1p(np.maximum(features, 0.0) / self.unit)
        return np.clip((logs - self.centre) / self.spread, -FAR, FAR).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    scaling: Scaling
    hidden_weights: Array  # features × hidden
    hidden_bias: Array
    weights: Array  # hidden
    bias: np.float32

    def logits(self, features: Array) -> Array:
        """Return the log-odds of each row."""
        return self.logits_of(self.scaling.of(features))

    def logits_of(self, inputs: Array) -> Array:
        """Return the log-odds of rows that were scaled before."""
        hidden = np.tanh(inputs @ self.hidden_weights + self.hidden_bias)
        return hidden @ self.weights + self.bias


def scaling_of(features: Array) -> Scaling:
    """Return the scaling under which these features spread evenly; the unit is the median of what is there, at most 1."""
    units = [float(np.median(column[column > 0])) if (column > 0).any() else 1.0 for column in features.T]
    unit = np.minimum(np.array(units, dtype=np.float32), np.float32(1.0))
    logs = np.log1p(np.maximum(features, 0.0) / unit)
    return Scaling(unit=unit, centre=logs.mean(axis=0), spread=logs.std(axis=0) + np.float32(1e-6))


def train(
    features: Array,
    targets: Array,
    weights: Array,
    *,
    seed: int,
    epochs: int = EPOCHS,
    hidden: int = HIDDEN,
) -> Network:
    """Return the network that tells targets (0..1, one a row) from features, each row counting by its weight."""
    chance = np.random.default_rng(seed)
    scaling = scaling_of(features)
    inputs = scaling.of(features)
    base = float(np.clip(np.average(targets, weights=weights), 1e-4, 1 - 1e-4))
    width = inputs.shape[1]
    parameters = [
        chance.normal(0.0, 1.0 / np.sqrt(width), (width, hidden)).astype(np.float32),
        np.zeros(hidden, dtype=np.float32),
        chance.normal(0.0, 1.0 / np.sqrt(hidden), hidden).astype(np.float32),
        np.array(np.log(base / (1.0 - base)), dtype=np.float32),
    ]
    means = [np.zeros_like(one) for one in parameters]
    squares = [np.zeros_like(one) for one in parameters]
    rows = len(targets)
    batch = max(1, min(BATCH, rows // STEPS))
    steps = epochs * (rows // batch)
    for step in range(steps):
        place = step % (rows // batch)
        if place == 0:
            order = chance.permutation(rows)
        chosen = order[place * batch : (place + 1) * batch]
        gradients = _gradients(parameters, inputs[chosen], targets[chosen], weights[chosen])
        rate = RATE * (1.0 - step / steps)
        for index, gradient in enumerate(gradients):
            full = gradient + WEIGHT_DECAY * parameters[index]
            means[index] = 0.9 * means[index] + 0.1 * full
            squares[index] = 0.999 * squares[index] + 0.001 * full * full
            mean = means[index] / (1.0 - 0.9 ** (step + 1))
            square = squares[index] / (1.0 - 0.999 ** (step + 1))
            parameters[index] = (parameters[index] - rate * mean / (np.sqrt(square) + 1e-8)).astype(
                np.float32
            )
    return Network(
        scaling=scaling,
        hidden_weights=parameters[0],
        hidden_bias=parameters[1],
        weights=parameters[2],
        bias=np.float32(parameters[3]),
    )


def averaged(networks: Sequence[Network]) -> Network:
    """Return the network whose log-odds are the mean of these networks' of one scaling: their hidden units side by side."""
    return Network(
        scaling=networks[0].scaling,
        hidden_weights=np.concatenate([one.hidden_weights for one in networks], axis=1),
        hidden_bias=np.concatenate([one.hidden_bias for one in networks]),
        weights=np.concatenate([one.weights / np.float32(len(networks)) for one in networks]),
        bias=np.float32(np.mean([one.bias for one in networks])),
    )


def _gradients(parameters: list[Array], inputs: Array, targets: Array, weights: Array) -> list[Array]:
    """Return the slope of the mean weighed cross-entropy along each parameter."""
    hidden = np.tanh(inputs @ parameters[0] + parameters[1])
    chances = 1.0 / (1.0 + np.exp(-np.clip(hidden @ parameters[2] + parameters[3], -30.0, 30.0)))
    error = ((chances - targets) * weights / len(targets)).astype(np.float32)
    back = np.outer(error, parameters[2]) * (1.0 - hidden * hidden)
    return [inputs.T @ back, back.sum(axis=0), hidden.T @ error, error.sum()]
