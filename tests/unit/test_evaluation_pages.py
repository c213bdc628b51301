"""Figures of a page made again: only what is between the marks, only where the data is there."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from offers.evaluation.pages import blocks, remade
from offers.management.commands.remake_evaluations import PAGES

PAGE = """# Title

<!-- made by: count --to 3 -->

    old

<!-- end -->

Prose that stays.

<!-- made by: tables --in {data} | part 2 of 2 -->

| old |

<!-- end -->
"""


def run(words: Sequence[str]) -> str:
    return {"count": "one\n\ntwo\n", "tables": "| first |\n\n| second |\n"}[words[0]]


def test_a_block_is_replaced_and_keeps_its_indent() -> None:
    found = remade(PAGE, folders={}, run=run)
    assert found == PAGE.replace("    old", "    one\n\n    two")


def test_a_part_of_the_output_and_a_folder_with_a_space() -> None:
    seen: list[Sequence[str]] = []

    def watched(words: Sequence[str]) -> str:
        seen.append(words)
        return run(words)

    found = remade(PAGE, folders={"data": "/my data"}, run=watched, only="tables")
    assert found == PAGE.replace("| old |", "| second |")
    assert seen == [["tables", "--in", "/my data"]]


def test_made_again_from_the_same_it_is_the_same() -> None:
    once = remade(PAGE, folders={"data": "x"}, run=run)
    assert remade(once, folders={"data": "x"}, run=run) == once


def test_an_output_of_other_parts_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="printed 1 parts, and the page knows 2"):
        remade(PAGE, folders={"data": "x"}, run=lambda words: "one part")


def test_every_block_of_the_documentation_names_a_command_that_is_there() -> None:
    found = {
        block.command.split()[0]: block.needs
        for path in PAGES.glob("*.md")
        for block in blocks(path.read_text())
    }
    assert found == {
        "evaluate_yields": (),
        "evaluate_response": ("journey",),
        "evaluate_targeting": ("tafeng", "tafeng"),
        "simulate_season": (),
    }


def test_the_command_writes_what_changed_and_names_what_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- made by: evaluate_yields -->\n\n| old |\n\n<!-- end -->\n"
        "<!-- made by: evaluate_response --data {journey} -->\n\nold\n\n<!-- end -->\n"
    )
    call_command("remake_evaluations", pages=tmp_path)
    made = page.read_text()
    assert "| rule | case | published | here |" in made
    assert made.endswith("\n\nold\n\n<!-- end -->\n")
    said = capsys.readouterr()
    assert said.out == (
        "page.md: other figures now\n"
        "page.md keeps figures that need --journey DIR: CSV files of the R package completejourney\n"
    )
    assert said.err == "… evaluate_yields\n"
    call_command("remake_evaluations", pages=tmp_path)
    assert capsys.readouterr().out.startswith("page.md: as it was\n")


def test_a_command_that_cannot_run_is_named_with_its_page(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(
        "<!-- made by: evaluate_response --data {journey} -->\n\nold\n\n<!-- end -->\n"
    )
    with pytest.raises(CommandError, match=r"^page\.md: "):
        call_command("remake_evaluations", pages=tmp_path, journey=tmp_path)
