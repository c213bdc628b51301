"""What travels from a file to the database: a line's value, or why it was refused."""

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

T = TypeVar("T")
Verdict = Literal["new", "changed", "same"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing said about one line."""

    line: int  # of the file, from 1; of GeoJSON, the number of the feature
    key: str  # what the line is about, as far as it could be read: a ref, a GTIN, store/receipt
    code: str  # stable, snake_case
    message: str  # a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A thing that is not taken in, with every reason."""

    remarks: tuple[Remark, ...]
    lines: int = 1  # how many lines it stands on


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Generic[T]):
    """A thing that can be written; `notes` tell what had to be left out of it."""

    line: int  # where it begins
    key: str  # no two things of one file may share it
    value: T
    lines: int = 1  # how many lines it stands on
    notes: tuple[Remark, ...] = ()


@dataclass(slots=True, kw_only=True)
class Summary:
    """How an import ended: things by verdict; every thing read has exactly one."""

    lines: int = 0
    verdicts: dict[Verdict, int] = field(default_factory=lambda: {"new": 0, "changed": 0, "same": 0})
    refused: int = 0
    notes: int = 0

    @property
    def read(self) -> int:
        return sum(self.verdicts.values()) + self.refused


class FileProblem(Exception):
    """The file as a whole cannot be read; the text is one clear sentence."""


class BadValue(ValueError):
    """A value of a line that cannot be taken."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refuse(*, line: int, key: str, code: str, message: str, lines: int = 1) -> Refusal:
    """Return a refusal for one reason."""
    return Refusal(remarks=(Remark(line=line, key=key, code=code, message=message),), lines=lines)
