"""Sleep until PostgreSQL says that there is work, a deadline comes, or the process is told to stop."""

import os
import select
import threading
from collections.abc import Sequence
from types import TracebackType

import psycopg
from django.db import connections
from psycopg import sql


class Stop:
    """Told once, seen by every thread, also by those that sleep."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._readable, self._writable = os.pipe()

    def tell(self) -> None:
        """Ask to stop; may be called from a signal handler, and more than once."""
        self._told.set()
        os.write(self._writable, b".")

    def is_told(self) -> bool:
        return self._told.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep, at most this long; return whether to stop."""
        return self._told.wait(seconds)

    def fileno(self) -> int:
        """Return what becomes readable, and stays so, once told."""
        return self._readable

    def __enter__(self) -> "Stop":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._readable)
        os.close(self._writable)


class Listener:
    """A connection of its own that hears NOTIFY on some channels; without channels, none.

    Behind a pooler it needs a session of its own: with transaction pooling nothing is heard.
    """

    def __init__(self, *, channels: Sequence[str]) -> None:
        self._channels = tuple(channels)
        self._connection: psycopg.Connection | None = None

    def connect(self) -> None:
        """Listen, if not listening yet; what is notified from now on ends the next sleep. Raises psycopg.Error."""
        if not self._channels or (self._connection is not None and not self._connection.closed):
            return
        parameters = connections["default"].get_connection_params()
        parameters.pop("cursor_factory", None)
        parameters.pop("context", None)
        connection = psycopg.connect(**parameters, autocommit=True)
        for channel in self._channels:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        self._connection = connection

    def sleep(self, seconds: float, *, stop: Stop) -> None:
        """Return when notified, when told to stop, or after this long. Raises psycopg.Error when the server is gone."""
        if self._connection is None:
            stop.wait(seconds)
            return
        poll = select.poll()
        poll.register(self._connection.fileno(), select.POLLIN)
        poll.register(stop.fileno(), select.POLLIN)
        woken = poll.poll(max(0, round(seconds * 1000)))
        if not woken:
            # Silence may be a connection that died without a word.
            self._connection.execute("SELECT 1")
        for _ in self._connection.notifies(timeout=0):
            pass

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
