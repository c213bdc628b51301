"""Locks on files, which the kernel lets go of when their holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """One open lock file. Shared: one of many users; alone: nobody else."""

    def __init__(self, *, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def share(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def hold_alone(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def try_alone(self) -> bool:
        """Return whether nobody else holds it now; on False, our own shared hold may be gone."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, text: str) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def close(self) -> None:
        os.close(self._descriptor)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold `path`'s lock, waiting for whoever has it."""
    lock = FileLock(path=path)
    try:
        lock.hold_alone()
        yield
    finally:
        lock.close()
