"""Make the figures of docs/algorithms again: `manage.py remake_evaluations`, or `make evaluate`."""

import io
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from offers.evaluation.pages import blocks, remade

PAGES = Path(__file__).resolve().parents[3] / "docs" / "algorithms"
FOLDERS = {
    "journey": "CSV files of the R package completejourney",
    "tafeng": "history.json.gz and future.json.gz of Ta-Feng",
}


class Command(BaseCommand):
    help = "Run the evaluation commands and write what they print into their pages. Takes minutes."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, what in FOLDERS.items():
            parser.add_argument(f"--{name}", type=Path, metavar="DIR", help=f"folder with {what}")
        parser.add_argument("--pages", type=Path, default=PAGES, help="folder of the pages")
        parser.add_argument(
            "--only", default="", metavar="WORD", help="commands that contain this word alone"
        )

    def handle(self, *args: object, **options: Any) -> None:
        folders = {name: str(options[name]) for name in FOLDERS if options[name] is not None}
        only, waiting = options["only"], set()
        for path in sorted(options["pages"].glob("*.md")):
            page = path.read_text(encoding="utf-8")
            wanted = [block for block in blocks(page) if only in block.command]
            waiting |= {(path.name, need) for block in wanted for need in block.needs if need not in folders}
            try:
                made = remade(page, folders=folders, only=only, run=self._run)
            except (ValueError, CommandError) as error:
                raise CommandError(f"{path.name}: {error}") from None
            if made != page:
                path.write_text(made, encoding="utf-8")
            if wanted:
                self.stdout.write(f"{path.name}: {'other figures now' if made != page else 'as it was'}")
        for name, need in sorted(waiting):
            self.stdout.write(f"{name} keeps figures that need --{need} DIR: {FOLDERS[need]}")

    def _run(self, words: Sequence[str]) -> str:
        self.stderr.write(f"… {' '.join(words)}")
        return _output(*words)


@cache
def _output(*words: str) -> str:
    """Return what a command prints; a command that several blocks are part of runs once."""
    printed = io.StringIO()
    call_command(*words, stdout=printed, stderr=sys.stderr)
    return printed.getvalue()
