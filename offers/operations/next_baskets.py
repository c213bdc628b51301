"""Everybody's next basket, told from the purchases of those who allow it; docs/algorithms/next-basket.md.

A panel of customers teaches the model; then all customers are ranked block by block, by several processes where that is asked for.
Memory depends on the panel, on the number of products and on the processes, not on the number of customers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from customers.operations.retention import in_batches
from offers import locks
from offers.operations.in_processes import summed_by_processes
from offers.operations.next_basket_rows import Period, read_allowed, read_lines, write_ranked
from offers.operations.sensitive import mark_sensitive_lines
from offers.rules.next_basket.histories import Histories, Ints, histories_of_days
from offers.rules.next_basket.panel import panel_of
from offers.rules.next_basket.ranking import Ranker, examples_of, learned, rank

PANEL = 20_000  # customers who teach
PRODUCTS = 20_000  # the most bought ones: others are never told
KEPT = 20  # products of each customer
BLOCK = 100  # customers ranked and written at a time
DAYS = 365  # of purchases that count
BASKETS = 50  # of each customer, the newest
READ = 1_000  # customers whose purchases are read at a time
MIN_BUYERS = 3  # of the panel: a product of fewer is not told to anybody
SEED = 1  # the same purchases give the same ranking

_REMOVE = """
    DELETE FROM offers_nextbasket
     WHERE id IN (SELECT id FROM offers_nextbasket WHERE computed_at < %s ORDER BY computed_at LIMIT %s)
"""


class AlreadyTelling(Exception):
    """Another run tells the next baskets: both together would need twice the memory, and tell the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    customers: int  # with a next basket now
    removed: int  # whose next basket is no longer told: no purchases, no consent
    panel: int  # customers who taught
    products: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """What is needed to tell anybody's next basket; each process has its own."""

    ranker: Ranker
    gtins: list[str]
    chosen: Ints  # the panel's customers
    period: Period

    def __call__(self, ids: Ints) -> int:
        """Write the next baskets of these customers; return how many have one."""
        lines = read_lines(ids, period=self.period)
        numbers = {gtin: number for number, gtin in enumerate(self.gtins)}
        histories = histories_of_days(
            customer=lines.customer,
            day=lines.day,
            product=np.array([numbers.get(gtin, -1) for gtin in lines.gtin], dtype=np.int64),
            customers=len(ids),
            products=len(self.gtins),
            most=BASKETS,
        )
        told = 0
        for first in range(0, len(ids), BLOCK):
            of_block = ids[first : first + BLOCK]
            block = histories.block(first, first + len(of_block))
            ranked = rank(self.ranker, block, own=_own_rows(of_block, chosen=self.chosen), count=KEPT)
            told += write_ranked(ranked, ids=of_block, gtins=self.gtins, now=self.period.now)
        return told


def refresh_next_baskets(*, now: datetime, panel: int = PANEL, processes: int = 1) -> Refreshed:
    """Write everybody's next basket anew, each block in a transaction of its own.

    Only who allows profiling is read and told. Sensitive goods, as the catalogue has them now, neither teach nor are told.
    Where nothing can be learned (too few customers with two baskets), nobody has a next basket. processes: who rank, with a
    connection each, where there are thousands of customers; 1 is this one. Raises AlreadyTelling while another run does,
    and ProcessFailed: what was written until then stands, and so do all other rows. Must not run inside a transaction.
    """
    with locks.only_teller_of_next_baskets() as is_only:
        if not is_only:
            raise AlreadyTelling("another run tells the next baskets; this one did nothing")
        return _refreshed(now=now, panel=panel, processes=processes)


def _refreshed(*, now: datetime, panel: int, processes: int) -> Refreshed:
    mark_sensitive_lines()
    period = Period(since=now - timedelta(days=DAYS), now=now)
    everybody = read_allowed(period)
    chosen = np.sort(np.random.default_rng(SEED).permutation(everybody)[:panel])
    gtins, histories = _panel_histories(chosen, period=period)
    ranker = _learned(histories)
    told = 0
    if ranker is not None:
        tell = Teller(ranker=ranker, gtins=gtins, chosen=chosen, period=period)
        parts = [everybody[start : start + READ] for start in range(0, len(everybody), READ)]
        many = min(processes, len(parts))
        told = sum(map(tell, parts)) if many == 1 else summed_by_processes(tell, parts, processes=many)
    removed = in_batches(_REMOVE, [now])
    return Refreshed(customers=told, removed=removed, panel=len(chosen), products=len(gtins))


def _learned(histories: Histories) -> Ranker | None:
    try:
        network = learned(examples_of(histories, seed=SEED), seed=SEED)
    except ValueError:
        return None
    return Ranker(panel=panel_of(histories), network=network)


def _panel_histories(chosen: Ints, *, period: Period) -> tuple[list[str], Histories]:
    """Return the products that are told, and the panel's histories of them."""
    seen: dict[str, int] = {}  # each product's number, in the order in which they come
    parts = [np.zeros((3, 0), dtype=np.int64)]
    for start in range(0, len(chosen), READ):
        lines = read_lines(chosen[start : start + READ], period=period)
        product = np.array([seen.setdefault(gtin, len(seen)) for gtin in lines.gtin], dtype=np.int64)
        parts.append(np.stack([lines.customer + start, lines.day, product]))
    customer, day, product = np.concatenate(parts, axis=1)
    named = partial(histories_of_days, customer=customer, day=day, customers=len(chosen), most=BASKETS)
    everything = named(product=product, products=len(seen))
    buyers = np.diff(everything.counts().tocsc().indptr)
    names = list(seen)
    common = sorted(np.flatnonzero(buyers >= MIN_BUYERS), key=lambda one: (-buyers[one], names[one]))
    gtins = sorted(names[one] for one in common[:PRODUCTS])
    numbers = np.full(len(seen), -1, dtype=np.int64)
    numbers[[seen[gtin] for gtin in gtins]] = np.arange(len(gtins))
    return gtins, named(product=numbers[product], products=len(gtins))


def _own_rows(ids: Ints, *, chosen: Ints) -> Ints:
    """Return each customer's row in the panel; −1 for those outside."""
    if not len(chosen):
        return np.full(len(ids), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(chosen, ids), len(chosen) - 1)
    return np.where(chosen[place] == ids, place, -1)
