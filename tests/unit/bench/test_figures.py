"""What a figure says of itself."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.figures import Figure, save, table
from tests.benchmarks.sample import Disagreement, compare_decisions


def figure(**more: object) -> Figure:
    values = {
        "name": "f",
        "value": 50.0,
        "unit": "events/s",
        "bound": 100.0,
        "bound_name": "b",
        "wanted": 0.4,
        "goal": 0.7,
    }
    return Figure(**{**values, **more})


@pytest.mark.parametrize(
    ("value", "wants", "reached"),
    [
        *((39.9, "at_least", "no"), (40.0, "at_least", "wanted"), (70.0, "at_least", "goal")),
        *((100.1, "at_most", "no"), (100.0, "at_most", "wanted"), (70.0, "at_most", "goal")),
    ],
)
def test_reached(value: float, wants: str, reached: str) -> None:
    marks = {"wanted": 0.4, "goal": 0.7} if wants == "at_least" else {"wanted": 1.0, "goal": 0.7}
    assert figure(value=value, wants=wants, **marks).reached == reached


def test_table_and_file_tell_the_same(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    save([figure(name="old"), figure(name="both", value=1.0)], path=path)
    fresh = figure(name="both", cpu_us_per_event={"python": 1.26}, peak_mb={"worker 1": 99.96})
    save([fresh], path=path)
    old, both = json.loads(path.read_text())
    assert (old["name"], old["ratio"]) == ("old", 0.5)
    assert both == {
        "name": "both",
        "value": 50.0,
        "unit": "events/s",
        "bound": 100.0,
        "bound_name": "b",
        "wanted": 0.4,
        "goal": 0.7,
        "wants": "at_least",
        "cpu_us_per_event": {"python": 1.3},
        "peak_mb": {"worker 1": 100.0},
        "ratio": 0.5,
        "reached": "wanted",
    }
    lines = table([fresh]).splitlines()
    assert lines[2].split() == [
        *("both", "50.0", "events/s", "100.0", "b", "0.500", "≥", "0.4", "≥", "0.7", "wanted", "1", "python")
    ]
    assert lines[-1] == "  both: worker 1 100"


def test_a_decision_that_differs_is_told() -> None:
    decided = {7: [("e1", "enter", "S1", None, "issued", "issued", "o1")]}
    otherwise = {7: [("e1", "enter", "S1", None, "none", "holdout", "o1")]}
    with pytest.raises(Disagreement) as told:
        compare_decisions(decided, otherwise)
    assert str(told.value) == (
        "customer 7, decision 1: the pipeline decided ('e1', 'enter', 'S1', None, 'issued', 'issued', 'o1'), "
        "the obvious implementation ('e1', 'enter', 'S1', None, 'none', 'holdout', 'o1')"
    )
    with pytest.raises(Disagreement, match="customer 7, decision 1: the pipeline decided None"):
        compare_decisions({}, decided)
    compare_decisions(decided, decided)
