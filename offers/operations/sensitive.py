"""The ledger's lines of sensitive goods marked as the catalogue has it now, so that no profile is made of them."""

from typing import Any

from django.db import connection, transaction

from customers.locks import lock_customers
from customers.operations.profiles import rebuild_profiles
from offers.queries.sensitive import SENSITIVE

PAGE = 100_000  # lines looked at in one statement
CUSTOMERS = 200  # whose lines are marked, and whose profiles are made anew, in one transaction

_GOODS = f"""
    WITH RECURSIVE {SENSITIVE}, goods AS (
        SELECT p.gtin FROM offers_product p JOIN sensitive s ON s.id = p.category_id
    )"""  # noqa: S608 (constants of this house's own)
_IS_WRONG = """
    l.is_sensitive <> (l.gtin IN (SELECT gtin FROM goods) OR l.category_ref IN (SELECT ref FROM sensitive))"""

# How far the page reaches, and whose lines in it are marked wrongly.
_PAGE = f"""{_GOODS}, page AS MATERIALIZED (
        SELECT id, customer_id, gtin, category_ref, is_sensitive FROM customers_purchaseline
         WHERE id > %(last)s ORDER BY id LIMIT %(page)s
    )
    SELECT (SELECT max(id) FROM page),
           ARRAY(SELECT DISTINCT l.customer_id FROM page l WHERE l.customer_id IS NOT NULL AND {_IS_WRONG} ORDER BY 1)
"""  # noqa: S608 (constants of this house's own)

_MARK = f"""{_GOODS}
    UPDATE customers_purchaseline l SET is_sensitive = NOT l.is_sensitive
      FROM customers_purchase p
     WHERE p.customer_id = ANY(%(customers)s) AND l.purchase_id = p.id AND {_IS_WRONG}
"""  # noqa: S608 (constants of this house's own)


def mark_sensitive_lines(*, page: int = PAGE) -> int:
    """Mark the lines of known customers as the catalogue has it now; return how many customers that changed.

    Those customers' profiles are made anew. One pass over all lines, in pages; a receipt that comes in meanwhile with an older
    catalogue is found by the next run. Locks the customers, some at a time.
    """
    changed, last = 0, 0
    while True:
        values: dict[str, Any] = {"last": last, "page": page}
        with connection.cursor() as cursor:
            cursor.execute(_PAGE, values)
            reached, customer_ids = cursor.fetchone()
        if reached is None:
            return changed
        for start in range(0, len(customer_ids), CUSTOMERS):
            changed += _mark(customer_ids[start : start + CUSTOMERS])
        last = reached


@transaction.atomic
def _mark(customer_ids: list[int]) -> int:
    living = lock_customers(customer_ids=customer_ids)
    with connection.cursor() as cursor:
        cursor.execute(_MARK, {"customers": sorted(living)})
    rebuild_profiles(customer_ids=living)
    return len(living)
