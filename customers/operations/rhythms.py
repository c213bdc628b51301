"""How often things are usually bought again: counted over everybody's affinities; docs/algorithms/profile.md."""

from django.db import connection, transaction

from customers.locks import lock_usual_rhythms

MIN_CUSTOMERS = 5  # who came back for it: fewer say little, and could be told apart

# Intervals of one customer add up to the time between the first and the last purchase.
_MAKE = """
    INSERT INTO customers_usualrhythm (kind, key, intervals, days)
    SELECT kind, key, sum(purchases - 1), sum(extract(epoch FROM last_bought_at - first_bought_at)) / 86400.0
      FROM customers_affinity
     WHERE purchases > 1 AND last_bought_at > first_bought_at
     GROUP BY kind, key
    HAVING count(*) >= %s
"""


@transaction.atomic
def refresh_usual_rhythms(*, min_customers: int = MIN_CUSTOMERS) -> int:
    """Make the usual rhythms anew; return how many there are. Readers see the old ones until the commit.

    One pass over all affinities. Two at once are one after the other.
    """
    lock_usual_rhythms()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # one statement reads everybody's affinities
        cursor.execute("DELETE FROM customers_usualrhythm")
        cursor.execute(_MAKE, [min_customers])
        return cursor.rowcount
