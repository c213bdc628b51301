"""A learned response against counters, on The Complete Journey: `manage.py evaluate_response`."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from offers.evaluation.journey import pairs_of, read_journey
from offers.evaluation.response import Judged, judge
from offers.rules.logistic import Bin

SPLIT = date(2017, 9, 4)


class Command(BaseCommand):
    help = "Tell who redeems a campaign's coupons, campaigns in time order (docs/algorithms/response.md)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--data", type=Path, required=True, help="folder with The Complete Journey's files"
        )
        parser.add_argument(
            "--split", type=date.fromisoformat, default=SPLIT, help=f"first day of the test ({SPLIT})"
        )
        parser.add_argument("--json", type=Path, help="write the figures here, too")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = judge(pairs_of(read_journey(options["data"])), split=options["split"])
        except (FileNotFoundError, ValueError) as error:
            raise CommandError(f"Nothing can be judged: {error}.") from None
        for line in _report(found):
            self.stdout.write(line)
        if options["json"]:
            options["json"].write_text(json.dumps(asdict(found), indent=2) + "\n")


def _report(found: Judged) -> list[str]:
    low, high = found.interval
    gain, least, most = found.over_gain
    return [
        f"Trained on {found.trained} pairs, judged on {found.pairs} later ones, {found.positives} of which redeemed",
        f"Weights held at {found.strength:g}, chosen by the campaigns before the split",
        "",
        "who tells                AUC   the model gains (95 %)",
        f"{'model':<18}  {found.aucs['model']:8.4f}   [{low:.4f}, {high:.4f}] is its own interval",
        *(
            f"{name:<18}  {found.aucs[name]:8.4f}   {more:+.4f} [{fewest:+.4f}, {highest:+.4f}]"
            for name, (more, fewest, highest) in found.gains.items()
        ),
        f"{'within kinds':<18}  {found.within_kind:8.4f}   the model's",
        "",
        f"Of {found.over} pairs whose campaign had ended when the files do: AUC {found.over_auc:.4f},"
        f" over the last counter {gain:+.4f} [{least:+.4f}, {most:+.4f}]",
        "",
        "pairs    said    came   standard errors",
        *map(_bin, found.calibration),
        f"calibration error {found.calibration_error:.4f}",
        *(
            f"{line}, of campaigns that were cut off"
            for line in map(_bin, [found.cut_off] if found.cut_off else [])
        ),
        "",
        "what moves the log-odds, in standard deviations",
        *(
            f"{weight:+.3f}  {name}"
            for name, weight in sorted(found.weights.items(), key=lambda item: -abs(item[1]))
        ),
    ]


def _bin(one: Bin) -> str:
    return f"{one.rows:5}  {one.said:6.4f}  {one.came:6.4f}   {one.errors:+.1f}"
