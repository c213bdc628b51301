"""Columns that several of the staff's pages share."""

from customers.admin.columns import column, linked
from offers.admin.sentences import title_of

STORE = column(
    "store", en="Store", fr="Magasin", order=False, read=lambda row: row.store.name if row.store else None
)
AISLE = column(
    "aisle", en="Aisle", fr="Rayon", order=False, read=lambda row: row.aisle.name if row.aisle else None
)
OFFER = column(
    "offer",
    en="Offer",
    fr="Offre",
    order=False,
    read=lambda row: (title_of(row.offer.title) or row.offer.ref) if row.offer else None,
)
OF_COUPON = linked("coupon", en="Coupon", fr="Coupon", needs="offers.view_coupon")
