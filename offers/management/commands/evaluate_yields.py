"""The published numbers beside what the yield rules give: `manage.py evaluate_yields`."""

from typing import Any

from django.core.management.base import BaseCommand

from offers.evaluation.yields import markdown, rows


class Command(BaseCommand):
    help = "Print every published number that the yield rules are held to, and theirs (docs/algorithms/yield.md)."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(markdown(rows()))
