"""Goods by which nobody is to be known: what stands in a sensitive category, or below one; docs/algorithms/profile.md."""

from django.db import connection


def sensitive_where(condition: str) -> str:
    """Return the first entry of a WITH RECURSIVE: `sensitive(id, ref)`, categories of which the condition holds, and all below."""
    return f"""sensitive(id, ref) AS (
        SELECT id, ref FROM offers_category WHERE {condition}
        UNION
        SELECT c.id, c.ref FROM sensitive s JOIN offers_category c ON c.parent_id = s.id
    )"""  # noqa: S608 (our own constants)


SENSITIVE = sensitive_where(
    "is_sensitive OR never_targeted <> ''"
)  # nobody else's business, or never targeted


def sensitive_categories() -> dict[int, str]:
    """Return the refs of the sensitive categories by id. One query."""
    with connection.cursor() as cursor:
        cursor.execute(f"WITH RECURSIVE {SENSITIVE} SELECT id, ref FROM sensitive")  # noqa: S608 (our own constant)
        return dict(cursor.fetchall())
