"""Files are read piece by piece, and a broken line costs itself alone."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import pytest

from offers.imports.features import Feature, read_features
from offers.imports.files import opened
from offers.imports.rows import MAX_LINE_BYTES, CsvReader, Row
from offers.imports.values import FileProblem, Refusal


def read(text: bytes, **more: str) -> list[tuple[int, dict[str, str] | str]]:
    """The rows as (line, values), the refusals as (line, code)."""
    return [
        (entry.line, entry.values)
        if isinstance(entry, Row)
        else (entry.remarks[0].line, entry.remarks[0].code)
        for entry in CsvReader(io.BytesIO(text), **more)
    ]


def test_a_row_is_trimmed_and_numbered_by_its_first_line() -> None:
    text = b'a,b\n 1 ,"two\nlines"\n\n3,4\n'

    assert read(text) == [(2, {"a": "1", "b": "two\nlines"}), (5, {"a": "3", "b": "4"})]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_taken_from_the_header(delimiter: str) -> None:
    text = f"a{delimiter}b\n1{delimiter}2\n".encode()

    assert read(text) == [(2, {"a": "1", "b": "2"})]


def test_a_spreadsheets_byte_order_mark_belongs_to_no_column() -> None:
    assert read(b"\xef\xbb\xbfa,b\r\n1,2\r\n") == [(2, {"a": "1", "b": "2"})]


def test_broken_lines_are_refused_and_their_neighbours_read() -> None:
    text = b"a,b\n1,2\n1,2,3\n\xe9,2\n" + b"x" * (MAX_LINE_BYTES + 5) + b"\n5,6\n"

    assert read(text) == [
        (2, {"a": "1", "b": "2"}),
        (3, "wrong_number_of_fields"),
        (4, "wrong_encoding"),
        (5, "line_too_long"),
        (6, {"a": "5", "b": "6"}),
    ]


def test_a_quote_that_is_never_closed_is_refused_and_reading_goes_on() -> None:
    swallowed = b"".join(b"%d,0123456789\n" % number for number in range(20_000))
    found = read(b'a,b\n1,"2\n' + swallowed)

    assert found[0] == (2, "malformed_csv")
    assert found[-1] == (20_002, {"a": "19999", "b": "0123456789"})


def test_another_encoding_is_read_when_it_is_named() -> None:
    assert read("a\nyaourt à boire\n".encode("cp1252"), encoding="cp1252") == [(2, {"a": "yaourt à boire"})]


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        (b"\n1,2\n", {}, "has no header"),
        (b"a,a\n", {}, "has the column a twice"),
        ("prénom\n".encode("cp1252"), {}, "is not in utf-8"),
        (b"a\0b\n", {}, "is not text"),
        (b"a\n", {"encoding": "klingon"}, "no encoding called klingon"),
    ],
)
def test_a_header_that_cannot_be_read_is_a_problem_of_the_file(
    text: bytes, more: dict[str, str], said: str
) -> None:
    with pytest.raises(FileProblem, match=said):
        CsvReader(io.BytesIO(text), **more)


def test_missing_columns_are_named() -> None:
    with pytest.raises(FileProblem, match=r"^x\.csv lacks the columns gtin, name; it has a, b\.$"):
        CsvReader(io.BytesIO(b"a,b\n")).require(("gtin", "a", "name"), name="x.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xff\xfea\x00,\x00", "is UTF-16"),
        (b"PK\x03\x04....", "is a zip archive or a spreadsheet"),
        (gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:-20], "broken or cut off"),
    ],
)
def test_a_file_that_is_no_text_is_a_problem_of_the_file(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "given"
    path.write_bytes(content)

    with pytest.raises(FileProblem, match=said), opened(path) as file:
        file.content.read()


def test_a_missing_file_and_a_folder_are_problems_of_the_file(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none", "No such file"), (tmp_path, "directory")):
        with pytest.raises(FileProblem, match=said), opened(path):
            pass


class Endless:
    """A file that never ends and counts what was asked of it."""

    def __init__(self, start: bytes, repeated: bytes) -> None:
        self._start, self._repeated, self.given = start, repeated, 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "nobody may ask for all of it"
        if size == 0:
            return b""
        piece, self._start = self._start or self._repeated * (size // len(self._repeated)), b""
        self.given += len(piece)
        return piece

    def readline(self, size: int | None = -1) -> bytes:
        piece, self._start = self._start or self._repeated, b""
        self.given += len(piece)
        return piece


def first(entries: Iterator[object], count: int) -> list[object]:
    return [next(entries) for _ in range(count)]


def test_csv_is_read_no_further_than_is_asked_for() -> None:
    endless = Endless(b"a,b\n", b"1,2\n")

    rows = first(iter(CsvReader(cast(IO[bytes], endless))), 1000)

    assert rows[-1] == Row(line=1001, values={"a": "1", "b": "2"})
    assert endless.given == 4 * 1001


def test_geojson_is_read_no_further_than_is_asked_for() -> None:
    feature = b'{"type":"Feature","properties":{"ref":"S"},"geometry":null},'
    endless = Endless(b'{"type":"FeatureCollection","features":[' + feature, feature)

    features = first(read_features(cast(IO[bytes], endless)), 1000)

    assert features[-1] == Feature(number=1000, id="", tags={"ref": "S"}, geometry=None)
    assert endless.given < 1000 * len(feature) + 2 * 65_536


def test_what_is_no_feature_is_refused_alone() -> None:
    text = b'{"features":[7,{"type":"Feature","id":"n/1","properties":{"a":1,"b":[2]},"geometry":null}]}'
    refused, feature = read_features(io.BytesIO(text))

    assert isinstance(refused, Refusal)
    assert (refused.remarks[0].line, refused.remarks[0].code) == (1, "not_a_feature")
    assert feature == Feature(number=2, id="n/1", tags={"a": "1", "b": ""}, geometry=None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"features":[]}', "has no features"),
        (b"[1,2]", "has no features"),
        (b'{"features":[{"type":"Feature"},{"type"', "is not valid JSON after 1 features"),
        (b"{nonsense", "is not valid JSON from its beginning"),
        (b'{"features":[{"type":"Feature","geometry":{"coordinates":[NaN,1]}}]}', "is not valid JSON"),
    ],
)
def test_torn_geojson_is_a_problem_of_the_file(text: bytes, said: str) -> None:
    with pytest.raises(FileProblem, match=said):
        list(read_features(io.BytesIO(text)))
