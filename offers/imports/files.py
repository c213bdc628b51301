"""Opening a file to import: plain or gzip, read in pieces, with its progress in bytes."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from offers.imports.values import FileProblem

GZIP_MAGIC = b"\x1f\x8b"
FOREIGN_MARKS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"PK": "a zip archive or a spreadsheet",
    b"%PDF": "PDF",
}


class OpenFile:
    """A file being read. `position` counts bytes of the file itself, compressed or not."""

    def __init__(self, *, raw: IO[bytes], content: IO[bytes], size: int, path: Path) -> None:
        self._raw = raw
        self.content = content
        self.size = size
        self.path = path

    @property
    def position(self) -> int:
        return self._raw.tell()


@contextmanager
def opened(path: Path) -> Iterator[OpenFile]:
    """Yield the file. Raises FileProblem: missing, a folder, not readable, empty, torn gzip, or no text at all."""
    try:
        with path.open("rb") as raw:
            size = path.stat().st_size
            start = raw.read(4)
            raw.seek(0)
            if not start:
                raise FileProblem(f"{path} is empty.")
            if not start.startswith(GZIP_MAGIC):
                _refuse_foreign(start, path=path)
                yield OpenFile(raw=raw, content=raw, size=size, path=path)
                return
            with gzip.GzipFile(fileobj=raw) as content:
                yield OpenFile(raw=raw, content=cast(IO[bytes], content), size=size, path=path)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FileProblem(f"{path} is a gzip file that is broken or cut off.") from error
    except OSError as error:
        if error.filename is None:  # not about opening a file
            raise
        raise FileProblem(f"{path} cannot be read: {error.strerror}.") from error


def _refuse_foreign(start: bytes, *, path: Path) -> None:
    for mark, name in FOREIGN_MARKS.items():
        if start.startswith(mark):
            raise FileProblem(f"{path} is {name}; save it as text in UTF-8.")
