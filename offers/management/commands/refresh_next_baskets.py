"""Everybody's next basket: `manage.py refresh_next_baskets`."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from offers.operations.in_processes import ProcessFailed
from offers.operations.next_baskets import (
    PANEL,
    AlreadyTelling,
    refresh_next_baskets,
)


class Command(BaseCommand):
    help = "Tell from the purchases what everybody's next basket will hold (docs/algorithms/next-basket.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--panel", type=int, default=PANEL, help=f"customers who teach ({PANEL})")
        parser.add_argument(
            "--processes",
            type=int,
            default=1,
            help="processes that rank; as many as there are free processors",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = refresh_next_baskets(
                now=datetime.now(UTC), panel=options["panel"], processes=options["processes"]
            )
        except (AlreadyTelling, ProcessFailed) as error:
            raise CommandError(f"The next baskets are not all told: {error}.") from None
        self.stdout.write(
            f"{done.customers} customers' next baskets written, {done.removed} removed"
            f" ({done.panel} customers taught, {done.products} products)."
        )
