"""The methods to be ahead of, each with the settings of its paper; scores are customers × products.

G-, P- and GP-TopFreq; TIFU-KNN (Hu et al., SIGIR 2020); UP-CF@r (Faggioli et al., UMAP 2020); settings of Li et al. (TOIS 2023).
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from offers.rules.next_basket.highest import best
from offers.rules.next_basket.histories import Floats, Histories
from offers.rules.next_basket.panel import without_self

BLOCK = 400
# TIFU-KNN for Ta-Feng: neighbours, decay in a group and of groups, share of one's own, groups
TIFU = (300, 0.9, 0.7, 0.7, 7)
# UP-CF@r for Ta-Feng: recency, asymmetry, locality
UP_CF = (10, 0.75, 10)

Scores = NDArray[np.floating]


def ranked(name: str, histories: Histories, *, count: int) -> list[NDArray[np.int64]]:
    """Return the first products of each customer by one of the methods of METHODS; fewer where only own ones count."""
    popular = np.asarray(histories.counts().sum(axis=0)).ravel()
    prepared = METHODS[name][0](histories)
    found: list[NDArray[np.int64]] = []
    for start in range(0, histories.customers, BLOCK):
        stop = min(start + BLOCK, histories.customers)
        scores = METHODS[name][1](prepared, popular, start, stop)
        columns = best(scores, count)
        values = np.take_along_axis(scores, columns, axis=1)
        found += [own[score > 0] for own, score in zip(columns, values, strict=True)]
    return found


def _everybody(counts: sp.csr_matrix, popular: Floats, start: int, stop: int) -> Scores:
    return np.broadcast_to(popular, (stop - start, len(popular)))


def _personal(counts: sp.csr_matrix, popular: Floats, start: int, stop: int) -> Scores:
    return counts[start:stop].toarray()


def _personal_then_everybody(counts: sp.csr_matrix, popular: Floats, start: int, stop: int) -> Scores:
    """Equal counts keep the order of the products' numbers; only what was never bought is in order of popularity."""
    own = counts[start:stop].toarray()
    return np.where(own > 0, own + 1.0, popular / (popular.max(initial=0.0) + 1.0))


def tifu_vectors(histories: Histories) -> sp.csr_matrix:
    """Return each customer's decayed baskets: by `r_b` within groups, groups by `r_g`, both as means.

    Baskets are spread evenly over the groups; the newest groups take one more where they do not come out even.
    """
    _, within, between, _, most = TIFU
    baskets = histories.baskets[histories.customer]
    groups = np.minimum(most, np.maximum(baskets, 1))
    small, larger = baskets // groups, baskets % groups  # baskets of a group; groups with one more
    in_larger = histories.age < larger * (small + 1)
    behind = histories.age - larger * (small + 1)
    group = np.where(in_larger, histories.age // (small + 1), larger + behind // np.maximum(small, 1))
    place = np.where(in_larger, histories.age % (small + 1), behind % np.maximum(small, 1))  # 0: the newest
    size = small + in_larger
    values = within**place * between**group / size / groups
    return histories.matrix(values)


def _tifu(vectors: sp.csr_matrix, popular: Floats, start: int, stop: int) -> Scores:
    neighbours, _, _, share, _ = TIFU
    own = vectors[start:stop]
    lengths = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    squared = lengths[start:stop, None] + lengths[None, :] - 2.0 * (own @ vectors.T).toarray()
    squared[np.arange(stop - start), np.arange(start, stop)] = np.inf
    near = np.argsort(squared, axis=1, kind="stable")[:, :neighbours]
    rows = np.repeat(np.arange(stop - start), near.shape[1])
    shape = (stop - start, vectors.shape[0])
    mean = sp.csr_matrix((np.full(near.size, 1.0 / max(1, near.shape[1])), (rows, near.ravel())), shape=shape)
    return (share * own + (1.0 - share) * (mean @ vectors)).toarray()


def _up_cf_prepared(histories: Histories) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Return what each customer ever had, and the share of their last r baskets that held each product."""
    recency = UP_CF[0]
    held = (histories.counts() > 0).astype(np.float64)
    window = np.minimum(recency, np.maximum(histories.baskets, 1))[histories.customer]
    return held, histories.matrix((histories.age < recency) / window)


def _up_cf(prepared: tuple[sp.csr_matrix, sp.csr_matrix], popular: Floats, start: int, stop: int) -> Scores:
    _, asymmetry, locality = UP_CF
    held, recent = prepared
    sizes = np.maximum(np.asarray(held.sum(axis=1)).ravel(), 1.0)
    shared = (held[start:stop] @ held.T).toarray()
    alike = shared / (sizes[start:stop, None] ** asymmetry * sizes[None, :] ** (1.0 - asymmetry))
    alike = without_self(alike, own=np.arange(start, stop))
    alike[np.arange(stop - start), np.arange(start, stop)] = 1.0  # everybody is like themselves
    return (sp.csr_matrix(alike**locality) @ recent).toarray()


METHODS = {
    "g-topfreq": (Histories.counts, _everybody),
    "p-topfreq": (Histories.counts, _personal),
    "gp-topfreq": (Histories.counts, _personal_then_everybody),
    "tifu-knn": (tifu_vectors, _tifu),
    "up-cf@r": (_up_cf_prepared, _up_cf),
}
