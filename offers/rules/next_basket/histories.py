"""The baskets of many customers as arrays: one entry for each product of each basket."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True)
class Histories:
    """Each customer's baskets in time order; a product counts once a basket.

    Customers and products are numbers from 0. The entries are sorted by customer.
    """

    customers: int
    products: int
    customer: Ints  # of each entry
    product: Ints
    age: Ints  # baskets between the entry's and the customer's last one; 0: the last basket itself
    baskets: Ints  # of each customer; 0 or more

    def matrix(self, values: Floats) -> sp.csr_matrix:
        """Return customers × products, where entries of the same product add up."""
        shape = (self.customers, self.products)
        return sp.csr_matrix((values, (self.customer, self.product)), shape=shape)

    def counts(self) -> sp.csr_matrix:
        """Return in how many baskets each customer had each product."""
        return self.matrix(np.ones(len(self.customer)))

    def decayed(self, decay: float) -> sp.csr_matrix:
        """Return the same count, where each basket weighs `decay` times what the next one does."""
        return self.matrix(decay**self.age)

    def last(self) -> sp.csr_matrix:
        """Return the last baskets, 0 or 1."""
        return self.matrix((self.age == 0).astype(float))

    def without_last(self) -> "Histories":
        """Return what was known before each customer's last basket."""
        kept = self.age > 0
        return replace(
            self,
            customer=self.customer[kept],
            product=self.product[kept],
            age=self.age[kept] - 1,
            baskets=np.maximum(self.baskets - 1, 0),
        )

    def block(self, start: int, stop: int) -> "Histories":
        """Return customers [start, stop), numbered from 0."""
        first, end = np.searchsorted(self.customer, (start, stop))
        return replace(
            self,
            customers=stop - start,
            customer=self.customer[first:end] - start,
            product=self.product[first:end],
            age=self.age[first:end],
            baskets=self.baskets[start:stop],
        )


def histories_of(baskets: Sequence[Sequence[Sequence[int]]], *, products: int) -> Histories:
    """Return the histories of customers given as lists of baskets, oldest first, of product numbers below `products`.

    A product that stands twice in one basket counts once.
    """
    entries = [
        (number, product, len(own) - 1 - place)
        for number, own in enumerate(baskets)
        for place, basket in enumerate(own)
        for product in dict.fromkeys(basket)
    ]
    columns = np.array(entries, dtype=np.int64).reshape(-1, 3)
    return Histories(
        customers=len(baskets),
        products=products,
        customer=columns[:, 0].copy(),
        product=columns[:, 1].copy(),
        age=columns[:, 2].copy(),
        baskets=np.array([len(own) for own in baskets], dtype=np.int64),
    )


def histories_of_days(
    *, customer: Ints, day: Ints, product: Ints, customers: int, products: int, most: int
) -> Histories:
    """Return the histories of lines: what a customer buys on one day is one basket, and the newest `most` baskets count.

    customer, day, product: of each line, in any order; a product of −1 is none of those told, and yet makes a basket.
    """
    first = int(day.min(initial=0))
    days = int(day.max(initial=0)) - first + 1
    # one number a line, which rises by customer, falls by day and rises by product
    baskets, products_too = customer * days + (days - 1 - (day - first)), products + 1
    entries = np.unique(baskets * products_too + product + 1)
    basket, product = entries // products_too, entries % products_too - 1
    customer = basket // days
    begins = np.flatnonzero(np.diff(basket, prepend=-1))
    number = np.cumsum(np.diff(basket, prepend=-1) != 0) - 1  # of the entry's basket, over all customers
    newest = np.searchsorted(customer[begins], np.arange(customers + 1))  # each customer's first basket
    age = number - newest[customer]
    is_told = (product >= 0) & (age < most)
    return Histories(
        customers=customers,
        products=products,
        customer=customer[is_told],
        product=product[is_told],
        age=age[is_told],
        baskets=np.minimum(np.diff(newest), most),
    )
