"""GeoJSON, one feature at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import ijson

from offers.imports.values import FileProblem, Refusal, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    number: int  # from 1, in the order of the file
    id: str  # "" where it has none
    tags: dict[str, str]  # its properties, as text
    geometry: dict[str, Any] | None


def read_features(content: IO[bytes], *, name: str = "The file") -> Iterator[Feature | Refusal]:
    """Yield the features of a FeatureCollection as they are read; never holds more than one.

    Raises FileProblem where the file is no JSON from some point on, or has no features.
    """
    number = 0
    try:
        for item in ijson.items(content, "features.item", use_float=True):
            number += 1
            yield _feature(item, number=number)
    except ijson.JSONError as error:
        where = f"after {number:,} features" if number else "from its beginning"
        raise FileProblem(f"{name} is not valid JSON {where}.") from error
    except UnicodeDecodeError as error:
        raise FileProblem(f"{name} is not UTF-8 after {number:,} features.") from error
    if number == 0:
        raise FileProblem(f"{name} has no features: a GeoJSON FeatureCollection is needed.")


def _feature(item: Any, *, number: int) -> Feature | Refusal:
    if not isinstance(item, dict) or item.get("type") != "Feature":
        return refuse(line=number, key="", code="not_a_feature", message="Not a GeoJSON Feature.")
    properties = item.get("properties")
    geometry = item.get("geometry")
    return Feature(
        number=number,
        id=_text(item.get("id")),
        tags={key: _text(value) for key, value in properties.items()} if isinstance(properties, dict) else {},
        geometry=geometry if isinstance(geometry, dict) else None,
    )


def _text(value: Any) -> str:
    """Return a tag's value as text; lists and objects say nothing that could be read."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()
