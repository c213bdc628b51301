"""What was learned, for the decision and for people: one query each, for any number of customers and offers."""

from collections.abc import Collection

from django.db import connection

from offers.models import NextBasket, ResponseModel
from offers.rules.response import COLD, Model, model_from_json

# A product counts towards an offer as a purchase would: by gtin, by its brand, or by its category.
_CHANCES = """
    WITH told AS (
        SELECT n.customer_id, t.gtin, t.chance
          FROM offers_nextbasket n
          JOIN customers_customer c ON c.id = n.customer_id AND 'profiling' = ANY(c.granted)
         CROSS JOIN LATERAL unnest(n.gtins, n.chances) AS t(gtin, chance)
         WHERE n.customer_id = ANY(%(customers)s)
    ), targets AS (
        SELECT offer_id, kind, key FROM offers_offeraffinitykey WHERE is_exact AND offer_id = ANY(%(offers)s)
    ), holding AS (
        SELECT t.customer_id, k.offer_id, t.gtin, t.chance
          FROM told t JOIN targets k ON k.kind = 'product' AND k.key = t.gtin
        UNION
        SELECT t.customer_id, k.offer_id, t.gtin, t.chance
          FROM told t
          JOIN offers_product p ON p.gtin = t.gtin
          LEFT JOIN offers_brand b ON b.id = p.brand_id
          LEFT JOIN offers_category g ON g.id = p.category_id
          JOIN targets k ON (k.kind = 'brand' AND k.key = b.key) OR (k.kind = 'category' AND k.key = g.ref)
    )
    SELECT customer_id, offer_id, 1 - exp(sum(ln(1 - LEAST(chance, 0.999999))))
      FROM holding GROUP BY customer_id, offer_id
"""


def next_basket_chances(
    *, customer_ids: Collection[int], offer_ids: Collection[int]
) -> dict[tuple[int, int], float]:
    """Return the chance that the customer's next basket holds the offer's target, by (customer, offer); absent: unlikely.

    0..1; of several products that are the target, the chance of any. Who does not allow profiling is absent.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CHANCES, {"customers": sorted(set(customer_ids)), "offers": sorted(set(offer_ids))})
        return {(customer_id, offer_id): chance for customer_id, offer_id, chance in cursor.fetchall()}


def get_next_basket(*, customer_id: int) -> NextBasket | None:
    """Return what was told of the customer; None where nothing was, or profiling is not allowed any more."""
    allowed = NextBasket.objects.filter(customer__granted__contains=["profiling"])
    return allowed.filter(customer_id=customer_id).first()


def get_response_model() -> Model:
    """Return the response model in use; the cold one where none was learned."""
    row = ResponseModel.objects.filter(is_current=True).values_list("parameters", "version").first()
    return COLD if row is None else model_from_json(row[0], version=row[1])
