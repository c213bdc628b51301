"""What is learned from a panel of customers: who is alike, what goes together, what is bought and bought again."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from offers.rules.next_basket.histories import Floats, Histories, Ints

DECAY = 0.8  # of each older basket
SHRINK = 10.0  # pulls similarities that rest on few products towards 0
TOGETHER = 200  # products kept beside each product
ROWS = 250  # products whose companions are counted at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Customers whose baskets speak for all, and what is counted once over them. Products are columns."""

    buyers: sp.csr_matrix  # products × customers: 1 where bought at all
    decayed: sp.csr_matrix  # customers × products
    size_roots: NDArray[np.float32]  # of each customer's distinct products: their number to the power of 1/2
    size_quarters: NDArray[np.float32]  # and of 1/4, at least 1
    rare_norms: NDArray[np.float32]  # length of each customer's products, each as long as it is rare
    together: sp.csr_matrix  # products × products: had by the same customers, as a cosine
    follows: sp.csr_matrix  # products × products: in the basket after the row's product
    rarity: Floats  # log(customers / buyers)
    popularity: Floats  # share of the most popular product's baskets
    recent: Floats  # in how many last baskets
    trend: Floats  # last baskets per buyer
    repeated: Floats  # share of the buyers who had it twice
    again: Floats  # share of its baskets that the next basket repeats


def panel_of(histories: Histories) -> Panel:
    """Return what these customers tell. Memory grows with their entries, and by 200 companions a product."""
    counts = histories.counts()
    held = (counts > 0).astype(np.float64)
    buyers = _columns(held)
    bought = _columns(counts)
    recent = _columns(histories.last())
    rarity = np.log(max(1, histories.customers) / np.maximum(buyers, 1.0))
    sizes = _rows(held)
    follows, again = _transitions(histories)
    near = sp.diags(1.0 / np.sqrt(buyers + SHRINK))
    return Panel(
        buyers=held.astype(np.float32).T.tocsr(),
        decayed=histories.decayed(DECAY).astype(np.float32),
        size_roots=np.sqrt(sizes).astype(np.float32),
        size_quarters=(np.maximum(sizes, 1.0) ** 0.25).astype(np.float32),
        rare_norms=np.sqrt(held @ rarity**2).astype(np.float32),
        together=_companions((held @ near).tocsc()),
        follows=follows,
        rarity=rarity,
        popularity=bought / max(1.0, bought.max(initial=0.0)),
        recent=recent,
        trend=(recent + 1.0) / (buyers + 5.0),
        repeated=(_columns((counts > 1).astype(np.float64)) + 0.5) / (buyers + 5.0),
        again=again,
    )


def _companions(columns: sp.csc_matrix) -> sp.csr_matrix:
    """Return, of each product, the products that share most customers with it, and how much."""
    transposed = columns.T.tocsr()
    blocks = []
    for start in range(0, transposed.shape[0], ROWS):
        block = (transposed[start : start + ROWS] @ columns).tocoo()
        other = block.col != block.row + start
        shape = block.shape
        found = sp.csr_matrix((block.data[other], (block.row[other], block.col[other])), shape=shape)
        blocks.append(_highest(found, TOGETHER).astype(np.float32))
    return sp.vstack(blocks, format="csr") if blocks else sp.csr_matrix((0, 0), dtype=np.float32)


def _transitions(histories: Histories) -> tuple[sp.csr_matrix, Floats]:
    """Return how often each product follows each other one in the next basket, and how often it follows itself.

    A large basket says less of each of its products, so its word is divided by the root of its size.
    """
    ends = np.cumsum(histories.baskets)
    number = ends[histories.customer] - 1 - histories.age  # of the entry's basket, over all
    total = int(ends[-1]) if len(ends) else 0
    shape = (total, histories.products)
    baskets = sp.csr_matrix((np.ones(len(number)), (number, histories.product)), shape=shape)
    is_last = np.zeros(total, dtype=bool)
    is_last[ends[histories.baskets > 0] - 1] = True
    before = np.flatnonzero(~is_last)
    earlier, later = baskets[before], baskets[before + 1]
    seen = _columns(earlier)
    again = (_columns(earlier.multiply(later)) + 0.2) / (seen + 5.0)
    weighed = (sp.diags(1.0 / np.sqrt(np.maximum(_rows(earlier), 1.0))) @ earlier).T.tocsr()
    scale = 1.0 / (seen + 5.0)
    blocks = [
        _highest(
            (sp.diags(scale[start : start + ROWS]) @ weighed[start : start + ROWS] @ later).tocsr(), TOGETHER
        )
        for start in range(0, histories.products, ROWS)
    ]
    follows = sp.vstack(blocks, format="csr") if blocks else sp.csr_matrix((0, 0))
    return follows.astype(np.float32), again


def _highest(matrix: sp.csr_matrix, count: int) -> sp.csr_matrix:
    """Return the matrix with the `count` highest entries of each row."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, rows))
    place = np.arange(len(order)) - matrix.indptr[rows[order]]
    kept = order[place < count]
    return sp.csr_matrix((matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape)


def without_self(similarities: NDArray[np.float32], *, own: Ints) -> NDArray[np.float32]:
    """Return the similarities without those of customers with themselves. own: the panel's row, or −1."""
    inside = np.flatnonzero(own >= 0)
    similarities[inside, own[inside]] = 0.0
    return similarities


def _columns(matrix: sp.csr_matrix) -> Floats:
    return np.asarray(matrix.sum(axis=0), dtype=np.float64).ravel()


def _rows(matrix: sp.csr_matrix) -> Floats:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
