"""The nearest fences of each kind, by the index of geographies where it can tell."""

from typing import Any

from django.db import InternalError, connection, transaction

from offers.queries import fences_sql as sql


def nearest_rows(*, lat: float, lon: float, most: int) -> list[tuple[Any, ...]]:
    """Return the rows of fences_sql.NEAREST. One query in a savepoint; four where the index cannot tell.

    PostGIS's index may find, of two fences as good as equally near, that it gave the farther one first, and then fails
    the statement ("index returned tuples in wrong order"). Sorting all of them is slower, and right.
    """
    values = {"lat": lat, "lon": lon, "most": most}
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(sql.NEAREST, values)
                return list(cursor.fetchall())
        except InternalError:
            with transaction.atomic():
                cursor.execute("SET LOCAL enable_indexscan = off")
                cursor.execute(sql.NEAREST, values)
                found = list(cursor.fetchall())
                cursor.execute("SET LOCAL enable_indexscan = on")
                return found
