"""Next-basket methods against baskets that came later: `manage.py evaluate_targeting`."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from offers.evaluation.next_baskets import Evaluated, evaluate, read


class Command(BaseCommand):
    help = "Compare next-basket rankings with the baskets that came later (docs/algorithms/next-basket.md)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--history", type=Path, required=True, help="JSON or JSON.gz: {customer: [[product, …], …]}"
        )
        parser.add_argument(
            "--future", type=Path, required=True, help="JSON or JSON.gz: {customer: [product, …]}"
        )
        parser.add_argument("--json", type=Path, help="write the figures here, too")
        parser.add_argument(
            "--all-users", action="store_true", help="report on everybody, with fixed settings and no tuning"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        known = read(options["history"], options["future"])
        try:
            found = evaluate(known, tune=not options["all_users"], said=self._say)
        except ValueError as error:
            raise CommandError(f"Nothing can be judged: {error}.") from None
        for line in _report(found):
            self.stdout.write(line)
        self._say(f"done in {time.perf_counter() - started:.0f} s")
        if options["json"]:
            options["json"].write_text(json.dumps(found.figures, indent=2) + "\n")

    def _say(self, line: str) -> None:
        self.stderr.write(f"… {line}")


def _report(found: Evaluated) -> list[str]:
    lines = []
    if found.tried:
        lines += [f"Chosen on {found.tuning} customers who are not reported: {found.setting}", ""]
        lines += [*_table("setting", found.tried), ""]
    else:
        lines += [f"Fixed setting: {found.setting}", ""]
    return [*lines, f"Reported on {found.reported} customers", "", *_table("method", found.figures)]


def _table(head: str, rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    columns = list(next(iter(rows.values())))
    width = max(len(head), *map(len, rows))
    return [
        "  ".join([head.ljust(width), *(column.rjust(9) for column in columns)]),
        *(
            "  ".join([name.ljust(width), *(f"{row[column]:9.4f}" for column in columns)])
            for name, row in rows.items()
        ),
    ]
