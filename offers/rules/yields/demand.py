"""Sales in a stretch of time at one price: a Poisson number of customers, of whom each takes a unit while there are any.

Arrays: D deals, M prices of each, stock 0..N.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
    mean: Floats  # (D, M, N + 1): units sold, by what is on the shelf

    def of(self, rows: slice) -> "Sales":
        """Return the sales of these deals alone."""
        return Sales(shares=self.shares[rows], more=self.more[rows], mean=self.mean[rows])

    @property
    def at_first_price(self) -> "Sales":
        return Sales(shares=self.shares[:, :1], more=self.more[:, :1], mean=self.mean[:, :1])


def sales(*, means: Floats, stock: int) -> Sales:
    """Return the sales of a stretch in which `means` (D, M) customers are expected, for shelves of up to `stock`.

    As many numbers of customers are told apart as have a chance above about 1e-12; never more than the shelf holds.
    """
    peak = float(means.max(initial=0.0))
    count = min(stock + 1, int(peak + 7.0 * np.sqrt(peak) + 7.0))
    numbers = np.arange(count)
    logs = xlogy(numbers, means[..., None]) - means[..., None] - gammaln(numbers + 1.0)
    shares = np.exp(logs)
    above = np.clip(1.0 - np.cumsum(shares, axis=-1), 0.0, 1.0)  # P(customers > j)
    mean = np.zeros((*means.shape, stock + 1))
    # what lies beyond the last number told apart empties the shelf: its survival goes on as it is
    reach = above[..., np.minimum(np.arange(stock), count - 1)]
    np.cumsum(reach, axis=-1, out=mean[..., 1:])
    return Sales(shares=shares, more=above[..., -1], mean=mean)


def value_after(*, sold: Sales, prices: Floats, values: Floats) -> Floats:
    """Return (D, N + 1, M): what a shelf is worth before the stretch, at each price, given `values` (D, N + 1) after it."""
    count = sold.shares.shape[-1]
    deals, shelf = values.shape
    empty = np.broadcast_to(values[:, :1], (deals, count - 1))
    windows = sliding_window_view(np.concatenate([empty, values], axis=1), count, axis=1)
    worth = windows @ sold.shares[..., ::-1].transpose(0, 2, 1)
    worth += (sold.more * values[:, :1])[:, None, :]
    worth += (prices[..., None] * sold.mean).transpose(0, 2, 1)
    return worth.reshape(deals, shelf, prices.shape[1])


def stock_after(*, sold: Sales, chosen: Ints, chances: Floats) -> Floats:
    """Return (D, N + 1): the chances of each stock after the stretch.

    chosen: (D, N + 1), the index of the price at each stock; chances: (D, N + 1), before the stretch.
    """
    deals, shelf = chances.shape
    after = np.zeros_like(chances)
    for price in range(sold.shares.shape[1]):
        at_price = np.where(chosen == price, chances, 0.0)
        if at_price.any():
            count = sold.shares.shape[2]
            padded = np.concatenate([at_price, np.zeros((deals, count - 1))], axis=1)
            windows = sliding_window_view(padded, count, axis=1)
            after += (windows @ sold.shares[:, price, :, None]).reshape(deals, shelf)
    after[:, 0] = 0.0
    after[:, 0] = np.clip(1.0 - after.sum(axis=1), 0.0, 1.0)
    return after
