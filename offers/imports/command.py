"""What the import commands share: options, progress, the report of what was refused, the summary."""

import csv
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from offers.imports.files import OpenFile
from offers.imports.load import Job
from offers.imports.rows import DEFAULT_ENCODING, NOT_DECODED
from offers.imports.values import FileProblem, Remark, Summary

T = TypeVar("T")
SHOWN_AFTER_S = 2.0  # what is quicker needs no bar
REFUSED_COLUMNS = ("line", "key", "code", "message")


class ImportCommand(BaseCommand):
    """A command that imports one file: `load` does it and returns lines to print, its own summary last."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the file to read; .gz is unpacked on the way")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen and write nothing")
        parser.add_argument(
            "--refused", type=Path, metavar="CSV", help="write what is refused, and why, to this file"
        )
        parser.add_argument(
            "--encoding", default=DEFAULT_ENCODING, help="of a CSV file (default: %(default)s)"
        )

    def load(self, *, job: Job, options: dict[str, Any]) -> list[str]:
        raise NotImplementedError

    def handle(self, *args: object, **options: Any) -> None:
        with ExitStack() as stack:
            report = _Report(command=self, stack=stack, refused=options["refused"])
            job = Job(
                now=timezone.now(),
                tell=report.tell,
                watch=report.watch,
                is_dry=options["dry_run"],
                encoding=options["encoding"],
            )
            try:
                lines = self.load(job=job, options=options)
            except FileProblem as error:
                raise CommandError(f"{error}{_so_far(report)}") from error
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")
        for line in lines:
            self.stdout.write(line)
        if report.not_decoded:
            raise CommandError(
                f"{report.not_decoded} lines are not text in {options['encoding']}: "
                "if the whole file is in another encoding, say so with --encoding, such as cp1252."
            )


def told(summary: Summary, *, name: str, thing: str) -> str:
    """Return the summary in one line, such as "products.csv: 2 products read: 1 new, 0 changed, 1 same, 0 refused"."""
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in summary.verdicts.items())
    lines = f" on {summary.lines:,} lines" if summary.lines != summary.read else ""
    notes = f" ({summary.notes:,} notes)" if summary.notes else ""
    return f"{name}: {summary.read:,} {thing} read{lines}: {counts}, {summary.refused:,} refused{notes}"


def _so_far(report: "_Report") -> str:
    return f" What stood before, {report.passed:,} entries, was taken." if report.passed else ""


class _Report:
    """Tells each remark as it comes, on the error stream and in the file of the refused, around a progress bar."""

    def __init__(self, *, command: BaseCommand, stack: ExitStack, refused: Path | None) -> None:
        self._command = command
        self._stack = stack
        self._bar: tqdm[Any] | None = None
        self._file = None
        self.not_decoded = 0
        self.passed = 0
        if refused is not None:
            try:
                handle = stack.enter_context(refused.open("w", encoding="utf-8", newline=""))
            except OSError as error:
                raise CommandError(f"{refused} cannot be written: {error.strerror}.") from error
            self._file = csv.writer(handle)
            self._file.writerow(REFUSED_COLUMNS)

    def tell(self, remark: Remark, is_refused: bool) -> None:
        verdict = "refused" if is_refused else "kept"
        about = f" {remark.key}" if remark.key else ""
        if self._bar is not None:
            self._bar.clear()
        self._command.stderr.write(f"line {remark.line}{about}: {verdict}, {remark.code}: {remark.message}")
        if is_refused and self._file is not None:
            self._file.writerow([remark.line, remark.key, remark.code, remark.message])
        self.not_decoded += is_refused and remark.code == NOT_DECODED

    def watch(self, file: OpenFile, entries: Iterator[T]) -> Iterator[T]:
        """Draw how far the file is read: on a terminal only, and not before it has taken a while."""
        bar: tqdm[Any] = tqdm(
            total=file.size,
            desc=file.path.name,
            unit="B",
            unit_scale=True,
            delay=SHOWN_AFTER_S,
            disable=None,  # where the stream is no terminal
            leave=False,
            file=self._command.stderr,
        )
        self._bar = self._stack.enter_context(bar)
        at = 0
        for entry in entries:
            position = file.position
            bar.update(position - at)
            at = position
            self.passed += 1
            yield entry
