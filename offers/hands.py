"""The threads of a worker that speak to the database for its lanes: few, shared, each with a connection of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any, TypeVar

import psycopg
from django.db import Error as DatabaseError
from django.db import connection

T = TypeVar("T")


class Hands:
    """Does database work for event loops, in order of asking. Work is short: no provider is ever waited for in it."""

    def __init__(self, *, threads: int) -> None:
        self._count = threads
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="hand")

    async def do(self, work: Callable[..., T], *given: Any, **more: Any) -> T:
        """Return what the work returns, or raise what it raises; a connection that failed is replaced."""
        return await asyncio.wrap_future(self._pool.submit(_done, work, *given, **more))

    def close(self) -> None:
        """Close every thread's connection, and end the threads."""
        together = Barrier(self._count)  # so that each thread gets one of these

        def end() -> None:
            together.wait()
            _forget_connection()

        for _ in range(self._count):
            self._pool.submit(end)
        self._pool.shutdown()


def _done(work: Callable[..., T], *given: Any, **more: Any) -> T:
    try:
        return work(*given, **more)
    except (DatabaseError, psycopg.Error):
        _forget_connection()
        raise


def _forget_connection() -> None:
    with suppress(DatabaseError, psycopg.Error):
        connection.close()
