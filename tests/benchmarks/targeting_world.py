"""Customers with purchase histories, made by the database itself from generate_series; nothing else is in their world."""

from dataclasses import dataclass

from tests.benchmarks import database
from tests.benchmarks.database import Server
from tests.benchmarks.worlds import MEMORY, unhindered


@dataclass(frozen=True, kw_only=True)
class Shoppers:
    customers: int
    products: int
    favourites: int  # of each customer, which near numbers share
    receipts: int  # of each customer, a week apart
    least_lines: int  # of a receipt; by lot up to `most_lines`
    most_lines: int


# Two thirds of the lines are favourites, the others anything; low products are the popular ones.
_STATEMENTS = (
    "SELECT setseed(0.5)",
    """
    INSERT INTO customers_customer (id, ref, name, email, phone, birth_year, loyalty_card, language,
        time_zone, segments, topics, keywords, muted_brands, muted_categories, has_own_quiet_hours, max_pushes_per_day,
        max_pushes_per_week, channels, granted, created_at, updated_at)
    SELECT i, 'u' || i, '', '', '', 1980, '', 'fr', 'Europe/Paris', '{}', '{}', '{}', '{}', '{}', true, 3, 10, '{push}',
           '{profiling}', now(), now()
      FROM generate_series(1, %(customers)s) i
    """,
    """
    INSERT INTO customers_purchase (id, customer_id, store_ref, receipt, purchased_at, currency, digest, received_at)
    SELECT (c - 1) * %(receipts)s + r, c, 'S1', c || '-' || r, now() - make_interval(days => 7 * r), 'EUR', '\\x00',
           now()
      FROM generate_series(1, %(customers)s) c, generate_series(1, %(receipts)s) r
    """,
    """
    INSERT INTO customers_purchaseline (purchase_id, customer_id, position, gtin, quantity, unit_price_minor,
                                        category_ref, brand)
    SELECT (c - 1) * %(receipts)s + r, c, l,
           lpad((CASE WHEN random() < 0.67
                      THEN (c * 7 + floor(random() ^ 2 * %(favourites)s)::bigint * 131) %% %(products)s
                      ELSE floor(random() ^ 3 * %(products)s)::bigint END)::text, 13, '0'),
           1, 250, '', ''
      FROM generate_series(1::bigint, %(customers)s) c,
           generate_series(1, %(receipts)s) r,
           generate_series(1, %(least_lines)s + abs(hashint8(c * 64 + r) %% (1 + %(most_lines)s - %(least_lines)s))) l
    """,
)


def build(server: Server, *, name: str, shoppers: Shoppers) -> None:
    """Make the database anew, with these customers."""
    database.create(server, name=name)
    database.migrate(server, name=name)
    with database.connect(server, name=name) as connection:
        connection.execute(MEMORY)
        with unhindered(connection):
            for statement in _STATEMENTS:
                connection.execute(statement, _values(shoppers))
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def lines(server: Server, *, name: str) -> int:
    """Return how many lines the customers bought."""
    with database.connect(server, name=name) as connection:
        row = connection.execute("SELECT count(*) FROM customers_purchaseline").fetchone()
    return row[0] if row else 0


def _values(shoppers: Shoppers) -> dict[str, int]:
    return {
        "customers": shoppers.customers,
        "products": shoppers.products,
        "favourites": shoppers.favourites,
        "receipts": shoppers.receipts,
        "least_lines": shoppers.least_lines,
        "most_lines": shoppers.most_lines,
    }
