"""`manage.py simulate_season`: what the engine is worth against silence, a blast and a geofence; docs/algorithms/season.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from offers.evaluation.season.plot import season_svg
from offers.evaluation.season.report import (
    compare_policies,
    compare_wrong_models,
    policy_table,
    wrong_table,
)
from offers.evaluation.season.values import Town


class Command(BaseCommand):
    help = "Let simulated shoppers with a known response walk through a season under four policies. Takes minutes."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        town = Town()
        parser.add_argument("--shoppers", type=int, default=town.shoppers)
        parser.add_argument("--stores", type=int, default=town.stores)
        parser.add_argument("--days", type=int, default=town.days)
        parser.add_argument(
            "--wrong-days", type=int, default=14, help="days of each season with a wrong model; 0: none"
        )
        parser.add_argument("--seeds", type=int, default=2, help="how many seasons the means are over")
        parser.add_argument("--wrong-seeds", type=int, default=8, help="the same for each wrong model")
        parser.add_argument("--svg", type=Path, help="draw it into this file, too")

    def handle(self, *args: object, **options: Any) -> None:
        town = Town(shoppers=options["shoppers"], stores=options["stores"], days=options["days"])
        seeds, params = range(1, options["seeds"] + 1), dict(settings.RAYON)
        rows = compare_policies(town=town, seeds=seeds, params=params)
        for line in policy_table(rows):
            self.stdout.write(line)
        wrong = []
        if options["wrong_days"]:
            shorter = Town(shoppers=town.shoppers, stores=town.stores, days=options["wrong_days"])
            wrong_seeds = range(1, options["wrong_seeds"] + 1)
            wrong = list(compare_wrong_models(town=shorter, seeds=wrong_seeds, params=params))
            self.stdout.write("")
            for line in wrong_table(wrong):
                self.stdout.write(line)
        if options["svg"]:
            options["svg"].write_text(season_svg(rows, wrong), encoding="utf-8")
