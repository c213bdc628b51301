"""Everybody's profile made anew from the purchases: `manage.py rebuild_profiles`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from customers.operations.profiles import rebuild_all
from customers.operations.rhythms import refresh_usual_rhythms


class Command(BaseCommand):
    help = "Make all profiles anew from the purchases, then the usual rhythms (docs/algorithms/profile.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=200, help="customers of one transaction (200)")

    def handle(self, *args: Any, **options: Any) -> None:
        customers = rebuild_all(batch=options["batch"])
        rhythms = refresh_usual_rhythms()
        self.stdout.write(f"{customers} profiles rebuilt, {rhythms} usual rhythms.")
