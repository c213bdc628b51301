"""How many messages are worth sending for the units there are, the cost of refusing somebody priced in.

One more message is worth sending while P(R >= S) <= m / (m + L): S units, R redemptions among the messages so far and
all else that takes units, m the margin that a redeemed unit adds, L what it costs to refuse the holder of a coupon. N* is
the most messages that are worth sending, one more than the largest N that passes; since R grows with N, that is found by
halving. docs/algorithms/yield.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtrc, betaln, gammaln, pdtr, pdtrc

from offers.rules.yields.demand import Flags, Floats, Ints

MOST = 1_000_000  # messages
MOST_UNITS = 1_000  # units told apart: more are as good as this many
CELLS = 400_000  # deals · units worked on at once


def critical_share(*, margin: float, refusal: float) -> float:
    """Return m / (m + L), the chance of running out up to which one more message pays; 0 without a margin."""
    return margin / (margin + refusal) if margin > 0 else 0.0


def binomial_worth(*, units: int, response: float, critical: float) -> int:
    """Return N* where each message is redeemed with the chance `response`, and nothing else takes units.

    >>> binomial_worth(units=20, response=0.05, critical=critical_share(margin=2, refusal=4))
    358
    """
    return 1 + _most(lambda sent: float(bdtrc(units - 1, sent, response)) * (sent >= units), at_most=critical)


def poisson_worth(*, units: int, organic: float, outstanding: float, response: float, critical: float) -> int:
    """Return N* where redemptions, what comes without a coupon and what is still out are Poisson together.

    >>> poisson_worth(units=20, organic=6, outstanding=4, response=0.05, critical=1 / 3)
    157
    """
    return 1 + _most(
        lambda sent: float(pdtrc(units - 1, organic + outstanding + sent * response)), at_most=critical
    )


def most_within(*, units: int, response: float, at_most: float) -> int:
    """Return the most messages that more than `units` redeem with a chance of `at_most`, cost left out of account."""
    return _most(lambda sent: float(bdtrc(units, sent, response)) * (sent > units), at_most=at_most)


def most_within_unsure(*, units: int, redeemed: float, ignored: float, at_most: float) -> int:
    """Return most_within for a response that is known as Beta(redeemed, ignored) only."""
    counts = np.arange(units + 1)

    def chance(sent: int) -> float:
        if sent <= units:
            return 0.0
        logs = gammaln(sent + 1.0) - gammaln(counts + 1.0) - gammaln(sent - counts + 1.0)
        logs += betaln(counts + redeemed, sent - counts + ignored) - betaln(redeemed, ignored)
        return 1.0 - float(np.exp(logs).sum())

    return _most(chance, at_most=at_most)


def _most(chance: Callable[[int], float], *, at_most: float) -> int:
    """Return the largest number of messages whose chance is `at_most`; −1 where even none is too many."""
    low, high = -1, MOST + 1
    while high - low > 1:
        middle = (low + high) // 2
        if chance(middle) <= at_most:
            low = middle
        else:
            high = middle
    return low


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """One deal's position, or many side by side as arrays."""

    units: Ints  # (D,), still on the shelf, those that coupons hold included
    organic: Floats  # (D,): units expected to be taken without any coupon
    outstanding: Floats  # (D,): redemptions expected of coupons that are out
    redeemed: Floats  # (D,): Beta's first number, messages that were redeemed, with the prior's
    ignored: Floats  # (D,): Beta's second, those that were not
    critical: Floats  # (D,): critical_share of each


def worth_sending(stock: Stock) -> Ints:
    """Return N* of each deal, 0 where none is: redemptions are Poisson for what comes anyway, beta-binomial for messages.

    What is not known of the response spreads the redemptions, and so shrinks the send.
    """
    found = np.zeros(stock.units.shape, dtype=np.int64)
    units = np.clip(stock.units, 0, MOST_UNITS)
    order = np.argsort(units, kind="stable")
    start = 0
    while start < len(order):
        wide = max(1, CELLS // max(1, int(units[order[min(start + 999, len(order) - 1)]])))
        rows = order[start : start + min(wide, 1000)]
        found[rows] = _worth_sending(stock, rows=rows, units=units[rows])
        start += len(rows)
    return found


def _worth_sending(stock: Stock, *, rows: Ints, units: Ints) -> Ints:
    wide = int(units.max(initial=0))
    taken = np.arange(wide)
    # P(organic and outstanding <= S − 1 − k) for k messages redeemed; 0 beyond the last unit
    room = units[:, None] - 1 - taken
    means = (stock.organic + stock.outstanding)[rows, None]
    fits = np.where(room >= 0, pdtr(np.maximum(room, 0), means), 0.0)
    critical = stock.critical[rows] + 1e-12
    alpha, beta = stock.redeemed[rows], stock.ignored[rows]

    def is_fine(sent: Ints) -> Flags:
        shares = _redeemed_shares(sent, alpha=alpha, beta=beta, wide=wide)
        runs_out: Floats = 1.0 - (shares * fits).sum(axis=1)
        return (runs_out <= critical) & (units > 0)

    return _most_fine(is_fine, guess=(units * (alpha + beta) / alpha).astype(np.int64)) + 1


def _redeemed_shares(sent: Ints, *, alpha: Floats, beta: Floats, wide: int) -> Floats:
    """Return (D, wide): the chances that 0, 1, … of `sent` messages are redeemed, beta-binomial; each from the one before.

    P(k) / P(k − 1) = (n − k + 1) · (α + k − 1) / (k · (β + n − k)).
    """
    logs = np.zeros((len(sent), wide))
    logs[:, :1] = (betaln(alpha, sent + beta) - betaln(alpha, beta))[:, None]
    taken = np.arange(1, wide)
    rest = sent[:, None] - taken
    ratios = (
        (rest + 1.0)
        * (alpha[:, None] + taken - 1.0)
        / (taken * np.maximum(beta[:, None] + rest, beta[:, None]))
    )
    np.log(np.maximum(ratios, np.finfo(np.float64).tiny), out=logs[:, 1:])
    np.cumsum(logs, axis=1, out=logs)
    shares: Floats = np.exp(logs)
    shares[:, 1:][rest < 0] = 0.0
    return shares


def _most_fine(is_fine: Callable[[Ints], Flags], *, guess: Ints) -> Ints:
    """Return the largest number of messages that is fine in each row, −1 where not even none is; all below it are, too.

    It is looked for around the guess, in steps that double, and then by halving.
    """
    low, high = np.full(guess.shape, -1, dtype=np.int64), np.full(guess.shape, MOST + 1, dtype=np.int64)
    tried, step = np.clip(guess, 0, MOST), np.maximum(guess // 8, 8)
    while np.any(high - low > 1):
        fine = is_fine(tried)
        low, high = np.where(fine, tried, low), np.where(fine, high, tried)
        near = np.where(fine, low + step, high - step)
        is_bracketed = (low >= 0) & (high <= MOST)
        tried = np.where(is_bracketed | (near <= low) | (near >= high), (low + high) // 2, near)
        step = step * 4
    return low
