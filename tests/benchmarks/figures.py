"""One measured figure, and how figures are shown and kept."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Figure:
    name: str
    value: float
    unit: str
    bound: float | None  # of the same run, in the same unit; None: a figure that stands alone
    bound_name: str
    ratio: float | None  # value / bound
    wanted: float | None  # the ratio asked for now
    goal: float | None

    @classmethod
    def against(
        cls, name: str, value: float, unit: str, *, bound: float, bound_name: str, wanted: float, goal: float
    ) -> "Figure":
        return cls(
            name=name,
            value=round(value, 2),
            unit=unit,
            bound=round(bound, 2),
            bound_name=bound_name,
            ratio=round(value / bound, 4),
            wanted=wanted,
            goal=goal,
        )

    @classmethod
    def alone(cls, name: str, value: float, unit: str) -> "Figure":
        """Return a figure that is compared with nothing of its run."""
        return cls(
            name=name,
            value=round(value, 2),
            unit=unit,
            bound=None,
            bound_name="-",
            ratio=None,
            wanted=None,
            goal=None,
        )


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a text table, one a line."""
    head = ("figure", "value", "unit", "bound", "of", "ratio", "wanted", "goal")
    rows = [
        (
            figure.name,
            f"{figure.value:,.1f}",
            figure.unit,
            _cell(figure.bound, ",.1f"),
            figure.bound_name,
            _cell(figure.ratio, ".3f"),
            _cell(figure.wanted, "g"),
            _cell(figure.goal, "g"),
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def save(figures: Sequence[Figure], *, path: Path) -> None:
    """Write the figures as a JSON list; a figure measured before and not now keeps its place."""
    kept = json.loads(path.read_text()) if path.exists() else []
    fresh = {figure.name: asdict(figure) for figure in figures}
    merged = [fresh.pop(old["name"], old) for old in kept] + list(fresh.values())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(merged, indent=2, ensure_ascii=False) + "\n")
