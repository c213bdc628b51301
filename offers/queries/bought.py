"""Which exposures count, and whether a purchase of the offer's target followed: one expression for every statement that asks."""

WINDOW_DAYS = 7  # in which a purchase counts as the exposure's outcome, in both arms

# Of an exposure `e`; parameter `window`. A line of a product that the catalogue lacks counts by its own brand's name.
BOUGHT = """EXISTS (
               SELECT FROM customers_purchase p
                 JOIN customers_purchaseline l ON l.purchase_id = p.id AND l.quantity > 0
                 LEFT JOIN offers_product product ON product.gtin = l.gtin
                 LEFT JOIN offers_brand brand ON brand.id = product.brand_id
                 LEFT JOIN offers_brand named ON named.name = l.brand
                 JOIN offers_offeraffinitykey k ON k.offer_id = e.offer_id AND k.is_exact
                  AND CASE k.kind WHEN 'product' THEN k.key = l.gtin
                                  WHEN 'category' THEN k.key = l.category_ref
                                  ELSE k.key IN (brand.key, named.key) END
                WHERE p.customer_id = e.customer_id AND p.purchased_at > e.exposed_at
                  AND p.purchased_at <= e.exposed_at + make_interval(days => %(window)s))"""

# Of an exposure `e`: not voided, not too old, and its window is over; parameters `since`, `now`, `window`.
COUNTS = """(e.voided_at IS NULL AND e.exposed_at > %(since)s
            AND e.exposed_at <= %(now)s - make_interval(days => %(window)s))"""
