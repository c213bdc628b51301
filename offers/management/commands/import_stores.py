"""`manage.py import_stores FILE`: stores from GeoJSON or CSV; docs/imports.md."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from offers.geocoding import configured_geocoder
from offers.imports.command import ImportCommand, told
from offers.imports.fields import time_zone
from offers.imports.load import Job, load_stores
from offers.imports.store_rows import MAX_RADIUS_M, StoreDefaults
from offers.imports.values import BadValue


class Command(ImportCommand):
    help = "Import stores from GeoJSON (OpenStreetMap's tags are understood) or CSV; a second time changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--radius-m", type=float, default=100.0, help="of a store known by a point (100)")
        parser.add_argument(
            "--time-zone", default="Europe/Paris", help="where a line names none (%(default)s)"
        )

    def load(self, *, job: Job, options: dict[str, Any]) -> list[str]:
        radius_m = options["radius_m"]
        if not 1 <= radius_m <= MAX_RADIUS_M:
            raise CommandError(f"--radius-m is 1 to {MAX_RADIUS_M:,.0f} metres.")
        try:
            zone = time_zone(options["time_zone"])
        except BadValue as error:
            raise CommandError(f"--time-zone: {error.message}") from error
        defaults = StoreDefaults(radius_m=radius_m, time_zone=zone)
        summary = load_stores(options["file"], job=job, defaults=defaults, geocoder=configured_geocoder())
        return [told(summary, name=options["file"].name, thing="stores")]
