"""What comes of each thing that is put: written, or refused with every reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One reason against what was given."""

    field: str  # dotted path in the API's shape; empty: the whole
    code: str  # stable, snake_case
    message: str  # a sentence
    rule: str = ""  # of offers.rules.legal_values.Rule, where the legal guard found it
    messages: Mapping[str, str] | None = None  # the same by language, where it is known in several


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(Generic[T]):
    row: T
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """`code` is the whole's: invalid, not_found, not_publishable, wrong_state, …"""

    code: str
    wrongs: tuple[Wrong, ...] = ()


def invalid(*, field: str, code: str, message: str) -> Refused:
    """Return a refusal for one wrong field."""
    return Refused(code="invalid", wrongs=(Wrong(field=field, code=code, message=message),))
