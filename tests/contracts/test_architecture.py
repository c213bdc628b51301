"""House rules that no ready-made tool checks."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("config", "customers", "offers")
LONGEST_FILE = 300  # lines
CLOCKS = {"timezone.now", "datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time"}
TIME_COMES_IN_BY_THE_DOOR = ("offers/rules", "offers/stages", "offers/flow.py", "customers/rules")
MAY_PRINT = ("management/commands", "offers/demo/cut")


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _calls(path: Path) -> Iterator[tuple[str, int]]:
    """Yield ("name.of.what.is.called", line) for every call."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def _room(name: str) -> str:
    """Return the file's room: customers/locks.py and customers/locks/rows.py are both `locks`."""
    return name.split("/")[1].removesuffix(".py") if "/" in name else name


def test_rows_are_locked_only_in_the_room_of_locks() -> None:
    found = [
        f"{_name(path)}:{line}"
        for path in _sources()
        if _room(_name(path)) != "locks"
        for called, line in _calls(path)
        if called.endswith(".select_for_update") or called == "select_for_update"
    ]
    assert found == []


def test_no_file_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {_name(path): len(path.read_text().splitlines()) for path in _sources()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("room", TIME_COMES_IN_BY_THE_DOOR)
def test_rules_and_stages_never_look_at_the_clock(room: str) -> None:
    found = [
        f"{_name(path)}:{line}"
        for path in _sources()
        if _name(path).startswith(room)
        for called, line in _calls(path)
        if ".".join(called.split(".")[-2:]) in CLOCKS
    ]
    assert found == []


def test_package_code_does_not_print() -> None:
    found = [
        f"{_name(path)}:{line}"
        for path in _sources()
        if not any(part in _name(path) for part in MAY_PRINT)
        for called, line in _calls(path)
        if called == "print"
    ]
    assert found == []


def test_the_checks_above_read_the_house() -> None:
    names = {_name(path) for path in _sources()}
    assert {"config/env.py", "customers/apps.py", "offers/flow.py", "offers/locks/__init__.py"} <= names
