"""Recorded walks past beacons: how often the right one is chosen. `manage.py evaluate_beacons`."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from offers.evaluation.beacons import judge_walks, read_walks


class Command(BaseCommand):
    help = "Survey beacons by some walks and judge the others by them (docs/algorithms/geofence.md)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sightings", type=Path, required=True, help="CSV, or CSV.gz")
        parser.add_argument("--waypoints", type=Path, required=True)
        parser.add_argument("--json", type=Path, help="write the figures here, too")

    def handle(self, *args: Any, **options: Any) -> None:
        walks = read_walks(sightings=options["sightings"], waypoints=options["waypoints"])
        try:
            figures = judge_walks(walks).to_json()
        except ValueError as error:
            raise CommandError(f"Nothing can be judged: {error}.") from error
        text = json.dumps(figures, indent=2)
        self.stdout.write(text)
        if options["json"]:
            options["json"].write_text(text + "\n")
