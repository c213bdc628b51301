"""Which products a customer's next basket may hold, and what speaks for each of them."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from offers.rules.next_basket.highest import highest
from offers.rules.next_basket.histories import Histories, Ints
from offers.rules.next_basket.neighbours import VIEWS, added_up, neighbours_of
from offers.rules.next_basket.panel import DECAY, Panel

BY_BLEND, BY_SEQUENCE, BY_RARITY = 150, 40, 40  # candidates of each kind, beside the customer's own products
OTHERS_WEIGHT, POPULAR_WEIGHT = 6.0, 0.3  # of the blend

OWN = ("count", "share", "decayed", "recency")
SIMILAR = VIEWS
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
    Memory: about ten arrays of customers × products, and what a block's neighbours bought.
    """
    counts, decayed = block.counts(), block.decayed(DECAY).astype(np.float32)
    similar = _by_neighbours(panel, counts, own=own)
    spread = sp.diags(1.0 / np.maximum(_sum(decayed), 1e-9)) @ decayed
    together = _following(panel.together, spread)
    follows = _following(panel.follows, block.decayed(0.5))
    mine = decayed.toarray()
    blend = _blended(panel, mine, similar["neighbours"])
    times = counts.toarray()
    chosen = times > 0
    for scores, count in ((blend, BY_BLEND), (follows, BY_SEQUENCE), (similar["rare_neighbours"], BY_RARITY)):
        for row, values in enumerate(scores):
            chosen[row, highest(values, count)] = True
    customer, product = np.nonzero(chosen)
    of_pairs = customer * block.products + product
    recency = block.matrix(1.0 / (block.age + 1.0)).toarray()
    times = times.ravel()[of_pairs]
    baskets = np.maximum(block.baskets, 1)
    columns: dict[str, NDArray[np.floating]] = {
        "count": times,
        "share": times / baskets[customer],
        "decayed": mine.ravel()[of_pairs],
        "recency": recency.ravel()[of_pairs],
        **{name: scores[customer, product] for name, scores in similar.items()},
        "together": together[customer, product],
        "follows": follows[customer, product],
        **{name: getattr(panel, name)[product] for name in PRODUCT},
        **{name: values[customer] for name, values in _of_customers(panel, block, counts).items()},
    }
    features = np.stack([columns[name] for name in NAMES], axis=1, dtype=np.float32, casting="same_kind")
    return Candidates(customers=block.customers, customer=customer, product=product, features=features)


def blend(panel: Panel, block: Histories, *, own: Ints) -> NDArray[np.float32]:
    """Return the linear blend of own, neighbours' and everybody's purchases, customers × products; nothing is learned."""
    similar = _by_neighbours(panel, block.counts(), own=own)
    return _blended(panel, block.decayed(DECAY).astype(np.float32).toarray(), similar["neighbours"])


def _blended(panel: Panel, mine: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    return mine + np.float32(OTHERS_WEIGHT) * others + (POPULAR_WEIGHT * panel.popularity).astype(np.float32)


def _by_neighbours(panel: Panel, held: sp.csr_matrix, *, own: Ints) -> dict[str, NDArray[np.float32]]:
    """Return what customers like these buy in each view, each customers × products."""
    near = neighbours_of(panel, held, own=own)
    bought = added_up(
        panel.decayed, rows=near.member, of=near.customer, weights=near.weights, customers=held.shape[0]
    )
    return {name: bought[:, :, view] for view, name in enumerate(VIEWS)}


def _following(companions: sp.csr_matrix, had: sp.csr_matrix) -> NDArray[np.float32]:
    """Return what goes with the products that each customer had, customers × products."""
    weights = had.data.astype(np.float32)[:, None]
    of = np.repeat(np.arange(had.shape[0]), np.diff(had.indptr))
    return added_up(companions, rows=had.indices, of=of, weights=weights, customers=had.shape[0])[:, :, 0]


def _of_customers(panel: Panel, block: Histories, counts: sp.csr_matrix) -> dict[str, NDArray[np.floating]]:
    """Return what kind of shopper each customer is."""
    bought, distinct = _sum(counts), _sum(counts > 0)
    baskets = np.maximum(block.baskets, 1)
    buyers = np.log1p(np.diff(panel.buyers.indptr))
    return {
        "baskets": block.baskets.astype(np.float64),
        "basket_size": bought / baskets,
        "last_size": _sum(block.last()),
        "loyalty": (bought - distinct + 0.3) / (bought + 2.0),
        "mainstream": np.asarray((counts > 0) @ buyers).ravel() / np.maximum(distinct, 1.0),
    }


def _sum(matrix: sp.csr_matrix) -> NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
