"""`manage.py import_purchases FILE`: receipts from CSV; docs/imports.md."""

from argparse import ArgumentParser
from typing import Any

from offers.imports.command import ImportCommand, told
from offers.imports.load import Job, load_purchases


class Command(ImportCommand):
    help = (
        "Import receipts from CSV (receipt,store,customer,purchased_at,currency,gtin,quantity,unit_price_minor,"
        "category,brand), the lines of each receipt together."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--create-customers",
            action="store_true",
            help="make a customer who is not known, with nothing but the ref",
        )

    def load(self, *, job: Job, options: dict[str, Any]) -> list[str]:
        summary, made = load_purchases(
            options["file"], job=job, creates_customers=options["create_customers"]
        )
        lines = [f"{made:,} customers made by the way"] if made else []
        return [*lines, told(summary, name=options["file"].name, thing="receipts")]
