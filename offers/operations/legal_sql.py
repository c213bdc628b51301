"""The statements of the legal guard's facts: arrays in, rows out."""

# Per offer and kind of goods: how many products, how many without a price in the offer's currency, the lowest and
# the highest price, and how many products, and how many rows at all, of each sensitive kind. An offer on a brand has products
# alone; one on a category its subtree too, also where it has no product yet.
GOODS = """
    WITH RECURSIVE tree(id, goods, sensitive) AS (
        SELECT id, COALESCE(NULLIF(goods, ''), 'food'),
               CASE WHEN never_targeted = '' THEN '{}'::text[] ELSE ARRAY[never_targeted::text] END
          FROM offers_category WHERE parent_id IS NULL
        UNION ALL
        SELECT c.id, COALESCE(NULLIF(c.goods, ''), t.goods),
               CASE WHEN c.never_targeted = '' THEN t.sensitive ELSE t.sensitive || c.never_targeted::text END
          FROM tree t JOIN offers_category c ON c.parent_id = t.id
    ), chosen AS (
        SELECT * FROM jsonb_to_recordset(%(offers)s::jsonb)
            AS o(id bigint, currency text, target_gtins text[], target_category_id bigint)
    ), subtree(offer_id, category_id) AS (
        SELECT id, target_category_id FROM chosen WHERE target_category_id IS NOT NULL
        UNION
        SELECT s.offer_id, c.id FROM subtree s JOIN offers_category c ON c.parent_id = s.category_id
    ), target(offer_id, gtin, price_minor, currency, category_id) AS (
        SELECT o.id, g.gtin, p.price_minor, p.currency, p.category_id
          FROM chosen o CROSS JOIN unnest(o.target_gtins) AS g(gtin) LEFT JOIN offers_product p ON p.gtin = g.gtin
        UNION ALL
        SELECT s.offer_id, p.gtin, p.price_minor, p.currency, p.category_id
          FROM subtree s JOIN offers_product p ON p.category_id = s.category_id
        UNION ALL
        SELECT s.offer_id, NULL, NULL, NULL, s.category_id FROM subtree s
        UNION ALL
        SELECT b.offer_id, p.gtin, p.price_minor, p.currency, p.category_id
          FROM unnest(%(brand_offers)s::bigint[], %(brand_keys)s::text[]) AS b(offer_id, key)
          JOIN offers_brand brand ON brand.key = b.key JOIN offers_product p ON p.brand_id = brand.id
    ), told AS (
        SELECT t.offer_id, t.gtin, CASE WHEN t.currency = o.currency THEN t.price_minor END AS price_minor,
               COALESCE(tree.goods, 'food') AS goods, COALESCE(tree.sensitive, '{}') AS sensitive
          FROM target t JOIN chosen o ON o.id = t.offer_id LEFT JOIN tree ON tree.id = t.category_id
    )
    SELECT offer_id, goods, count(gtin)::int AS products,
           (count(gtin) FILTER (WHERE price_minor IS NULL))::int AS unpriced,
           min(price_minor) AS lowest, max(price_minor) AS highest,
           (count(gtin) FILTER (WHERE 'health' = ANY(sensitive)))::int AS health_products,
           (count(*) FILTER (WHERE 'health' = ANY(sensitive)))::int AS health_any,
           (count(gtin) FILTER (WHERE 'pharmacy' = ANY(sensitive)))::int AS pharmacy_products,
           (count(*) FILTER (WHERE 'pharmacy' = ANY(sensitive)))::int AS pharmacy_any,
           (count(gtin) FILTER (WHERE 'religion' = ANY(sensitive)))::int AS religion_products,
           (count(*) FILTER (WHERE 'religion' = ANY(sensitive)))::int AS religion_any
      FROM told
     GROUP BY offer_id, goods
     ORDER BY offer_id, goods
"""

PRICES_NOW = "SELECT gtin, price_minor, currency FROM offers_product WHERE gtin = ANY(%s)"

# Prices since an instant, and the one that was in force then, oldest first.
PRICES = """
    SELECT h.gtin, h.since, h.price_minor, h.currency
      FROM unnest(%(gtins)s::text[]) AS g(gtin)
      JOIN offers_productprice h ON h.gtin = g.gtin
     WHERE h.since >= COALESCE((SELECT max(first.since) FROM offers_productprice first
                                 WHERE first.gtin = g.gtin AND first.since <= %(since)s), '-infinity')
     ORDER BY h.gtin, h.since, h.id
"""

# A product that has left the catalogue is not sold any more: its last price ends.
RECORD_PRICES = """
    INSERT INTO offers_productprice (gtin, price_minor, currency, since)
    SELECT g.gtin, p.price_minor, COALESCE(p.currency, last.currency), %(now)s
      FROM unnest(%(gtins)s::text[]) AS g(gtin)
      LEFT JOIN offers_product p ON p.gtin = g.gtin
      LEFT JOIN LATERAL (
           SELECT h.price_minor, h.currency FROM offers_productprice h
            WHERE h.gtin = g.gtin ORDER BY h.since DESC, h.id DESC LIMIT 1) last ON true
     WHERE (p.price_minor IS NOT NULL OR last.price_minor IS NOT NULL)
       AND (p.price_minor, p.currency) IS DISTINCT FROM (last.price_minor, last.currency)
     ORDER BY g.gtin
"""

KEEP = """
    INSERT INTO offers_offerlegal AS kept (offer_id, facts)
    SELECT * FROM unnest(%s::bigint[], %s::jsonb[])
    ON CONFLICT (offer_id) DO UPDATE SET facts = excluded.facts
     WHERE kept.facts IS DISTINCT FROM excluded.facts
"""
