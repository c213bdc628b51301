"""Locks of no row, by a number; their place in the order stands in offers.locks."""

from collections.abc import Iterator
from contextlib import contextmanager

from offers.cursors import hot_cursor

TARGETS_LOCK = 7_210_001  # any number that no other advisory lock of the project uses
RESPONSE_MODELS_LOCK = 7_210_002
NEXT_BASKETS_LOCK = 7_210_003


def lock_targets() -> None:
    """Let one transaction at a time rebuild offers' targets, so that the last one to do it has seen every change."""
    with hot_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TARGETS_LOCK])


def lock_response_models() -> None:
    """Let one transaction at a time add a version of the response model, or choose which one is used."""
    with hot_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RESPONSE_MODELS_LOCK])


@contextmanager
def only_teller_of_next_baskets() -> Iterator[bool]:
    """Hold the next baskets' lock for the block; False if another run holds it. It waits for nobody, and nobody for it.

    The session holds it, not a transaction: a run that dies with its connection leaves nothing behind.
    """
    with hot_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [NEXT_BASKETS_LOCK])
        [is_only] = cursor.fetchone()
    try:
        yield is_only
    finally:
        if is_only:
            with hot_cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [NEXT_BASKETS_LOCK])
