"""The whole way: learn from a panel's own last baskets, then rank products for anybody."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from offers.rules.next_basket.features import (
    CUSTOMER,
    NAMES,
    OWN,
    PRODUCT,
    SEQUENCE,
    SIMILAR,
    Candidates,
    candidates_of,
)
from offers.rules.next_basket.histories import Floats, Histories, Ints
from offers.rules.next_basket.network import EPOCHS, Network, averaged, train
from offers.rules.next_basket.panel import Panel, panel_of

BLOCK = 100  # customers whose scores and neighbours' purchases stand in memory together
NETWORKS = 3  # of different beginnings, averaged: chance evens out
KEPT_NEGATIVES = 0.25  # of the candidates that were not bought; each then counts four times
# What the parts of a score are called, and the features whose absence takes each part away.
PARTS = {"own": OWN, "alike": SIMILAR, "together": SEQUENCE, "popular": PRODUCT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Candidates at the time of the panel's last baskets, and whether these held them."""

    features: NDArray[np.float32]
    targets: NDArray[np.float32]  # 1 bought, 0 not
    sizes: NDArray[np.float32]  # of the basket that was to be told
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranker:
    panel: Panel
    network: Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The first products of each customer, best first; fewer than asked for where there are fewer candidates."""

    customer: Ints  # of the block; sorted
    product: Ints
    chance: Floats  # that the next basket holds it
    parts: dict[str, Floats]  # log-odds that each kind of evidence adds


def examples_of(histories: Histories, *, seed: int) -> Examples:
    """Return what the customers' last baskets teach, told from the baskets before them.

    Nothing of a last basket is seen by its features: the panel is made anew without all of them.
    """
    before = histories.without_last()
    panel = panel_of(before)
    last = histories.last()
    sizes = np.asarray(last.sum(axis=1)).ravel()
    chance = np.random.default_rng(seed)
    kept: list[tuple[NDArray[np.float32], ...]] = []
    for start in range(0, histories.customers, BLOCK):
        stop = min(start + BLOCK, histories.customers)
        found = candidates_of(panel, before.block(start, stop), own=np.arange(start, stop))
        bought = last[start:stop].toarray()[found.customer, found.product] > 0
        is_told = before.baskets[found.customer + start] > 0  # of nobody without a past can anything be told
        stays = is_told & (bought | (chance.random(len(bought)) < KEPT_NEGATIVES))
        bought = bought[stays]
        kept.append(
            (
                found.features[stays],
                bought.astype(np.float32),
                sizes[found.customer[stays] + start].astype(np.float32),
                np.where(bought, 1.0, 1.0 / KEPT_NEGATIVES).astype(np.float32),
            )
        )
    features, targets, of_sizes, weights = (np.concatenate(column) for column in zip(*kept, strict=True))
    return Examples(features=features, targets=targets, sizes=of_sizes, weights=weights)


def learned(examples: Examples, *, seed: int, epochs: int = EPOCHS, by_size: float = 0.0) -> Network:
    """Return the network that these examples teach.

    by_size: a product of a basket of n counts as 1/n^by_size. 0 tells chances; above it the ranking serves measures that
    count shares of baskets, in which a small basket's product is worth more, and the result is no chance.
    Raises ValueError without any example of both kinds.
    """
    if not 0.0 < examples.targets.sum() < len(examples.targets):
        raise ValueError("nothing can be learned: there are too few customers with two baskets or more")
    targets = (examples.targets / np.maximum(examples.sizes, 1.0) ** by_size).astype(np.float32)
    return averaged(
        [
            train(examples.features, targets, examples.weights, seed=seed + number, epochs=epochs)
            for number in range(NETWORKS)
        ]
    )


def rank(ranker: Ranker, block: Histories, *, own: Ints, count: int) -> Ranked:
    """Return the block's customers' first `count` products with their chances and parts.

    own: each customer's row in the panel, −1 for those outside. A customer without a basket gets none.
    """
    found = candidates_of(ranker.panel, block, own=own)
    logits = ranker.network.logits(found.features).astype(np.float64)
    logits[block.baskets[found.customer] == 0] = -np.inf
    chosen = first(found, logits, count=count)
    chosen = chosen[np.isfinite(logits[chosen])]
    features = found.features[chosen]
    without = partial(_without, ranker.network, features, logits[chosen])
    return Ranked(
        customer=found.customer[chosen],
        product=found.product[chosen],
        chance=1.0 / (1.0 + np.exp(-logits[chosen])),
        parts={part: without(names) for part, names in PARTS.items()},
    )


def first(found: Candidates, logits: Floats, *, count: int) -> Ints:
    """Return the places of each customer's `count` highest candidates, by customer and then best first."""
    order = np.lexsort((found.product, -logits, found.customer))
    begins = np.searchsorted(found.customer[order], np.arange(found.customers))
    place = np.arange(len(order)) - begins[found.customer[order]]
    return order[place < count]


def _without(
    network: Network, features: NDArray[np.float32], logits: Floats, names: tuple[str, ...]
) -> Floats:
    """Return by how much the log-odds fall where this evidence is missing (a product's own: where it is ordinary)."""
    inputs = network.scaling.of(features)
    absent = network.scaling.of(np.zeros((1, features.shape[1]), dtype=np.float32))[0]
    for name in names:
        column = NAMES.index(name)
        inputs[:, column] = 0.0 if name in PRODUCT + CUSTOMER else absent[column]
    return logits - network.logits_of(inputs)
