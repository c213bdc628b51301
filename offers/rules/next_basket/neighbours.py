"""Which customers of the panel are like a customer, seen in three ways, and what they buy.

Customer after customer, each with a few passes over the panel that stay in the processor's cache; what the neighbours buy is then added
up for a whole block at once.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from offers.rules.next_basket.highest import bar_below
from offers.rules.next_basket.histories import Ints
from offers.rules.next_basket.panel import SHRINK, Panel

Singles = NDArray[np.float32]

# The views: cosine with shrinkage; the same over rarity; |own ∩ other| / (|own|^.75 |other|^.25), to the fifth.
VIEWS = ("neighbours", "rare_neighbours", "close_neighbours")
COUNTS = (800, 300, 300)  # neighbours of each view
ASYMMETRY = 0.75
_CLOSE = VIEWS.index("close_neighbours")
_LEAST = float(np.finfo(np.float32).tiny)  # whoever shares nothing is nobody's neighbour


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Pairs of a customer of a block and a customer of the panel, sorted by the first."""

    customer: Ints
    member: Ints  # the panel's row
    weights: (
        Singles  # pairs × VIEWS; each view's weights of a customer add up to 1, or to 0 where there is nobody
    )


def neighbours_of(panel: Panel, held: sp.csr_matrix, *, own: Ints) -> Neighbours:
    """Return the neighbours of the customers of `held` (customers × products, what they ever bought).

    own: the panel's row of each customer, −1 for those outside; nobody is their own neighbour.
    """
    members: list[Ints] = []
    weights: list[Singles] = []
    for number in range(held.shape[0]):
        products = held.indices[held.indptr[number] : held.indptr[number + 1]]
        similar = _similarities(panel, products)
        if own[number] >= 0:
            similar[:, own[number]] = 0.0
        near, shares = nearest(similar)
        members.append(near)
        weights.append(shares)
    sizes = [len(one) for one in members]
    return Neighbours(
        customer=np.repeat(np.arange(held.shape[0]), sizes),
        member=np.concatenate([*members, np.zeros(0, dtype=np.int64)]),
        weights=np.concatenate([*weights, np.zeros((0, len(VIEWS)), dtype=np.float32)]),
    )


def _similarities(panel: Panel, products: Ints) -> Singles:
    """Return how near each customer of the panel is to one with these products, VIEWS × panel; the last before its power."""
    buyers = panel.buyers
    parts = [buyers.indices[buyers.indptr[one] : buyers.indptr[one + 1]] for one in products]
    found = np.zeros((len(VIEWS), buyers.shape[1]), dtype=np.float32)
    if not parts:
        return found
    members = np.concatenate(parts)
    squares = panel.rarity[products] ** 2
    shared = np.bincount(members, minlength=buyers.shape[1]).astype(np.float32)
    rare = np.bincount(
        members, weights=np.repeat(squares, [len(one) for one in parts]), minlength=buyers.shape[1]
    ).astype(np.float32)
    size = len(products)
    shrink = SHRINK * float(np.mean(panel.rarity)) ** 2
    np.divide(shared, panel.size_roots * np.float32(np.sqrt(size)) + np.float32(SHRINK), out=found[0])
    np.divide(rare, panel.rare_norms * np.float32(np.sqrt(squares.sum())) + np.float32(shrink), out=found[1])
    np.divide(shared, panel.size_quarters * np.float32(size**ASYMMETRY), out=found[_CLOSE])
    return found


def nearest(similar: Singles, *, counts: tuple[int, ...] = COUNTS) -> tuple[Ints, Singles]:
    """Return the neighbours in any view, rising, and their weights, neighbours × views. similar: views × panel, 0 or more.

    A view has at most its count of neighbours. Of those equal to the first that is left out, none stays: their order would
    be chance.
    """
    bars = [max(_LEAST, bar_below(one, count + 1)) for one, count in zip(similar, counts, strict=True)]
    members = _reaching(similar, bars)
    values = similar[:, members]
    reached = [np.count_nonzero(one >= bar) for one, bar in zip(values, bars, strict=True)]
    if any(
        one <= count and bar > _LEAST for one, count, bar in zip(reached, counts, bars, strict=True)
    ):  # a guess was too high
        members = _reaching(similar, [_LEAST] * len(bars))
        values = similar[:, members]
    if len(counts) > _CLOSE:
        values[_CLOSE] *= np.square(np.square(values[_CLOSE]))  # to the fifth
    for one, count in zip(values, counts, strict=True):
        if len(one) > count:
            least = np.partition(one, len(one) - count - 1)[len(one) - count - 1]
            one[one <= least] = 0.0
        np.divide(one, max(float(one.sum()), 1e-12), out=one)
    is_kept = values.any(axis=0)
    return members[is_kept], values[:, is_kept].T


def _reaching(similar: Singles, bars: list[float]) -> Ints:
    """Return which columns reach the bar in any row."""
    reach = similar[0] >= bars[0]
    for one, bar in zip(similar[1:], bars[1:], strict=True):
        reach |= one >= bar
    return np.flatnonzero(reach)


def added_up(matrix: sp.csr_matrix, *, rows: Ints, of: Ints, weights: Singles, customers: int) -> Singles:
    """Return customers × columns × kinds: what these rows hold, each weighed, added up for each customer.

    rows, of: a row of the matrix and the customer it counts for; weights: rows × kinds.
    """
    columns = matrix.shape[1]
    part = matrix[rows]
    # Side by side, each customer has columns of their own: one product does for all.
    offsets = (of * columns).astype(part.indices.dtype)
    shifted = part.indices + np.repeat(offsets, np.diff(part.indptr))
    shape = (len(rows), customers * columns)
    apart = sp.csr_matrix((part.data, shifted, part.indptr), shape=shape)
    return (apart.T @ weights).reshape(customers, columns, weights.shape[1])
