"""CSV, one row at a time: a broken line is refused and reading goes on."""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import IO

from offers.imports.values import FileProblem, Refusal, refuse

MAX_LINE_BYTES = 1024 * 1024
DELIMITERS = ",;\t"
DEFAULT_ENCODING = "utf-8"
NOT_DECODED = "wrong_encoding"  # the code of a line whose bytes are no text in the file's encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    line: int  # the first of the row's lines, from 1
    values: dict[str, str]  # by column, trimmed; an empty field is ""


class CsvReader:
    """Iterates over the rows of a CSV file; header first. Never holds more than one row.

    The delimiter is the comma, semicolon or tab that the header has most of. Blank lines are skipped.
    """

    def __init__(
        self, content: IO[bytes], *, encoding: str = DEFAULT_ENCODING, name: str = "The file"
    ) -> None:
        """Read the header. Raises FileProblem: no header, two columns of one name, header in another encoding."""
        self._content = content
        # A byte order mark, as spreadsheets write it, belongs to no column.
        self._encoding = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
        self._line = 0
        self._fault = ""
        self.columns = self._header(name)

    def require(self, columns: Collection[str], *, name: str) -> None:
        """Raises FileProblem naming the columns that are missing."""
        missing = [column for column in columns if column not in self.columns]
        if missing:
            found = ", ".join(self.columns)
            raise FileProblem(f"{name} lacks the columns {', '.join(missing)}; it has {found}.")

    def __iter__(self) -> Iterator[Row | Refusal]:
        while True:
            start, self._fault = self._line + 1, ""
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield _refusal(start, "malformed_csv", f"Not CSV: {error}; a quote that is not closed?")
                continue
            if self._fault:
                yield _refusal(start, self._fault, FAULTS[self._fault])
            elif len(fields) != len(self.columns):
                if any(field.strip() for field in fields):
                    counted = f"{len(fields)} fields where the header has {len(self.columns)}."
                    yield _refusal(start, "wrong_number_of_fields", counted)
            else:
                values = (field.strip() for field in fields)
                yield Row(line=start, values=dict(zip(self.columns, values, strict=True)))

    def _header(self, name: str) -> list[str]:
        first = self._content.readline(MAX_LINE_BYTES)
        self._line = 1
        try:
            text = first.decode(self._encoding)
        except UnicodeDecodeError:
            raise FileProblem(f"{name} is not in {self._encoding}: see --encoding.") from None
        except LookupError:
            raise FileProblem(f"There is no encoding called {self._encoding}.") from None
        if "\0" in text:
            raise FileProblem(f"{name} is not text in {self._encoding}: see --encoding.")
        delimiter = max(DELIMITERS, key=text.count)
        columns = [column.strip() for column in next(csv.reader([text], delimiter=delimiter), [])]
        if not any(columns):
            raise FileProblem(f"{name} has no header.")
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            raise FileProblem(f"{name} has the column {twice[0] or '(without a name)'} twice.")
        self._reader = csv.reader(self._lines(), delimiter=delimiter)
        return columns

    def _lines(self) -> Iterator[str]:
        """Yield the lines as text; `_fault` tells of one that is none, so that its row can be refused."""
        encoding = "utf-8" if self._encoding == "utf-8-sig" else self._encoding
        while raw := self._content.readline(MAX_LINE_BYTES):
            self._line += 1
            if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
                self._fault = "line_too_long"
                while (raw := self._content.readline(MAX_LINE_BYTES)) and not raw.endswith(b"\n"):
                    pass
                yield "\n"
                continue
            try:
                yield raw.decode(encoding)
            except UnicodeDecodeError:
                self._fault = NOT_DECODED
                yield raw.decode("ascii", errors="replace")


FAULTS = {
    "line_too_long": f"The line is longer than {MAX_LINE_BYTES:,} bytes.",
    NOT_DECODED: "The line is not text in the file's encoding.",
}


def _refusal(line: int, code: str, message: str) -> Refusal:
    return refuse(line=line, key="", code=code, message=message)
