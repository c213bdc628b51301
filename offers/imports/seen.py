"""The keys a file has had so far, kept on disk: a file larger than memory may have more than fit into it."""

import sqlite3
from types import TracebackType


class SeenKeys:
    """A set of texts in a temporary database of its own that goes away when it is closed."""

    def __init__(self) -> None:
        self._store = sqlite3.connect("", isolation_level=None)  # "": a temporary file
        self._store.execute("PRAGMA journal_mode = OFF")
        self._store.execute("PRAGMA synchronous = OFF")
        self._store.execute("CREATE TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, key: str) -> bool:
        """Add the key; return whether it is new."""
        return self._store.execute("INSERT OR IGNORE INTO seen VALUES (?)", [key]).rowcount == 1

    def __enter__(self) -> "SeenKeys":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close()
