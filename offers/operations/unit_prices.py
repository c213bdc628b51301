"""What a unit of an offer's target costs without the offer."""

from django.db import connection

from customers.rules.affinity import brand_key
from offers.models import Offer

# The mean over the target's products that have a price in the offer's currency: those of the gtins, the category's
# subtree or the brand.
_MEAN_PRICE = """
    WITH RECURSIVE subtree(id) AS (
        SELECT id FROM offers_category WHERE id = %(category)s
        UNION
        SELECT c.id FROM subtree s JOIN offers_category c ON c.parent_id = s.id
    )
    SELECT round(avg(p.price_minor)) FROM offers_product p
     WHERE p.currency = %(currency)s AND p.price_minor > 0
       AND (p.gtin = ANY(%(gtins)s) OR p.category_id IN (SELECT id FROM subtree)
            OR p.brand_id IN (SELECT id FROM offers_brand WHERE key = %(brand)s))
"""


def unit_price_minor(*, offer: Offer) -> int | None:
    """Return the regular price of a deal, else the catalogue's mean over the target; None if that is not known."""
    if offer.deal is not None:
        return int(offer.deal["regular_price_minor"])
    with connection.cursor() as cursor:
        cursor.execute(
            _MEAN_PRICE,
            {
                "category": offer.target_category_id,
                "currency": offer.currency,
                "gtins": offer.target_gtins,
                "brand": brand_key(offer.target_brand) or None,
            },
        )
        (found,) = cursor.fetchone()
    return None if found is None else int(found)
