"""The four imports, each from a file to a summary: what the commands and the demo call."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from offers.geocoding import Geocoder
from offers.imports.features import read_features
from offers.imports.files import OpenFile, opened
from offers.imports.product_rows import (
    CATEGORY_COLUMNS,
    NEEDED_COLUMNS,
    categories_from_rows,
    products_from_rows,
)
from offers.imports.products import CategoryWriter, ProductWriter
from offers.imports.purchases import PurchaseWriter
from offers.imports.receipt_rows import NEEDED_COLUMNS as RECEIPT_COLUMNS
from offers.imports.receipt_rows import receipts_from_rows
from offers.imports.rows import DEFAULT_ENCODING, CsvReader
from offers.imports.run import Tell, run_import
from offers.imports.seen import SeenKeys
from offers.imports.store_rows import (
    CSV_NEEDS,
    StoreDefaults,
    lacks_columns,
    stores_from_features,
    stores_from_rows,
)
from offers.imports.stores import StoreWriter
from offers.imports.values import FileProblem, Given, Refusal, Summary
from offers.operations.catalogue import CategoryIn

T = TypeVar("T")
Watch = Callable[[OpenFile, Iterator[T]], Iterator[T]]
GEOJSON_STARTS = (b"{", b"\xef\xbb\xbf{")
ALL_AT_ONCE = 100_000  # a tree of categories is written whole: children need their parents


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How an import runs, whatever it imports."""

    now: datetime
    tell: Tell
    watch: Watch = lambda file, entries: entries  # sees each entry pass; draws the progress
    is_dry: bool = False
    encoding: str = DEFAULT_ENCODING


def load_stores(path: Path, *, job: Job, defaults: StoreDefaults, geocoder: Geocoder | None) -> Summary:
    """Import stores from GeoJSON or CSV, told apart by the first character. Raises FileProblem."""
    writer = StoreWriter(geocoder=geocoder, now=job.now)
    with opened(path) as file:
        if _is_json(file):
            stores = stores_from_features(read_features(file.content, name=str(path)), defaults=defaults)
        else:
            reader = CsvReader(file.content, encoding=job.encoding, name=str(path))
            if lacks_columns(reader.columns):
                raise FileProblem(f"{CSV_NEEDS} {path} has the columns {', '.join(reader.columns)}.")
            stores = stores_from_rows(reader, defaults=defaults)
        entries = (writer.prepared(entry) for entry in job.watch(file, stores))
        return run_import(entries=entries, write=writer.write, tell=job.tell, is_dry=job.is_dry)


def load_categories(path: Path, *, job: Job) -> tuple[Summary, dict[str, CategoryIn]]:
    """Import categories from CSV, parents first; return how it went, and the good ones by ref. Raises FileProblem."""
    good: dict[str, CategoryIn] = {}

    def kept(entries: Iterator[Given[CategoryIn] | Refusal]) -> Iterator[Given[CategoryIn] | Refusal]:
        for entry in entries:
            if isinstance(entry, Given):
                good.setdefault(entry.key, entry.value)
            yield entry

    with opened(path) as file:
        reader = CsvReader(file.content, encoding=job.encoding, name=str(path))
        reader.require(CATEGORY_COLUMNS, name=str(path))
        summary = run_import(
            entries=kept(job.watch(file, categories_from_rows(reader))),
            write=CategoryWriter(now=job.now).write,
            tell=job.tell,
            is_dry=job.is_dry,
            batch_size=ALL_AT_ONCE,
        )
    return summary, good


def load_products(path: Path, *, job: Job, writer: ProductWriter) -> Summary:
    """Import products from CSV. Raises FileProblem."""
    with opened(path) as file:
        reader = CsvReader(file.content, encoding=job.encoding, name=str(path))
        reader.require(NEEDED_COLUMNS, name=str(path))
        entries = job.watch(file, products_from_rows(reader))
        return run_import(entries=entries, write=writer.write, tell=job.tell, is_dry=job.is_dry)


def load_purchases(
    path: Path,
    *,
    job: Job,
    creates_customers: bool = False,
    moved: Callable[[datetime], datetime] = lambda at: at,
) -> tuple[Summary, int]:
    """Import receipts from CSV, their times moved; return how it went, and how many customers were made.

    Raises FileProblem.
    """
    with opened(path) as file, SeenKeys() as made:
        reader = CsvReader(file.content, encoding=job.encoding, name=str(path))
        reader.require(RECEIPT_COLUMNS, name=str(path))
        writer = PurchaseWriter(now=job.now, made=made if creates_customers else None)
        entries = job.watch(file, receipts_from_rows(reader, moved=moved))
        summary = run_import(entries=entries, write=writer.write, tell=job.tell, is_dry=job.is_dry)
    return summary, writer.customers_made


def _is_json(file: OpenFile) -> bool:
    start = file.content.read(1024)
    file.content.seek(0)
    return start.lstrip().startswith(GEOJSON_STARTS)
