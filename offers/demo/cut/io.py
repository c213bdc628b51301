"""Reading the public originals and writing the cuts: deterministic bytes, standard library only."""

import csv
import gzip
import hashlib
import io
import json
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, str]


def read_csv(path: Path) -> list[Row]:
    """Return the rows of a plain or gzipped CSV file with a header line."""
    with open_text(path) as handle:
        return list(csv.DictReader(handle))


def read_json(path: Path) -> Any:
    with open_text(path) as handle:
        return json.load(handle)


def open_text(path: Path) -> io.TextIOBase:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_bytes(path, buffer.getvalue().encode())


def write_json(path: Path, value: object, *, indent: int | None = 1) -> None:
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    write_bytes(path, text.encode() + b"\n")


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data`, gzipped if the name says so; without a time stamp, so that the same input gives the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)


def stable_hash(text: str, *, salt: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}:{text}".encode()).digest()[:8])


def fold(text: str) -> str:
    """Return `text` in lower case ASCII, accents and ligatures taken off, to match words in it."""
    plain = text.lower().replace("œ", "oe").replace("’", "'")
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
