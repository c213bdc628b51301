"""How good a ranking was: recall, NDCG and hits in the first k (Li et al., TOIS 2023)."""

from collections.abc import Sequence

import numpy as np

from offers.rules.next_basket.histories import Floats, Ints

CUTS = (10, 20)


def measured(ranked: Sequence[Ints], truths: Sequence[Sequence[int]]) -> dict[str, float]:
    """Return the means over customers with a basket to be told: recall@k, ndcg@k, phr@k for k of 10 and 20.

    ranked: product numbers, best first; truths: the products of the basket, whatever is not known among them included.
    recall is over the whole basket; the ideal of NDCG is, too, also where the basket is larger than k.
    """
    rows = [_one(own, truth) for own, truth in zip(ranked, truths, strict=True) if len(truth)]
    means = np.mean(rows, axis=0) if rows else np.zeros(len(CUTS) * 3)
    names = [f"{measure}@{cut}" for cut in CUTS for measure in ("recall", "ndcg", "phr")]
    return dict(zip(names, map(float, means), strict=True))


def per_customer(ranked: Sequence[Ints], truths: Sequence[Sequence[int]], *, cut: int) -> Floats:
    """Return each customer's recall in the first `cut`; 0 for an empty basket."""
    found = [
        len(set(own[:cut].tolist()) & set(truth)) / max(1, len(set(truth)))
        for own, truth in zip(ranked, truths, strict=True)
    ]
    return np.array(found)


def _one(ranked: Ints, truth: Sequence[int]) -> list[float]:
    basket = set(truth)
    hits = np.array([product in basket for product in ranked[: max(CUTS)].tolist()], dtype=float)
    discounts = 1.0 / np.log2(np.arange(2, 2 + max(len(basket), len(hits))))
    ideal = discounts[: len(basket)].sum()
    row: list[float] = []
    for cut in CUTS:
        own = hits[:cut]
        row += [own.sum() / len(basket), (own * discounts[: len(own)]).sum() / ideal, float(own.any())]
    return row
