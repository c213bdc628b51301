"""Which products a customer's next basket may hold, and what speaks for each of them."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from offers.rules.next_basket.histories import Histories, Ints, best
from offers.rules.next_basket.panel import DECAY, SHRINK, Panel, nearest, without_self

NEIGHBOURS = 800
RARE_NEIGHBOURS = 300
ASYMMETRY = 0.75  # of the third similarity: |own ∩ other| / (|own|^.75 |other|^.25)
LOCALITY = 5  # its power
BY_BLEND, BY_SEQUENCE, BY_RARITY = 150, 40, 40  # candidates of each kind, beside the customer's own products
OTHERS_WEIGHT, POPULAR_WEIGHT = 6.0, 0.3  # of the blend

OWN = ("count", "share", "decayed", "recency")
SIMILAR = ("neighbours", "rare_neighbours", "close_neighbours")
SEQUENCE = ("together", "follows")
PRODUCT = ("popularity", "recent", "trend", "repeated", "again")
CUSTOMER = ("baskets", "basket_size", "last_size", "loyalty", "mainstream")
NAMES = OWN + SIMILAR + SEQUENCE + PRODUCT + CUSTOMER


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Pairs of a customer of a block and a product, sorted by customer; one row of features for each."""

    customers: int  # in the block
    customer: Ints
    product: Ints
    features: NDArray[np.float32]  # pairs × NAMES


def candidates_of(panel: Panel, block: Histories, *, own: Ints) -> Candidates:
    """Return the candidates of the block's customers.

    own: the panel's row of each customer, −1 for those outside; nobody is their own neighbour.
    Memory: about ten arrays of customers × products, and one of customers × panel.
    """
    counts, decayed = block.counts(), block.decayed(DECAY).astype(np.float32)
    held = (counts > 0).astype(np.float32)
    shared = (held @ panel.held.T).toarray()
    sizes = np.maximum(_sum(held), 1.0)
    similar = _by_neighbours(panel, held, shared=shared, sizes=sizes, own=own)
    spread = sp.diags(1.0 / np.maximum(_sum(decayed), 1e-9)) @ decayed
    together = (spread @ panel.together).toarray()
    follows = (block.decayed(0.5).astype(np.float32) @ panel.follows).toarray()
    mine = decayed.toarray()
    blend = (
        mine + OTHERS_WEIGHT * similar["neighbours"] + (POPULAR_WEIGHT * panel.popularity).astype(np.float32)
    )
    chosen = held.toarray() > 0
    for scores, count in ((blend, BY_BLEND), (follows, BY_SEQUENCE), (similar["rare_neighbours"], BY_RARITY)):
        np.put_along_axis(chosen, best(scores, count), True, axis=1)
    customer, product = np.nonzero(chosen)
    times = counts.toarray()[customer, product]
    recency = block.matrix(1.0 / (block.age + 1.0)).toarray()
    baskets = np.maximum(block.baskets, 1)
    columns: dict[str, NDArray[np.floating]] = {
        "count": times,
        "share": times / baskets[customer],
        "decayed": mine[customer, product],
        "recency": recency[customer, product],
        **{name: scores[customer, product] for name, scores in similar.items()},
        "together": together[customer, product],
        "follows": follows[customer, product],
        **{name: getattr(panel, name)[product] for name in PRODUCT},
        **{name: values[customer] for name, values in _of_customers(panel, block, counts).items()},
    }
    features = np.stack([columns[name] for name in NAMES], axis=1).astype(np.float32)
    return Candidates(
        customers=block.customers,
        customer=customer.astype(np.int64),
        product=product.astype(np.int64),
        features=features,
    )


def blend(panel: Panel, block: Histories, *, own: Ints) -> NDArray[np.float32]:
    """Return the linear blend of own, neighbours' and everybody's purchases, customers × products; nothing is learned."""
    held = (block.counts() > 0).astype(np.float32)
    sizes = np.maximum(_sum(held), 1.0)
    shared = (held @ panel.held.T).toarray()
    others = (_cosine_neighbours(panel, shared, sizes=sizes, own=own) @ panel.decayed).toarray()
    popular = (POPULAR_WEIGHT * panel.popularity).astype(np.float32)
    return block.decayed(DECAY).astype(np.float32).toarray() + OTHERS_WEIGHT * others + popular


def _cosine_neighbours(
    panel: Panel, shared: NDArray[np.float32], *, sizes: NDArray[np.floating], own: Ints
) -> sp.csr_matrix:
    cosine = shared / (np.sqrt(np.outer(sizes, panel.sizes)) + SHRINK)
    return nearest(without_self(cosine.astype(np.float32), own=own), count=NEIGHBOURS)


def _by_neighbours(
    panel: Panel,
    held: sp.csr_matrix,
    *,
    shared: NDArray[np.float32],
    sizes: NDArray[np.floating],
    own: Ints,
) -> dict[str, NDArray[np.float32]]:
    """Return three views of what customers like these buy, each customers × products."""
    rare = (held @ sp.diags(panel.rarity.astype(np.float32))).tocsr()
    norms = np.sqrt(_sum(rare.multiply(rare)))
    shrink = SHRINK * float(np.mean(panel.rarity)) ** 2 if len(panel.rarity) else SHRINK
    by_rarity = (rare @ panel.rare.T).toarray() / (np.outer(norms, panel.rare_norms) + shrink)
    asymmetric = sizes[:, None] ** ASYMMETRY * np.maximum(panel.sizes, 1.0)[None, :] ** (1.0 - ASYMMETRY)
    close = (shared / asymmetric) ** LOCALITY
    views = {
        "neighbours": _cosine_neighbours(panel, shared, sizes=sizes, own=own),
        "rare_neighbours": _view(by_rarity, count=RARE_NEIGHBOURS, own=own),
        "close_neighbours": _view(close, count=RARE_NEIGHBOURS, own=own),
    }
    return {name: (weights @ panel.decayed).toarray() for name, weights in views.items()}


def _view(similarities: NDArray[np.floating], *, count: int, own: Ints) -> sp.csr_matrix:
    return nearest(without_self(similarities.astype(np.float32), own=own), count=count)


def _of_customers(panel: Panel, block: Histories, counts: sp.csr_matrix) -> dict[str, NDArray[np.floating]]:
    """Return what kind of shopper each customer is."""
    bought, distinct = _sum(counts), _sum(counts > 0)
    baskets = np.maximum(block.baskets, 1)
    buyers = np.log1p(np.asarray(panel.held.sum(axis=0)).ravel())
    return {
        "baskets": block.baskets.astype(np.float64),
        "basket_size": bought / baskets,
        "last_size": _sum(block.last()),
        "loyalty": (bought - distinct + 0.3) / (bought + 2.0),
        "mainstream": np.asarray((counts > 0) @ buyers).ravel() / np.maximum(distinct, 1.0),
    }


def _sum(matrix: sp.csr_matrix) -> NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
