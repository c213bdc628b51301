"""Enters and exits of recorded phones against the geodesic truth: `manage.py evaluate_geofences`."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from offers.evaluation.phones import read_fences, read_fixes, read_truth
from offers.evaluation.replay import replay
from offers.evaluation.score import score


class Command(BaseCommand):
    help = "Replay recorded fixes and compare enters and exits with the true visits (docs/algorithms/geofence.md)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fixes", type=Path, required=True, help="CSV, or CSV.gz")
        parser.add_argument("--fences", type=Path, required=True)
        parser.add_argument("--truth", type=Path, required=True)
        parser.add_argument("--json", type=Path, help="write the figures here, too")

    def handle(self, *args: Any, **options: Any) -> None:
        fences, fixes = read_fences(options["fences"]), read_fixes(options["fixes"])
        truth = read_truth(options["truth"], fixes=fixes, fences=fences)
        played = replay(fixes, fences=fences)
        figures = {
            "fixes": len(fixes),
            "fences": len(fences),
            "true_visits": len(truth),
            "refused": dict(sorted(played.refused.items())),
            **score(played.told, truth=truth).to_json(),
        }
        text = json.dumps(figures, indent=2)
        self.stdout.write(text)
        if options["json"]:
            options["json"].write_text(text + "\n")
