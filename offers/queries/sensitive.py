"""Goods by which nobody is to be known: what stands in a sensitive category, or below one; docs/algorithms/profile.md."""

from django.db import connection

# The first entry of a WITH RECURSIVE: categories that are nobody else's business or never targeted, and all below them.
SENSITIVE = """sensitive(id, ref) AS (
        SELECT id, ref FROM offers_category WHERE is_sensitive OR never_targeted <> ''
        UNION
        SELECT c.id, c.ref FROM sensitive s JOIN offers_category c ON c.parent_id = s.id
    )"""


def sensitive_categories() -> dict[int, str]:
    """Return the refs of the sensitive categories by id. One query."""
    with connection.cursor() as cursor:
        cursor.execute(f"WITH RECURSIVE {SENSITIVE} SELECT id, ref FROM sensitive")  # noqa: S608 (our own constant)
        return dict(cursor.fetchall())
