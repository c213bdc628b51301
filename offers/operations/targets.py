"""Which purchases count towards an offer, and which aisles may fire it: kept beside the offer, so that a decision
reads rows instead of walking the category tree.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from customers.rules.affinity import brand_key
from offers import locks
from offers.models import Offer

# The keys of each chosen offer's target; `brands` pairs the offers on a brand with its folded name.
_REBUILD_KEYS = """
    WITH RECURSIVE chosen AS (
        SELECT id, target_gtins, target_category_id FROM offers_offer WHERE id = ANY(%(offers)s)
    ), subtree(offer_id, category_id) AS (
        SELECT id, target_category_id FROM chosen WHERE target_category_id IS NOT NULL
        UNION
        SELECT s.offer_id, c.id FROM subtree s JOIN offers_category c ON c.parent_id = s.category_id
    ), wanted(offer_id, kind, key, is_exact) AS (
        SELECT id, 'product', gtin, true FROM chosen CROSS JOIN unnest(target_gtins) AS gtin
        UNION
        SELECT o.id, 'brand', b.key, false
          FROM chosen o JOIN offers_product p ON p.gtin = ANY(o.target_gtins) JOIN offers_brand b ON b.id = p.brand_id
        UNION
        SELECT s.offer_id, 'category', c.ref, true FROM subtree s JOIN offers_category c ON c.id = s.category_id
        UNION
        SELECT b.offer_id, 'brand', b.key, true
          FROM unnest(%(brand_offers)s::bigint[], %(brand_keys)s::text[]) AS b(offer_id, key)
    ), gone AS (
        DELETE FROM offers_offeraffinitykey k
         WHERE k.offer_id = ANY(%(offers)s)
           AND NOT EXISTS (SELECT FROM wanted w WHERE (w.offer_id, w.kind, w.key) = (k.offer_id, k.kind, k.key))
    )
    INSERT INTO offers_offeraffinitykey AS k (offer_id, kind, key, is_exact)
    SELECT offer_id, kind, key, is_exact FROM wanted
    ON CONFLICT (offer_id, kind, key) DO UPDATE SET is_exact = excluded.is_exact
     WHERE k.is_exact IS DISTINCT FROM excluded.is_exact
"""

_REBUILD_AISLES = """
    WITH RECURSIVE target(offer_id, category_id) AS (
        SELECT id, target_category_id FROM offers_offer
         WHERE id = ANY(%(offers)s) AND target_category_id IS NOT NULL
        UNION
        SELECT o.id, p.category_id FROM offers_offer o JOIN offers_product p ON p.gtin = ANY(o.target_gtins)
         WHERE o.id = ANY(%(offers)s) AND p.category_id IS NOT NULL
        UNION
        SELECT b.offer_id, p.category_id
          FROM unnest(%(brand_offers)s::bigint[], %(brand_keys)s::text[]) AS b(offer_id, key)
          JOIN offers_brand brand ON brand.key = b.key JOIN offers_product p ON p.brand_id = brand.id
         WHERE p.category_id IS NOT NULL
    ), below(offer_id, category_id) AS (
        TABLE target
        UNION
        SELECT b.offer_id, c.id FROM below b JOIN offers_category c ON c.parent_id = b.category_id
    ), above(offer_id, category_id) AS (
        TABLE target
        UNION
        SELECT a.offer_id, c.parent_id FROM above a JOIN offers_category c ON c.id = a.category_id
         WHERE c.parent_id IS NOT NULL
    ), wanted(offer_id, category_id) AS (
        TABLE below UNION TABLE above
    ), gone AS (
        DELETE FROM offers_offer_aisle_categories k
         WHERE k.offer_id = ANY(%(offers)s)
           AND NOT EXISTS (SELECT FROM wanted w WHERE (w.offer_id, w.category_id) = (k.offer_id, k.category_id))
    )
    INSERT INTO offers_offer_aisle_categories (offer_id, category_id)
    SELECT offer_id, category_id FROM wanted
    ON CONFLICT (offer_id, category_id) DO NOTHING
"""


def refresh_targets(offer_ids: Sequence[int] | None = None) -> None:
    """Bring the affinity keys and the aisle categories of these offers (None: all that are not removed) up to date.

    To be called after an offer, a product, a brand or a category changed; four queries, whatever their number.

    Keys: a gtin counts for itself (exact) and through its brand (not exact); a category through each category of
    its subtree; a brand through its folded name. Aisles: the target's categories (for gtins and brands those of the
    catalogue's products), what stands below them and what they stand in; none known means any aisle.
    Effects: takes the targets' advisory lock until the transaction ends.
    """
    with transaction.atomic():
        locks.lock_targets()
        offers = Offer.objects.filter(removed_at__isnull=True)
        if offer_ids is not None:
            offers = offers.filter(id__in=offer_ids)
        brands = dict(offers.order_by("id").values_list("id", "target_brand"))
        keys = {offer_id: key for offer_id, brand in brands.items() if (key := brand_key(brand))}
        values: dict[str, Any] = {
            "offers": list(brands),
            "brand_offers": list(keys),
            "brand_keys": list(keys.values()),
        }
        with connection.cursor() as cursor:
            cursor.execute(_REBUILD_KEYS, values)
            cursor.execute(_REBUILD_AISLES, values)
