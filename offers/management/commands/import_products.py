"""`manage.py import_products FILE`: products from CSV; docs/imports.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from offers.imports.command import ImportCommand, told
from offers.imports.load import Job, load_categories, load_products
from offers.imports.products import ProductWriter
from offers.operations.catalogue import CategoryIn


class Command(ImportCommand):
    help = "Import products from CSV (gtin,name,brand,category,price_minor,currency,image_url)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--categories", type=Path, metavar="CSV", help="import these categories first (ref,name,parent)"
        )
        parser.add_argument(
            "--create-categories",
            action="store_true",
            help="make a category that is not known, under its ref as name and at the top",
        )

    def load(self, *, job: Job, options: dict[str, Any]) -> list[str]:
        lines: list[str] = []
        categories: dict[str, CategoryIn] = {}
        if options["categories"] is not None:
            summary, categories = load_categories(options["categories"], job=job)
            lines.append(told(summary, name=options["categories"].name, thing="categories"))
        writer = ProductWriter(
            now=job.now, categories=categories, creates_missing=options["create_categories"]
        )
        summary = load_products(options["file"], job=job, writer=writer)
        if writer.created:
            lines.append(f"{len(writer.created):,} categories made by the way")
        return [*lines, told(summary, name=options["file"].name, thing="products")]
