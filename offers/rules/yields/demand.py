"""Sales in a stretch of time at one price: a Poisson number of customers, of whom each takes a unit while there are any.

Arrays: D deals, M prices of each, stock 0..N.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sales:
    """The numbers of customers in one stretch, per deal and price."""

    shares: Floats  # (D, M, J): of exactly j customers
    more: Floats  # (D, M): of J or more, who empty every shelf of up to N
    earned: Floats  # (D, M, N + 1): minor units taken, by what is on the shelf

    def of(self, rows: slice) -> "Sales":
        """Return the sales of these deals alone."""
        return Sales(shares=self.shares[rows], more=self.more[rows], earned=self.earned[rows])


def sales(*, means: Floats, prices: Floats, stock: int) -> Sales:
    """Return the sales of a stretch in which `means` (D, M) customers are expected at `prices`, for shelves of up to `stock`.

    As many numbers of customers are told apart as have a chance above about 1e-12; never more than the shelf holds.
    """
    peak = float(means.max(initial=0.0))
    count = min(stock + 1, int(peak + 7.0 * np.sqrt(peak) + 7.0))
    numbers = np.arange(count)
    logs = xlogy(numbers, means[..., None]) - means[..., None] - gammaln(numbers + 1.0)
    shares = np.exp(logs)
    above = np.clip(1.0 - np.cumsum(shares, axis=-1), 0.0, 1.0)  # P(customers > j)
    sold = np.zeros((*means.shape, stock + 1))
    # what lies beyond the last number told apart empties the shelf: its survival goes on as it is
    reach = above[..., np.minimum(np.arange(stock), count - 1)]
    np.cumsum(reach, axis=-1, out=sold[..., 1:])
    return Sales(shares=shares, more=above[..., -1], earned=prices[..., None] * sold)


def value_after(*, sold: Sales, values: Floats) -> Floats:
    """Return (D, M, N + 1): what a shelf is worth before the stretch, at each price, given `values` (D, N + 1) after it."""
    count = sold.shares.shape[-1]
    deals, shelf = values.shape
    padded = np.empty((deals, count - 1 + shelf))
    padded[:, : count - 1] = values[:, :1]
    padded[:, count - 1 :] = values
    across, along = padded.strides
    # (D, J, N + 1): what is left behind by j customers; copied, as products of views that overlap are slow
    behind = np.ndarray(
        (deals, count, shelf), padded.dtype, padded, (count - 1) * along, (across, -along, along)
    ).copy()
    worth: Floats = np.matmul(sold.shares, behind)
    worth += (sold.more * values[:, :1])[..., None]
    worth += sold.earned
    return worth


def stock_after(*, sold: Sales, chosen: Ints, chances: Floats) -> Floats:
    """Return (D, N + 1): the chances of each stock after the stretch.

    chosen: (D, N + 1), the index of the price at each stock; chances: (D, N + 1), before the stretch.
    """
    deals, menu, count = sold.shares.shape
    shelf = chances.shape[1]
    at_price = chosen + menu * np.arange(deals)[:, None]
    ways = np.zeros((deals, shelf + count - 1, count))  # by the stock before, and the customers
    np.multiply(
        sold.shares.reshape(-1, count).take(at_price, axis=0), chances[..., None], out=ways[:, :shelf]
    )
    # one customer more, from one unit more: the same stock afterwards
    across, along, each = ways.strides
    meeting = np.ndarray((deals, shelf, count), ways.dtype, ways, 0, (across, along, along + each))
    after: Floats = meeting.sum(axis=2)
    after[:, 0] = 0.0
    after[:, 0] = np.clip(1.0 - after.sum(axis=1), 0.0, 1.0)
    return after
