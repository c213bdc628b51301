"""One measured figure, and how figures are shown and kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A value of ours beside a bound of the same run. `at_least` figures want a high ratio, `at_most` ones a low one."""

    name: str
    value: float
    unit: str
    bound: float  # of the same run, in the same unit
    bound_name: str
    wanted: float  # the ratio asked for now
    goal: float
    wants: Literal["at_least", "at_most"] = "at_least"
    cpu_us_per_event: Mapping[str, float] = field(default_factory=dict)  # by what used it
    peak_mb: Mapping[str, float] = field(default_factory=dict)  # by process

    @property
    def ratio(self) -> float:
        return self.value / self.bound

    @property
    def reached(self) -> Literal["goal", "wanted", "no"]:
        """Return the better of the two marks that the ratio reaches."""
        if self._meets(self.goal):
            return "goal"
        return "wanted" if self._meets(self.wanted) else "no"

    def _meets(self, mark: float) -> bool:
        return self.ratio >= mark if self.wants == "at_least" else self.ratio <= mark


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a text table, one a line, and below it each one's memory."""
    head = ("figure", "value", "unit", "bound", "of", "ratio", "wanted", "goal", "reached", "CPU µs/event")
    rows = [_row(figure) for figure in figures]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    memory = [
        f"  {figure.name}: " + ", ".join(f"{process} {peak:,.0f}" for process, peak in figure.peak_mb.items())
        for figure in figures
        if figure.peak_mb
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], "", "Peak memory, MB:", *memory])


def _row(figure: Figure) -> tuple[str, ...]:
    sign = "≥" if figure.wants == "at_least" else "≤"
    return (
        figure.name,
        f"{figure.value:,.1f}",
        figure.unit,
        f"{figure.bound:,.1f}",
        figure.bound_name,
        f"{figure.ratio:.3f}",
        f"{sign} {figure.wanted:g}",
        f"{sign} {figure.goal:g}",
        figure.reached,
        " + ".join(f"{spent:,.0f} {what}" for what, spent in figure.cpu_us_per_event.items()),
    )


def save(figures: Sequence[Figure], *, path: Path) -> None:
    """Write the figures as a JSON list; a figure measured before and not now keeps its place."""
    kept = json.loads(path.read_text()) if path.exists() else []
    fresh = {figure.name: _as_json(figure) for figure in figures}
    merged = [fresh.pop(old["name"], old) for old in kept] + list(fresh.values())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(merged, indent=2, ensure_ascii=False) + "\n")


def _as_json(figure: Figure) -> dict[str, object]:
    def rounded(values: Mapping[str, float]) -> dict[str, float]:
        return {name: round(value, 1) for name, value in values.items()}

    return {
        **asdict(figure),
        "value": round(figure.value, 2),
        "bound": round(figure.bound, 2),
        "ratio": round(figure.ratio, 4),
        "reached": figure.reached,
        "cpu_us_per_event": rounded(figure.cpu_us_per_event),
        "peak_mb": rounded(figure.peak_mb),
    }
